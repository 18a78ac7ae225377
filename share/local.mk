# What is installed beside the programs. The kernelspec also stands in `lateen` itself, for `lateen kernel install`.
KERNELSPEC_FILES = \
	%D%/kernelspec/kernel.json.in \
	%D%/kernelspec/logo-32x32.png \
	%D%/kernelspec/logo-64x64.png \
	%D%/kernelspec/logo-svg.svg
# The standard library, in `lateen` itself.
STD_FILES = \
	%D%/std/std.lateen
EXTRA_DIST += $(KERNELSPEC_FILES) $(STD_FILES) %D%/cuda-toolkit.sh %D%/embed.sh %D%/requirements.txt

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

# The man page and the shells' completions come out of the program's own table of commands.
man1_MANS = %D%/lateen.1
bashcompletiondir = $(datadir)/bash-completion/completions
nodist_bashcompletion_DATA = %D%/bash/lateen
zshcompletiondir = $(datadir)/zsh/site-functions
nodist_zshcompletion_DATA = %D%/zsh/_lateen
CLEANFILES += %D%/lateen.1 %D%/bash/lateen %D%/zsh/_lateen

%D%/lateen.1: lateen$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) %D% && ./lateen$(EXEEXT) help --man >$@.tmp && mv $@.tmp $@
%D%/bash/lateen: lateen$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) %D%/bash && ./lateen$(EXEEXT) help --bash >$@.tmp && mv $@.tmp $@
%D%/zsh/_lateen: lateen$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) %D%/zsh && ./lateen$(EXEEXT) help --zsh >$@.tmp && mv $@.tmp $@
