# The Jupyter side and the command line. One module a line, alphabetical: such lines merge by themselves. Only main.c
# is not in the library, so that the tests can link all the rest.
noinst_LIBRARIES += libkernel.a

libkernel_a_SOURCES =
libkernel_a_SOURCES += %D%/install.c %D%/install.h
libkernel_a_SOURCES += %D%/language.h
nodist_libkernel_a_SOURCES = \
	%D%/kernelspec_files.c

%D%/kernelspec_files.c: share/embed.sh $(KERNELSPEC_FILES)
	$(AM_V_GEN)$(MKDIR_P) %D% && $(SHELL) $(srcdir)/share/embed.sh KERNELSPEC_FILES \
		$(KERNELSPEC_FILES:%=$(srcdir)/%) >$@.tmp && mv $@.tmp $@
CLEANFILES += %D%/kernelspec_files.c

bin_PROGRAMS += lateen
lateen_SOURCES = %D%/main.c
lateen_LDADD = libkernel.a libruntime.a libdsl.a libbase.a $(LATEEN_LIBS)
