/* SIGINT and SIGTERM as wake-ups of a file descriptor. */
#ifndef KERNEL_SIGNALS_H
#define KERNEL_SIGNALS_H

#include <stdbool.h>

/* From now on the signals write to the eventfd (-1: they are as they were before). */
void signals_catch(int wake_fd);
/* Whether the signal came since the last call. */
bool signals_interrupted(void);
bool signals_terminated(void);

#endif
