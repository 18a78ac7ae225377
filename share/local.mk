# What is installed beside the programs. The kernelspec also stands in `lateen` itself, for `lateen kernel install`.
KERNELSPEC_FILES = \
	%D%/kernelspec/kernel.json.in \
	%D%/kernelspec/logo-32x32.png \
	%D%/kernelspec/logo-64x64.png \
	%D%/kernelspec/logo-svg.svg
# The standard library, in `lateen` itself.
STD_FILES = \
	%D%/std/std.lateen
EXTRA_DIST += $(KERNELSPEC_FILES) $(STD_FILES) %D%/embed.sh %D%/requirements.txt

kernelspecdir = $(datadir)/jupyter/kernels/lateen
kernelspec_DATA = \
	%D%/kernelspec/logo-32x32.png \
	%D%/kernelspec/logo-64x64.png \
	%D%/kernelspec/logo-svg.svg
nodist_kernelspec_DATA = %D%/kernelspec/kernel.json

%D%/kernelspec/kernel.json: %D%/kernelspec/kernel.json.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D%/kernelspec && sed 's|@LATEEN@|$(bindir)/lateen|' $(srcdir)/%D%/kernelspec/kernel.json.in >$@.tmp && \
		mv $@.tmp $@
CLEANFILES += %D%/kernelspec/kernel.json
