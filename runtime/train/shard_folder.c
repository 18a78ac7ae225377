#include "config.h"

#include "runtime/train/shard_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"
#include "runtime/train/folder.h"

struct shard_folder {
	struct shard_info info;
	uint64_t limit, documents, tokens, here; /* here: ids of the file at hand */
	struct folder folder; /* where there is a limit */
	struct shard_writer *writer; /* of the file at hand; NULL: none yet */
	size_t n; /* files that were begun */
};

/* A file's name until it is known how many there are. */
static void
write_part(const struct shard_folder *f, size_t i, struct buf *ret)
{
	buf_clear(ret);
	buf_printf(ret, "%s/%zu", buf_text(&f->folder.made), i);
}

static int
begin_file(struct shard_folder *f, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };

	if (f->n == SHARD_FILES_MAX)
		return error_set(err, "there would be more than %d shards; make them larger", SHARD_FILES_MAX);
	write_part(f, f->n, &path);
	f->writer = shard_create(buf_text(&path), &f->info, err);
	f->here = 0;
	f->n += f->writer != NULL;
	return f->writer ? 0 : -1;
}

static int
end_file(struct shard_folder *f, struct error *err)
{
	struct shard_writer *writer = f->writer;
	struct shard_info info;

	f->writer = NULL;
	if (shard_finish(writer, &info, err))
		return -1;
	f->documents += info.documents;
	f->tokens += info.tokens;
	return 0;
}

struct shard_folder *
shard_folder_create(const char *path, const struct shard_info *info, uint64_t tokens, struct error *err)
{
	struct shard_folder *f = xcalloc(1, sizeof(*f));

	*f = (struct shard_folder){ .info = *info, .limit = tokens };
	if (tokens ? !folder_begin(&f->folder, path, err) : (f->writer = shard_create(path, info, err)) != NULL)
		return f;
	free(f);
	return NULL;
}

int
shard_folder_add(struct shard_folder *f, const struct token_ids *fields, struct error *err)
{
	if ((!f->writer && begin_file(f, err)) || shard_add(f->writer, fields, err))
		return -1;
	for (uint32_t i = 0; i < f->info.fields; i++)
		f->here += fields[i].n;
	return f->limit && f->here >= f->limit ? end_file(f, err) : 0;
}

void
shard_folder_abandon(struct shard_folder *f)
{
	if (f->writer)
		shard_abandon(f->writer);
	if (f->limit)
		folder_abandon(&f->folder);
	free(f);
}

static int
name_files(const struct shard_folder *f, struct error *err)
{
	CLEANUP(buf_release) struct buf part = { 0 }, path = { 0 };

	for (size_t i = 0; i < f->n; i++) {
		write_part(f, i, &part);
		buf_clear(&path);
		buf_printf(&path, "%s/" SHARD_NAME, buf_text(&f->folder.made), i, f->n);
		if (rename(buf_text(&part), buf_text(&path)))
			return error_errno(err, errno, "cannot rename `%s`", buf_text(&part));
	}
	return 0;
}

int
shard_folder_finish(struct shard_folder *f, struct shard_info *ret, size_t *ret_files, struct error *err)
{
	int result;

	/* No document at all is one empty file. */
	if ((!f->writer && !f->n && begin_file(f, err)) || (f->writer && end_file(f, err)) || (f->limit && name_files(f, err))) {
		shard_folder_abandon(f);
		return -1;
	}
	*ret = f->info;
	ret->documents = f->documents;
	ret->tokens = f->tokens;
	*ret_files = f->limit ? f->n : 1;
	result = f->limit ? folder_finish(&f->folder, err) : 0;
	free(f);
	return result;
}
