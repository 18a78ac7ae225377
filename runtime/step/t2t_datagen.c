/* What the codelab's t2t-datagen makes of its issues: a vocabulary of subwords and files of records, for t2t-train and for Tensor2Tensor itself. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/step/fields.h"
#include "runtime/step/t2t.h"
#include "runtime/train/folder.h"
#include "runtime/train/subword_train.h"
#include "runtime/train/t2t_data.h"

enum { FLUSH = 256 * 1024 };

struct datagen {
	const struct step_call *call;
	const char *problem;
	struct fields fields;
	int64_t size, length, percent;
	struct subword *subword;
	struct t2t_part {
		FILE *file;
		struct buf buf;
	} parts[T2T_FILES];
	struct token_ids ids[2];
	uint64_t documents, tokens;
};

/* ---- the table, twice ---- */

typedef int (*row_function)(struct datagen *g, void *context, const char *const *texts, struct error *err);

static int
each_row(struct datagen *g, row_function function, void *context, struct error *err)
{
	struct good_rows rows = { .rows = rows_open(step_text(g->call, "input"), err), .fields = &g->fields };
	const char *const *texts;
	int more = rows.rows && !fields_find(&g->fields, rows.rows, err) ? 1 : -1;

	while (more > 0 && (more = good_rows_next(&rows, &texts, err)) > 0)
		if (function(g, context, texts, err))
			more = -1;
	if (!more)
		more = good_rows_check(&rows, g->percent, err);
	rows_close(rows.rows);
	return more;
}

static int
count_words(struct datagen *g, void *context, const char *const *texts, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(g->ids); i++)
		if (subword_corpus_add(context, texts[g->fields.columns[i]], strlen(texts[g->fields.columns[i]]), err))
			return -1;
	return 0;
}

static int
flush(struct t2t_part *part, struct error *err)
{
	if (part->buf.len && fwrite(part->buf.data, 1, part->buf.len, part->file) != part->buf.len)
		return error_errno(err, errno, "cannot write the records");
	buf_clear(&part->buf);
	return 0;
}

/* One row a file, from the first to the last, and again: as Tensor2Tensor deals them out. */
static int
add_record(struct datagen *g, void *context, const char *const *texts, struct error *err)
{
	struct t2t_part *part = &g->parts[g->documents++ % T2T_FILES];

	(void)context;
	for (size_t i = 0; i < ARRAY_LEN(g->ids); i++) {
		const char *text = texts[g->fields.columns[i]];

		g->ids[i].n = 0;
		subword_encode(g->subword, text, strlen(text), &g->ids[i]);
		g->tokens += g->ids[i].n;
	}
	t2t_data_write(&part->buf, &g->ids[0], &g->ids[1]);
	return part->buf.len < FLUSH ? 0 : flush(part, err);
}

/* ---- files ---- */

static int
make_vocabulary(struct datagen *g, const char *folder, struct error *err)
{
	struct subword_train_options options = { (uint32_t)g->size, (uint32_t)g->length };
	CLEANUP(buf_release) struct buf file = { 0 }, name = { 0 };
	struct subword_trained trained;
	struct bpe_corpus corpus;
	int result;

	bpe_corpus_init(&corpus);
	result = each_row(g, count_words, &corpus, err) || subword_train(&corpus, &options, &file, &trained, err) ? -1 : 0;
	bpe_corpus_release(&corpus);
	if (result)
		return -1;
	g->subword = subword_read(buf_text(&file), file.len, err);
	buf_printf(&name, "vocab.%s.%" PRId64 ".subwords", g->problem, g->size);
	printf("%s: %u subwords\n", buf_text(&name), trained.size);
	fflush(stdout);
	return g->subword ? folder_write(folder, buf_text(&name), buf_text(&file), file.len, err) : -1;
}

static int
open_parts(struct datagen *g, const char *folder, struct error *err)
{
	for (unsigned i = 0; i < T2T_FILES; i++) {
		CLEANUP(buf_release) struct buf path = { 0 };
		bool train = i < T2T_TRAIN_FILES;

		buf_printf(&path, "%s/" T2T_FILE_NAME, folder, g->problem, train ? "train" : "dev", train ? i : i - T2T_TRAIN_FILES,
			train ? T2T_TRAIN_FILES : T2T_DEV_FILES);
		g->parts[i].file = fopen(buf_text(&path), "wbe");
		if (!g->parts[i].file)
			return error_errno(err, errno, "cannot make `%s`", buf_text(&path));
	}
	return 0;
}

static int
close_parts(struct datagen *g, struct error *err)
{
	int result = 0;

	for (size_t i = 0; i < T2T_FILES; i++) {
		struct t2t_part *part = &g->parts[i];

		if (part->file && !result)
			result = flush(part, err);
		if (part->file && fclose(part->file) && !result)
			result = error_errno(err, errno, "cannot write the records");
		part->file = NULL;
		buf_release(&part->buf);
	}
	return result;
}

static int
write_records(struct datagen *g, const char *folder, struct error *err)
{
	int result = open_parts(g, folder, err) || each_row(g, add_record, NULL, err) ? -1 : 0;

	if (result) {
		close_parts(g, NULL);
		return -1;
	}
	return close_parts(g, err);
}

static int
generate(struct datagen *g, const char *path, struct error *err)
{
	struct folder folder;

	if (folder_begin(&folder, path, err))
		return -1;
	if (make_vocabulary(g, buf_text(&folder.made), err) || write_records(g, buf_text(&folder.made), err)) {
		folder_abandon(&folder);
		return -1;
	}
	if (folder_finish(&folder, err))
		return -1;
	printf("%s: %" PRIu64 " documents, %" PRIu64 " tokens, in %d files to train with and %d to look at\n", path, g->documents, g->tokens,
		T2T_TRAIN_FILES, T2T_DEV_FILES);
	return 0;
}

/* ---- options ---- */

static int
read_options(struct datagen *g, struct buf *path, struct error *err)
{
	if (t2t_folder(g->call, "data-dir", path, err) || fields_read(&g->fields, step_text(g->call, "fields"), err) ||
	    step_number(g->call, "vocab", SUBWORD_IDS_MAX, &g->size, err) ||
	    step_number(g->call, "max-subtoken-length", SUBWORD_LENGTH_MAX, &g->length, err) ||
	    step_number(g->call, "max-bad", 100, &g->percent, err))
		return -1;
	if (g->fields.n != ARRAY_LEN(g->ids))
		return error_set(err, "--fields wants the columns of the texts and of their titles, not `%s`", step_text(g->call, "fields"));
	return *g->problem && !strchr(g->problem, '/') ? 0 : error_set(err, "--problem wants a name for files, not `%s`", g->problem);
}

int
step_t2t_datagen(const struct step_call *call, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	struct datagen *g = xcalloc(1, sizeof(*g));
	int result;

	*g = (struct datagen){ .call = call, .problem = step_text(call, "problem") };
	result = read_options(g, &path, err) || generate(g, buf_text(&path), err) || t2t_output(call, "data-dir-output", buf_text(&path), err) ? -1 : 0;
	subword_free(g->subword);
	fields_release(&g->fields);
	vec_release(&g->ids[0]);
	vec_release(&g->ids[1]);
	freep(&g);
	return result;
}
