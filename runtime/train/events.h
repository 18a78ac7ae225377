/* Event files for TensorBoard: scalars, texts and histograms over steps, and what the training was made with, for its tab HPARAMS. One file a
 * start of a training, in a folder of its own; TensorBoard puts them together. */
#ifndef RUNTIME_TRAIN_EVENTS_H
#define RUNTIME_TRAIN_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { EVENTS_BUCKETS = 30 /* of a histogram */ };

struct events;

/* What a training was made with: a text, or a number where that is NULL. */
struct events_setting {
	const char *name, *text;
	double number;
};

/* Makes the folder when needed. wall: seconds since 1970, which the file's name begins with. NULL with *err set. */
struct events *events_open(const char *folder, double wall, struct error *err);
/* What is written is on its way to disk at once: TensorBoard may be looking on. */
int events_scalar(struct events *events, int64_t step, double wall, const char *tag, double value, struct error *err);
/* Shown as Markdown. */
int events_text(struct events *events, int64_t step, double wall, const char *tag, const char *text, struct error *err);
/* How n numbers are spread, in EVENTS_BUCKETS of one width from the least to the largest; those that are not finite are left out. */
int events_histogram(struct events *events, int64_t step, double wall, const char *tag, const float *numbers, size_t n, struct error *err);
/* A row of HPARAMS. group: trainings of the same settings have the same. */
int events_settings(struct events *events, double wall, const char *group, const struct events_setting *settings, size_t n, struct error *err);
/* And how it ended. */
int events_ended(struct events *events, double wall, bool well, struct error *err);
int events_close(struct events *events, struct error *err); /* NULL is fine */

/* CRC-32C (Castagnoli), as iSCSI has it. */
uint32_t events_crc(const void *bytes, size_t len);

#endif
