/* Event files for TensorBoard: scalars over steps. One file a start of a training, in a folder of its own; TensorBoard puts them
 * together. */
#ifndef RUNTIME_TRAIN_EVENTS_H
#define RUNTIME_TRAIN_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct events;

/* Makes the folder when needed. wall: seconds since 1970, which the file's name begins with. NULL with *err set. */
struct events *events_open(const char *folder, double wall, struct error *err);
/* What is written is on its way to disk at once: TensorBoard may be looking on. */
int events_scalar(struct events *events, int64_t step, double wall, const char *tag, double value, struct error *err);
int events_close(struct events *events, struct error *err); /* NULL is fine */

/* CRC-32C (Castagnoli), as iSCSI has it. */
uint32_t events_crc(const void *bytes, size_t len);

#endif
