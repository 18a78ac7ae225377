# The Jupyter side and the command line. Keep the list alphabetical, one module a line; only main.c is not in the
# library, so that the tests can link all the rest.
noinst_LIBRARIES += libkernel.a

libkernel_a_SOURCES = \
	%D%/language.h

bin_PROGRAMS += lateen
lateen_SOURCES = %D%/main.c
lateen_LDADD = libkernel.a libruntime.a libdsl.a libbase.a $(LATEEN_LIBS)
