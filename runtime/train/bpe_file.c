/* tokenizer.json: reading. What changes the ids and is not known here is refused by its name. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/macros.h"
#include "base/map.h"
#include "base/value.h"
#include "runtime/train/bpe_private.h"

static const char GPT2_PATTERN[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static bool
is_null(const struct value *value)
{
	return !value || value->kind == VALUE_NULL;
}

static bool
is_text(const struct value *value, const char *text)
{
	const char *own = value ? value_text(value) : NULL;

	return own && !strcmp(own, text);
}

static int
read_flag(const struct value *dict, const char *key, bool fallback, bool *ret, struct error *err)
{
	const struct value *value = value_get(dict, key);

	*ret = fallback;
	if (is_null(value))
		return 0;
	if (value->kind != VALUE_BOOLEAN)
		return error_set(err, "`%s` is neither true nor false", key);
	*ret = value->boolean;
	return 0;
}

/* ---- the pre-tokenizer ---- */

static int
read_byte_level(struct bpe *bpe, const struct value *value, struct error *err)
{
	bool regex;

	if (read_flag(value, "use_regex", true, &regex, err) ||
	    read_flag(value, "add_prefix_space", true, &bpe->split.add_prefix_space, err))
		return -1;
	if (regex && bpe->split.cut != BPE_CUT_NOT)
		return error_set(err, "the pre-tokenizer splits twice, which is not supported");
	if (bpe->split.add_prefix_space && bpe->split.cut != BPE_CUT_NOT)
		return error_set(err, "the pre-tokenizer puts a space before each piece of a Split, which is not supported");
	if (regex)
		bpe->split.cut = BPE_CUT_GPT2;
	return 0;
}

static int
read_split(struct bpe *bpe, const struct value *value, struct error *err)
{
	const char *pattern = value_text(value_get(value, "pattern") ? value_get(value_get(value, "pattern"), "Regex") : NULL);
	bool invert;

	if (!pattern || !is_text(value_get(value, "behavior"), "Isolated") || read_flag(value, "invert", false, &invert, err) || invert)
		return error_set(err, "of pre-tokenizers `Split` only those by a Regex, Isolated and not inverted, are supported");
	if (bpe->split.cut != BPE_CUT_NOT)
		return error_set(err, "the pre-tokenizer splits twice, which is not supported");
	if (strcmp(pattern, GPT2_PATTERN) != 0)
		return bpe_split_pattern(&bpe->split, pattern, err);
	bpe->split.cut = BPE_CUT_GPT2;
	return 0;
}

static int
read_pre_tokenizer(struct bpe *bpe, const struct value *value, struct error *err)
{
	const struct value *parts = value_get(value, "pretokenizers");

	if (is_text(value_get(value, "type"), "ByteLevel"))
		return read_byte_level(bpe, value, err);
	if (!is_text(value_get(value, "type"), "Sequence") || !parts || parts->kind != VALUE_LIST || parts->list.n != 2 ||
	    !is_text(value_get(parts->list.items[0], "type"), "Split") ||
	    !is_text(value_get(parts->list.items[1], "type"), "ByteLevel"))
		return error_set(err, "the pre-tokenizer is neither `ByteLevel` nor a `Split` with a `ByteLevel` behind it");
	return read_split(bpe, parts->list.items[0], err) || read_byte_level(bpe, parts->list.items[1], err) ? -1 : 0;
}

/* ---- the model ---- */

static int
read_id(const struct value *value, const char *token, uint32_t *ret, struct error *err)
{
	if (!value || value->kind != VALUE_INTEGER || value->integer < 0 || value->integer >= BPE_IDS_MAX)
		return error_set(err, "the id of the token `%.60s` is no whole number from 0 to %d", token, BPE_IDS_MAX - 1);
	*ret = (uint32_t)value->integer;
	return 0;
}

static int
check_token(const struct bpe *bpe, const char *text, uint32_t id, struct error *err)
{
	size_t len = strlen(text);

	if (!len || len > BPE_TOKEN_MAX)
		return error_set(err, "the token with the id %u has %zu bytes, and must have 1 to %d", id, len, BPE_TOKEN_MAX);
	if (id < bpe->tokens.n && bpe->tokens.items[id].used)
		return error_set(err, "the id %u is that of two tokens, `%.60s` among them", id, text);
	return 0;
}

