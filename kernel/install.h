/* Puts Lateen's kernelspec where Jupyter looks for it: kernel.json with the absolute path of the program, and logos.
 *
 * The files stand in the program, so that a lone binary can install itself. Each file appears whole or not at all, and
 * kernel.json last: an installation that fails midway leaves no half-made kernel behind, and an older one working. */
#ifndef KERNEL_INSTALL_H
#define KERNEL_INSTALL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

/* At most one of user, sys_prefix and prefix; none is the same as user. */
struct install_options {
	bool user; /* Jupyter's data folder of this person */
	bool sys_prefix; /* the active virtual or conda environment */
	const char *prefix; /* PREFIX/share/jupyter/kernels; NULL: none */
	const char *name; /* of the kernelspec: letters, digits, `.`, `_`, `-`; NULL: "lateen" */
	const char *program; /* what kernel.json starts; NULL: the running program */
};

/* The folder that the kernelspec goes to, appended to ret_folder. */
int install_folder(const struct install_options *options, struct buf *ret_folder, struct error *err);
int install_kernelspec(const struct install_options *options, struct error *err);

#endif
