/* Small trainings, for tests: a shard of documents, options, and what lies in a folder. */
#ifndef TESTS_TRAIN_TRAININGS_H
#define TESTS_TRAIN_TRAININGS_H

#include <stdbool.h>

#include "runtime/train/trainer.h"

enum { DOCUMENTS = 60, VOCABULARY = 50, TOKENS = 96, CONTEXT = 32 };

/* Bodies of 3 to 40 tokens, titles of 1 to 20; or texts of one field, or of three. */
struct shard *make_shard(const char *folder, uint32_t fields);
/* A model of two small layers. folder: of the checkpoints, or NULL. */
struct trainer_options options_in(const char *folder, const struct buf *tokenizer);
bool exists(const char *folder, const char *name);
/* Makes a file that much long. */
int cut_file(const char *folder, const char *name, long to);

#endif