/* ret_ids: the text as it stands in the file, to id + 1. */
static int
read_vocabulary(struct bpe *bpe, const struct value *vocab, struct map *ret_ids, struct error *err)
{
	CLEANUP(buf_release) struct buf bytes = { 0 };

	if (!vocab || vocab->kind != VALUE_DICT)
		return error_set(err, "the model has no vocabulary");
	for (size_t i = 0; i < vocab->dict.n; i++) {
		const char *text = vocab->dict.keys[i];
		uint32_t id = 0;
		bool mapped;

		if (read_id(vocab->dict.items[i], text, &id, err) || check_token(bpe, text, id, err))
			return -1;
		buf_clear(&bytes);
		mapped = bpe_read_bytes(&bytes, text, strlen(text));
		bpe_set_token(bpe, id, mapped ? bytes.data : text, mapped ? bytes.len : strlen(text), !mapped);
		map_set(ret_ids, text, (void *)(uintptr_t)(id + 1));
	}
	return 0;
}

/* Both forms: "a b" and ["a", "b"]. The halves go to the buffer, a NUL behind the first. */
static int
split_merge(const struct value *value, struct buf *ret, size_t *ret_right)
{
	const char *text = value_text(value), *space = text ? strchr(text, ' ') : NULL;
	const struct value *const *pair = value->kind == VALUE_LIST && value->list.n == 2 ? value->list.items : NULL;

	buf_clear(ret);
	if (space && space != text && space[1] && !strchr(space + 1, ' ')) {
		buf_add(ret, text, (size_t)(space - text));
		text = space + 1;
	} else if (pair && value_text(pair[0]) && value_text(pair[1])) {
		buf_puts(ret, value_text(pair[0]));
		text = value_text(pair[1]);
	} else {
		return -1;
	}
	buf_putc(ret, '\0');
	*ret_right = ret->len;
	buf_puts(ret, text);
	return 0;
}

static int
resolve(const struct map *ids, const char *text, size_t rank, uint32_t *ret, struct error *err)
{
	uintptr_t id = (uintptr_t)map_get(ids, text);

	if (!id)
		return error_set(err, "merge %zu: the vocabulary has no token `%.60s`", rank, text);
	*ret = (uint32_t)(id - 1);
	return 0;
}

static int
read_merges(struct bpe *bpe, const struct value *merges, const struct map *ids, struct error *err)
{
	CLEANUP(buf_release) struct buf halves = { 0 };
	CLEANUP(buf_release) struct buf whole = { 0 };
	size_t right = 0;

	if (!merges || merges->kind != VALUE_LIST)
		return error_set(err, "the model has no merges");
	if (merges->list.n > BPE_IDS_MAX)
		return error_set(err, "the model has %zu merges; at most %d are supported", merges->list.n, BPE_IDS_MAX);
	for (size_t rank = 0; rank < merges->list.n; rank++) {
		struct bpe_merge merge;

		if (split_merge(merges->list.items[rank], &halves, &right))
			return error_set(err, "merge %zu is neither \"LEFT RIGHT\" nor [\"LEFT\", \"RIGHT\"]", rank);
		buf_clear(&whole);
		buf_printf(&whole, "%s%s", halves.data, halves.data + right);
		if (resolve(ids, halves.data, rank, &merge.left, err) || resolve(ids, halves.data + right, rank, &merge.right, err) ||
		    resolve(ids, whole.data, rank, &merge.id, err))
			return -1;
		vec_push(&bpe->merges, merge);
	}
	return 0;
}

static int
read_model(struct bpe *bpe, const struct value *model, struct map *ids, struct error *err)
{
	static const char *const affixes[] = { "continuing_subword_prefix", "end_of_word_suffix" };
	const struct value *dropout = value_get(model, "dropout");
	bool byte_fallback;

	if (!model || model->kind != VALUE_DICT || (!is_null(value_get(model, "type")) && !is_text(value_get(model, "type"), "BPE")))
		return error_set(err, "the model is not of the type `BPE`");
	for (size_t i = 0; i < ARRAY_LEN(affixes); i++)
		if (!is_null(value_get(model, affixes[i])) && !is_text(value_get(model, affixes[i]), ""))
			return error_set(err, "the model has a `%s`, which is not supported", affixes[i]);
	if (!is_null(dropout) && !(dropout->kind == VALUE_FLOAT && dropout->number == 0) &&
	    !(dropout->kind == VALUE_INTEGER && dropout->integer == 0))
		return error_set(err, "the model has a `dropout`, which is not supported");
	if (read_flag(model, "byte_fallback", false, &byte_fallback, err) ||
	    read_flag(model, "ignore_merges", false, &bpe->ignore_merges, err))
		return -1;
	if (byte_fallback)
		return error_set(err, "the model has `byte_fallback`, which is not supported");
	return read_vocabulary(bpe, value_get(model, "vocab"), ids, err) || read_merges(bpe, value_get(model, "merges"), ids, err) ? -1 : 0;
}

