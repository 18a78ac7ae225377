/* A `struct output` that writes plain text: streams to stdout and stderr, text/plain of what is shown to stdout. For
 * `lateen exec` and `lateen run`. Displays that are updated in place are redrawn on a terminal; elsewhere, and with
 * `plain`, only their last state is printed, when text_output_finish is called or something else is written. What is shown
 * through a kept output is printed once, in its last state, when that is released. */
#ifndef KERNEL_TEXT_OUTPUT_H
#define KERNEL_TEXT_OUTPUT_H

#include <pthread.h>

#include "base/buf.h"
#include "kernel/language.h"

struct text_output {
	struct output output;
	bool redraw; /* a terminal that may be redrawn */
	bool allow_input;
	size_t drawn; /* lines of the live display on the screen */
	char *live_id; /* its display_id, or NULL */
	struct buf live; /* its last text */
	pthread_mutex_t lock; /* over all of it and what is printed: kept outputs belong to other threads; recursive */
};

void text_output_init(struct text_output *text, bool plain);
/* Prints what is pending, leaves a live display as it is. */
void text_output_finish(struct text_output *text);
void text_output_release(struct text_output *text);

#endif
