/* The kernelspecs of Lateen that Jupyter would find, in the order in which it looks: JUPYTER_PATH, the user's folder and
 * that of the active environment (the environment first while one is active), /usr/local/share, /usr/share. */
#ifndef KERNEL_KERNELSPECS_H
#define KERNEL_KERNELSPECS_H

#include <stddef.h>

enum { KERNELSPEC_BYTES_MAX = 1024 * 1024 }; /* of a kernel.json; a larger one is not read */

/* One whose language is `lateen`, or whose kernel.json cannot be read and that is named so. */
struct kernelspec {
	char *name; /* of its folder */
	char *folder;
	char *program; /* what it starts; NULL when broken */
	char *broken; /* what is wrong with its kernel.json, or NULL */
};

struct kernelspecs {
	struct kernelspec *items;
	size_t n, cap;
};

void kernelspecs_find(struct kernelspecs *ret_specs);
void kernelspecs_release(struct kernelspecs *specs);

#endif
