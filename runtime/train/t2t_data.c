#include "config.h"

#include "runtime/train/t2t_data.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/train/example.h"
#include "runtime/train/loader.h"
#include "runtime/train/shard.h"
#include "runtime/train/tfrecord.h"
#include "runtime/train/tokenizer.h"

enum { FIELDS = 2 };

static const char *const FEATURES[FIELDS] = { "inputs", "targets" };

/* ---- what is there ---- */

static bool
starts_with(const char *name, const char *problem, const char *rest)
{
	size_t len = strlen(problem);

	return !strncmp(name, problem, len) && !strncmp(name + len, rest, strlen(rest));
}

/* vocab.PROBLEM.8192.subwords */
static bool
is_vocabulary(const char *name, const char *problem)
{
	static const char end[] = ".subwords";
	size_t len = strlen(name);

	return !strncmp(name, "vocab.", 6) && starts_with(name + 6, problem, ".") && len > sizeof(end) && !strcmp(name + len - sizeof(end) + 1, end);
}

static int
by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static void
add_file(struct t2t_files *files, const char *folder, const char *name)
{
	struct buf path = { 0 };

	buf_printf(&path, "%s/%s", folder, name);
	vec_push(files, buf_detach(&path, NULL));
}

static int
look(struct t2t_data *d, DIR *dir, const char *folder, const char *problem, struct error *err)
{
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (starts_with(name, problem, "-train-") && !strstr(name, "unshuffled"))
			add_file(&d->train, folder, name);
		else if (starts_with(name, problem, "-dev-") && !strstr(name, "unshuffled"))
			add_file(&d->dev, folder, name);
		else if (is_vocabulary(name, problem)) {
			if (d->vocabulary.len)
				return error_set(err, "`%s` holds several vocabularies of `%s`: `%s` and `%s`", folder, problem,
					strrchr(buf_text(&d->vocabulary), '/') + 1, name);
			buf_printf(&d->vocabulary, "%s/%s", folder, name);
		}
	}
	return 0;
}

int
t2t_data_find(struct t2t_data *d, const char *folder, const char *problem, struct error *err)
{
	DIR *dir = opendir(folder);
	int result;

	*d = (struct t2t_data){ .train = { 0 } };
	if (!dir)
		return error_errno(err, errno, "cannot read the folder `%s`", folder);
	result = look(d, dir, folder, problem, err);
	closedir(dir);
	if (result)
		return -1;
	if (!d->train.n)
		return error_set(err, "`%s` holds no file `%s-train-…`: it has no data of Tensor2Tensor's problem `%s`, which t2t-datagen makes",
			folder, problem, problem);
	if (!d->vocabulary.len)
		return error_set(err, "`%s` holds no vocabulary `vocab.%s.….subwords`", folder, problem);
	qsort(d->train.items, d->train.n, sizeof(*d->train.items), by_name);
	if (d->dev.n)
		qsort(d->dev.items, d->dev.n, sizeof(*d->dev.items), by_name);
	return 0;
}

static void
release_files(struct t2t_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->items[i]);
	vec_release(files);
}

void
t2t_data_release(struct t2t_data *d)
{
	release_files(&d->train);
	release_files(&d->dev);
	buf_release(&d->vocabulary);
}

/* ---- documents ---- */

struct reading {
	struct shard_writer *writer;
	uint32_t vocabulary;
	struct token_ids fields[FIELDS];
	uint64_t documents, empty;
};

/* The end is no part of a text here: the loader writes it. */
static int
read_field(struct reading *r, size_t i, const unsigned char *bytes, size_t len, struct error *err)
{
	struct token_ids *ids = &r->fields[i];

	ids->n = 0;
	if (example_read(bytes, len, FEATURES[i], ids, err))
		return -1;
	if (ids->n && ids->items[ids->n - 1] == LOADER_EOS)
		ids->n--;
	for (size_t k = 0; k < ids->n; k++)
		if (ids->items[k] >= r->vocabulary)
			return error_set(err, "its `%s` hold token %" PRIu32 ", and the vocabulary has %" PRIu32, FEATURES[i], ids->items[k], r->vocabulary);
	return 0;
}

static int
read_record(struct reading *r, const unsigned char *bytes, size_t len, struct error *err)
{
	if (read_field(r, 0, bytes, len, err) || read_field(r, 1, bytes, len, err))
		return -1;
	if (!r->fields[0].n || !r->fields[1].n) {
		r->empty++;
		return 0;
	}
	r->documents++;
	return shard_add(r->writer, r->fields, err);
}

static int
read_file(struct reading *r, const char *path, struct error *err)
{
	struct tfrecord *records = tfrecord_open(path, err);
	const unsigned char *bytes;
	uint64_t n = 0;
	size_t len;
	int more = records ? 1 : -1;

	while (more > 0 && (more = tfrecord_next(records, &bytes, &len, err)) > 0) {
		n++;
		if (read_record(r, bytes, len, err))
			more = error_prefix(err, "`%s`, record %" PRIu64, path, n);
	}
	tfrecord_close(records);
	return more;
}

static int
read_files(struct reading *r, const struct t2t_files *files, uint64_t *ret, struct error *err)
{
	uint64_t before = r->documents;

	for (size_t i = 0; i < files->n; i++)
		if (read_file(r, files->items[i], err))
			return -1;
	*ret = r->documents - before;
	return 0;
}

int
t2t_data_tokens(const struct t2t_data *d, const char *path, struct t2t_counts *ret, struct error *err)
{
	struct tokenizer *tokenizer = tokenizer_open(buf_text(&d->vocabulary), err);
	struct shard_info info = { .fields = FIELDS };
	struct reading r = { .writer = NULL };
	int result = -1;

	if (!tokenizer)
		return -1;
	r.vocabulary = info.vocabulary = tokenizer_size(tokenizer);
	memcpy(info.tokenizer, tokenizer_digest(tokenizer), SHARD_TOKENIZER);
	tokenizer_free(tokenizer);
	*ret = (struct t2t_counts){ 0 };
	r.writer = shard_create(path, &info, err);
	if (r.writer && !read_files(&r, &d->train, &ret->train, err) && !read_files(&r, &d->dev, &ret->dev, err)) {
		result = shard_finish(r.writer, &info, err);
		r.writer = NULL;
	}
	if (r.writer)
		shard_abandon(r.writer);
	ret->empty = r.empty;
	vec_release(&r.fields[0]);
	vec_release(&r.fields[1]);
	return result;
}

void
t2t_data_write(struct buf *buf, const struct token_ids *body, const struct token_ids *title)
{
	const struct token_ids *from[FIELDS] = { body, title };
	struct token_ids fields[FIELDS] = { 0 };
	CLEANUP(buf_release) struct buf example = { 0 };

	for (size_t i = 0; i < FIELDS; i++) {
		for (size_t k = 0; k < from[i]->n; k++)
			vec_push(&fields[i], from[i]->items[k]);
		vec_push(&fields[i], (uint32_t)LOADER_EOS);
	}
	example_write(&example, FEATURES, fields, FIELDS);
	tfrecord_write(buf, example.data, example.len);
	for (size_t i = 0; i < FIELDS; i++)
		vec_release(&fields[i]);
}