/* ---- added tokens ---- */

static int
read_added_token(struct bpe *bpe, const struct value *value, const struct map *ids, struct error *err)
{
	const char *text = value_text(value_get(value, "content"));
	struct bpe_added added = { 0 };
	uintptr_t known;

	if (!text)
		return error_set(err, "an added token has no content");
	if (read_id(value_get(value, "id"), text, &added.id, err) || read_flag(value, "single_word", false, &added.single_word, err) ||
	    read_flag(value, "lstrip", false, &added.lstrip, err) || read_flag(value, "rstrip", false, &added.rstrip, err) ||
	    read_flag(value, "special", false, &added.special, err) ||
	    read_flag(value, "normalized", !added.special, &added.normalized, err))
		return -1;
	for (size_t i = 0; i < bpe->added.n; i++)
		if (!strcmp(bpe->added.items[i].text, text))
			return error_set(err, "the added token `%.60s` stands twice", text);
	known = (uintptr_t)map_get(ids, text);
	if (known && known - 1 != added.id)
		return error_set(err, "the added token `%.60s` has the id %u, and in the vocabulary %u", text, added.id, (unsigned)(known - 1));
	if (!known && check_token(bpe, text, added.id, err))
		return -1;
	if (!known) {
		bpe_set_token(bpe, added.id, text, strlen(text), true);
		bpe->tokens.items[added.id].outside = true;
	}
	added.text = xstrdup(text);
	added.len = strlen(text);
	bpe_add_added(bpe, &added);
	return 0;
}

static int
read_added(struct bpe *bpe, const struct value *list, const struct map *ids, struct error *err)
{
	enum { ADDED_MAX = 16384 };

	if (is_null(list))
		return 0;
	if (list->kind != VALUE_LIST || list->list.n > ADDED_MAX)
		return error_set(err, "`added_tokens` is no list of at most %d", ADDED_MAX);
	for (size_t i = 0; i < list->list.n; i++)
		if (read_added_token(bpe, list->list.items[i], ids, err))
			return -1;
	return 0;
}

/* ---- the file ---- */

static int
read_file(struct bpe *bpe, const struct value *root, struct error *err)
{
	const struct value *post = value_get(root, "post_processor"), *decoder = value_get(root, "decoder");
	struct buf json = { 0 };
	struct map ids = { 0 };
	int result;

	if (root->kind != VALUE_DICT)
		return error_set(err, "not a JSON object");
	if (!is_null(value_get(root, "normalizer")))
		return error_set(err, "it has a normalizer, which is not supported");
	if (!is_null(decoder) && !is_text(value_get(decoder, "type"), "ByteLevel"))
		return error_set(err, "the decoder is not `ByteLevel`");
	if (is_null(value_get(root, "pre_tokenizer")))
		return error_set(err, "it has no pre-tokenizer `ByteLevel`: this is not byte-level BPE");
	if (!is_null(post)) {
		value_write_json(&json, post);
		bpe->post_processor = buf_detach(&json, NULL);
	}
	result = read_pre_tokenizer(bpe, value_get(root, "pre_tokenizer"), err) || read_model(bpe, value_get(root, "model"), &ids, err) ||
		 read_added(bpe, value_get(root, "added_tokens"), &ids, err) || bpe_index(bpe, err);
	map_release(&ids);
	return result ? -1 : 0;
}

struct bpe *
bpe_read(const char *json, size_t len, struct error *err)
{
	struct arena *arena = arena_new();
	struct bpe *bpe = xcalloc(1, sizeof(*bpe));
	const struct value *root = value_read_json(arena, json, len, err);

	if (!root || read_file(bpe, root, err)) {
		bpe_free(bpe);
		bpe = NULL;
	}
	arena_free(arena);
	return bpe;
}
