/* Tables as token shards, and back. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "base/value.h"
#include "runtime/step/fields.h"
#include "runtime/step/step.h"
#include "runtime/train/shard_folder.h"
#include "runtime/train/tokenizer.h"

/* ---- tokenize ---- */

static int
encode_rows(struct good_rows *rows, struct tokenizer *tokenizer, struct shard_folder *folder, struct error *err)
{
	struct token_ids ids[SHARD_FIELDS_MAX] = { 0 };
	const char *const *texts;
	int more;

	while ((more = good_rows_next(rows, &texts, err)) > 0) {
		for (uint32_t i = 0; more > 0 && i < rows->fields->n; i++) {
			const char *text = texts[rows->fields->columns[i]];

			ids[i].n = 0;
			if (tokenizer_encode(tokenizer, text, strlen(text), &ids[i], err))
				more = -1;
		}
		if (more < 0 || shard_folder_add(folder, ids, err)) {
			more = -1;
			break;
		}
	}
	for (size_t i = 0; i < SHARD_FIELDS_MAX; i++)
		vec_release(&ids[i]);
	return more;
}

static int
write_number(const struct step_call *call, const char *option, uint64_t number, struct error *err)
{
	CLEANUP(buf_release) struct buf text = { 0 };

	if (!*step_text(call, option))
		return 0;
	buf_printf(&text, "%llu\n", (unsigned long long)number);
	return step_write(step_text(call, option), &text, err);
}

static int
report(const struct step_call *call, const struct good_rows *rows, const struct shard_info *info, size_t files, struct error *err)
{
	printf("%llu documents, %llu tokens, %llu bad rows", (unsigned long long)info->documents, (unsigned long long)info->tokens,
		(unsigned long long)rows->bad);
	if (files > 1)
		printf("; %zu shards", files);
	putchar('\n');
	return write_number(call, "documents", info->documents, err) || write_number(call, "tokens", info->tokens, err) ||
	       write_number(call, "bad-rows", rows->bad, err) ? -1 : 0;
}

static int
tokenize_rows(const struct step_call *call, struct good_rows *rows, struct tokenizer *tokenizer, struct error *err)
{
	struct shard_info info = { .fields = rows->fields->n, .vocabulary = tokenizer_size(tokenizer) };
	struct shard_folder *folder;
	int64_t percent, limit;
	size_t files;

	if (step_number(call, "max-bad", 100, &percent, err) || step_number(call, "shard-tokens", INT64_MAX, &limit, err))
		return -1;
	memcpy(info.tokenizer, tokenizer_digest(tokenizer), SHARD_TOKENIZER);
	folder = shard_folder_create(step_text(call, "output"), &info, (uint64_t)limit, err);
	if (!folder)
		return -1;
	if (encode_rows(rows, tokenizer, folder, err) || good_rows_check(rows, percent, err)) {
		shard_folder_abandon(folder);
		return -1;
	}
	return shard_folder_finish(folder, &info, &files, err) ? -1 : report(call, rows, &info, files, err);
}

int
step_tokenize(const struct step_call *call, struct error *err)
{
	struct fields fields = { 0 };
	struct good_rows rows = { .fields = &fields };
	struct tokenizer *tokenizer = tokenizer_open(step_text(call, "tokenizer"), err);
	int result = -1;

	if (tokenizer && !fields_read(&fields, step_text(call, "fields"), err) &&
	    (rows.rows = rows_open(step_text(call, "input"), err)) && !fields_find(&fields, rows.rows, err))
		result = tokenize_rows(call, &rows, tokenizer, err);
	rows_close(rows.rows);
	fields_release(&fields);
	tokenizer_free(tokenizer);
	return result;
}

/* ---- detokenize ---- */

static int
write_document(const struct shard *shard, uint64_t document, const struct tokenizer *tokenizer, const struct fields *fields,
	struct buf *ret, struct error *err)
{
	struct token_ids ids = { 0 };
	struct buf text = { 0 };
	int result = 0;

	for (uint32_t i = 0; !result && i < fields->n; i++) {
		ids.n = 0;
		buf_clear(&text);
		result = shard_read(shard, document, i, &ids, err) || tokenizer_decode(tokenizer, ids.items, ids.n, &text, err);
		buf_putc(ret, i ? ',' : '{');
		value_write_json_string(ret, fields->names[i], strlen(fields->names[i]));
		buf_putc(ret, ':');
		value_write_json_string(ret, buf_text(&text), text.len);
	}
	buf_puts(ret, "}\n");
	vec_release(&ids);
	buf_release(&text);
	return result ? -1 : 0;
}

static int
check_shard(const struct shard *shard, const struct tokenizer *tokenizer, const struct fields *fields, struct error *err)
{
	const struct shard_info *info = shard_info(shard);

	if (memcmp(info->tokenizer, tokenizer_digest(tokenizer), SHARD_TOKENIZER) != 0)
		return error_set(err, "the tokens were made by another tokenizer than this one");
	if (info->fields != fields->n)
		return error_set(err, "the documents have %u fields, and --fields names %u", info->fields, fields->n);
	return 0;
}

static int
write_documents(const struct step_call *call, const struct shard *shard, const struct tokenizer *tokenizer, const struct fields *fields,
	struct error *err)
{
	struct step_output output;
	int64_t limit;

	if (step_number(call, "rows", INT64_MAX, &limit, err) || step_output_open(&output, step_text(call, "output"), err))
		return -1;
	for (uint64_t i = 0; i < shard_info(shard)->documents && (!limit || i < (uint64_t)limit); i++) {
		if (write_document(shard, i, tokenizer, fields, &output.buf, err)) {
			step_output_abandon(&output);
			return -1;
		}
		if (step_output_flush(&output, false, err))
			return -1;
	}
	return step_output_flush(&output, true, err);
}

int
step_detokenize(const struct step_call *call, struct error *err)
{
	struct fields fields = { 0 };
	struct tokenizer *tokenizer = tokenizer_open(step_text(call, "tokenizer"), err);
	struct shard *shard = tokenizer ? shard_open(step_text(call, "input"), err) : NULL;
	int result = -1;

	if (shard && !fields_read(&fields, step_text(call, "fields"), err) && !check_shard(shard, tokenizer, &fields, err))
		result = write_documents(call, shard, tokenizer, &fields, err);
	shard_close(shard);
	fields_release(&fields);
	tokenizer_free(tokenizer);
	return result;
}
