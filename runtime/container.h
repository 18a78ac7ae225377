/* Components with an image, in podman or docker where one is installed. The command line is built here and means what
 * Kubernetes means by command and args: a command takes the place of the image's entrypoint, args that of its own. */
#ifndef RUNTIME_CONTAINER_H
#define RUNTIME_CONTAINER_H

#include "base/arena.h"

enum { CONTAINER_CANNOT_START = 125 }; /* what both tools exit with when the container itself could not be started */

/* The tool: $LATEEN_CONTAINER (a name or path; empty: none), else podman, else docker. NULL: there is none. */
const char *container_tool(struct arena *arena, const char *search);

#endif
