/* tf.Example, the form of Tensor2Tensor's data: named rows of numbers, of which those of whole numbers are read and written here. */
#ifndef RUNTIME_TRAIN_EXAMPLE_H
#define RUNTIME_TRAIN_EXAMPLE_H

#include "base/buf.h"
#include "base/error.h"
#include "runtime/train/token_ids.h"

/* Appends the numbers of a feature. No such feature, one that holds something else, numbers that are no token ids, and what is no tf.Example are
 * errors. */
int example_read(const unsigned char *bytes, size_t len, const char *feature, struct token_ids *ret, struct error *err);
/* Appends an example with n features. */
void example_write(struct buf *buf, const char *const *names, const struct token_ids *features, size_t n);

#endif
