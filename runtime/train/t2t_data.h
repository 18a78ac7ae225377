/* A folder of Tensor2Tensor's data for a problem of texts and their titles, as t2t-datagen leaves it:
 *
 *     PROBLEM-train-00000-of-00090 and so on     files of records, each a tf.Example with `inputs` and `targets`: ids, <EOS> last
 *     PROBLEM-dev-00000-of-00010 and so on       the same, to look at
 *     vocab.PROBLEM.8192.subwords                the vocabulary that they are of */
#ifndef RUNTIME_TRAIN_T2T_DATA_H
#define RUNTIME_TRAIN_T2T_DATA_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "runtime/train/token_ids.h"

enum { T2T_TRAIN_FILES = 90, T2T_DEV_FILES = 10, T2T_FILES = T2T_TRAIN_FILES + T2T_DEV_FILES };
#define T2T_FILE_NAME "%s-%s-%05u-of-%05u" /* the problem, train or dev, which, of how many */

struct t2t_files {
	char **items; /* paths, sorted */
	size_t n, cap;
};

struct t2t_data {
	struct t2t_files train, dev;
	struct buf vocabulary; /* its path */
};

struct t2t_counts {
	uint64_t train, dev; /* documents */
	uint64_t empty; /* without a title or a body: left out */
};

/* What is there. No files to train with, and no vocabulary or several, are errors. On failure too, to be released. */
int t2t_data_find(struct t2t_data *data, const char *folder, const char *problem, struct error *err);
void t2t_data_release(struct t2t_data *data);
/* Writes them as a token shard at `path`, first those to train with, then those to look at. A record that is damaged, or of another vocabulary, is
 * an error. */
int t2t_data_tokens(const struct t2t_data *data, const char *path, struct t2t_counts *ret, struct error *err);

/* Appends a record with a document: ids without <EOS>. */
void t2t_data_write(struct buf *buf, const struct token_ids *body, const struct token_ids *title);

#endif
