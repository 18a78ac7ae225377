/* TensorBoard, the person's own program, on the events that a run has written. It ends with whoever has started it. */
#ifndef KERNEL_TENSORBOARD_H
#define KERNEL_TENSORBOARD_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"

struct tensorboard;

/* Has somebody written events below the folder? At most TENSORBOARD_LOOK_MAX entries are looked at. */
enum { TENSORBOARD_LOOK_MAX = 20000, TENSORBOARD_DEPTH_MAX = 16, TENSORBOARD_WAIT = 30000 };
bool tensorboard_has_events(const char *folder);
/* Starts it on the folder and waits until it says where it listens (at most TENSORBOARD_WAIT milliseconds). *ret_url is in the arena.
 * NULL with *err set; it is no error of the program's when `stop` was true. */
struct tensorboard *tensorboard_start(const char *folder, const char *log, bool (*stop)(void *context), void *context, struct arena *arena,
				      const char **ret_url, struct error *err);
void tensorboard_free(struct tensorboard *tensorboard); /* ends it; NULL is fine */
bool tensorboard_installed(void);

#endif
