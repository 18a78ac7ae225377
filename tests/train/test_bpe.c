#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/value.h"
#include "runtime/train/bpe.h"
#include "runtime/train/bpe_private.h"
#include "tests/tap.h"

/* A file with the 256 bytes, `tokens` behind them from the id 256 on, and the merges and other parts as they are given. */
struct file {
	const char *pre_tokenizer, *tokens[12], *merges, *added, *rest;
};

static const char BYTE_LEVEL[] = "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}";

/* The character of a byte, by the rule and not by the code under test. */
static void
put_character(struct buf *buf, unsigned byte)
{
	unsigned moved = 0;
	char text[8];

	for (unsigned b = 0; b < byte; b++)
		moved += !((b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174);
	if (!((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174))
		byte = 256 + moved;
	if (byte < 0x80)
		snprintf(text, sizeof(text), "%c", (char)byte);
	else
		snprintf(text, sizeof(text), "%c%c", (char)(0xC0 | byte >> 6), (char)(0x80 | (byte & 0x3F)));
	value_write_json_string(buf, text, strlen(text));
}

static struct bpe *
make(const struct file *file, struct error *err)
{
	struct buf json = { 0 };
	struct bpe *bpe;

	buf_printf(&json, "{\"pre_tokenizer\":%s,\"added_tokens\":%s,%s\"model\":{\"type\":\"BPE\",\"vocab\":{",
		file->pre_tokenizer ? file->pre_tokenizer : BYTE_LEVEL, file->added ? file->added : "[]", file->rest ? file->rest : "");
	for (unsigned byte = 0; byte < 256; byte++) {
		put_character(&json, byte);
		buf_printf(&json, ":%u,", byte);
	}
	for (unsigned i = 0; file->tokens[i]; i++)
		buf_printf(&json, "\"%s\":%u,", file->tokens[i], 256 + i);
	json.len--;
	buf_printf(&json, "},\"merges\":%s}}", file->merges ? file->merges : "[]");
	bpe = bpe_read(json.data, json.len, err);
	buf_release(&json);
	return bpe;
}

static char *
ids_of(struct bpe *bpe, const char *text, size_t len, bool added)
{
	struct token_ids ids = { 0 };
	struct buf buf = { 0 };

	ok(!bpe_encode(bpe, text, len, added, &ids, NULL), "encodes");
	for (size_t i = 0; i < ids.n; i++)
		buf_printf(&buf, "%s%u", i ? " " : "", ids.items[i]);
	vec_release(&ids);
	return buf_detach(&buf, NULL);
}

static const struct file WORDS = {
	/* Space is U+0120. */
	.tokens = { "th", "the", "\xC4\xA0the", "aa", "ab", "'s", "\xC3\x83\xC2\xA9" },
	.merges = "[\"t h\",[\"th\",\"e\"],[\"\xC4\xA0\",\"the\"],\"a a\",\"a b\",\"' s\",\"\xC3\x83 \xC2\xA9\"]",
	.added = "[{\"id\":300,\"content\":\"<EOS>\",\"special\":true},{\"id\":301,\"content\":\"<E\",\"lstrip\":true}]",
};

static void
test_encode(void)
{
	static const struct {
		const char *text, *ids;
		bool added;
	} cases[] = {
		{ "", "", false },
		{ "the the", "257 258", false },
		{ "aaa", "259 97", false }, /* of equal ranks the leftmost */
		{ "aab", "259 98", false }, /* the lower rank first */
		{ "it's", "105 116 261", false },
		{ "  the", "32 258", false }, /* the last space belongs to the word */
		{ "the \n ", "257 32 10 32", false },
		{ "\xC3\xA9", "262", false },
		{ "a1the", "97 49 257", false }, /* letters and numbers are apart */
		{ "\xC3", "195", false }, /* half a character */
		{ "a\xFF" "a", "97 255 97", false },
		{ "<EOS>", "60 69 79 83 62", false },
		{ "the<EOS>the", "257 300 257", true },
		{ "the  <EX", "257 301 88", true },
		{ "<EO", "301 79", true }, /* the longest that fits */
	};
	struct error err = { "" };
	struct bpe *bpe = make(&WORDS, &err);

	if (!ok(bpe != NULL, "the file is read")) {
		tap_note("%s", err.text);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int again = 0; again < 2; again++) {
			char *got = ids_of(bpe, cases[i].text, strlen(cases[i].text), cases[i].added);

			is_str(got, cases[i].ids, "`%s`%s", cases[i].text, again ? ", remembered" : "");
			free(got);
		}
	is_int(bpe_size(bpe), 302, "the size");
	is_int(bpe_id(bpe, "<EOS>", 5), 300, "an added token's id");
	is_int(bpe_id(bpe, " the", 4), 258, "a token's id by its bytes");
	is_int(bpe_id(bpe, "nope", 4), UINT32_MAX, "what is no token");
	bpe_free(bpe);
}

static void
test_decode(void)
{
	static const uint32_t ids[] = { 258, 300, 0, 255, 262 }, gap[] = { 270 }, far[] = { 5000000 };
	struct error err = { "" };
	struct bpe *bpe = make(&WORDS, &err);
	struct buf buf = { 0 };

	ok(!bpe_decode(bpe, ids, 5, false, &buf, &err), "decodes");
	is_mem(buf.data, buf.len, " the<EOS>\0\xFF\xC3\xA9", 13, "any bytes");
	buf_clear(&buf);
	ok(!bpe_decode(bpe, ids, 5, true, &buf, &err), "decodes");
	is_mem(buf.data, buf.len, " the\0\xFF\xC3\xA9", 8, "without special tokens");
	ok(bpe_decode(bpe, gap, 1, false, &buf, &err) < 0, "an id between the tokens");
	is_str(err.text, "the tokenizer has no token 270", "is named");
	ok(bpe_decode(bpe, far, 1, false, &buf, &err) < 0, "an id past the tokens");
	buf_release(&buf);
	bpe_free(bpe);
}

/* A long run merges as a short one does: by a heap, and by looking through all pairs. */
static void
test_long(void)
{
	struct bpe *bpe = make(&WORDS, NULL);
	struct buf text = { 0 };
	struct token_ids ids = { 0 };
	bool same = true;

	for (int i = 0; i < 100000; i++)
		buf_puts(&text, "aab");
	ok(!bpe_encode(bpe, text.data, text.len, false, &ids, NULL), "a word of 300000 letters");
	is_int((int64_t)ids.n, 200000, "its tokens");
	for (size_t i = 0; i < ids.n; i++)
		same = same && ids.items[i] == (i % 2 ? 98 : 259);
	ok(same, "are those of a short one");
	vec_release(&ids);
	buf_release(&text);
	bpe_free(bpe);
}

static void
test_write(void)
{
	struct bpe *bpe = make(&WORDS, NULL), *again;
	struct buf first = { 0 }, second = { 0 };
	struct error err = { "" };

	bpe_write(bpe, &first);
	again = bpe_read(first.data, first.len, &err);
	is_str(err.text, "", "what is written can be read");
	if (again)
		bpe_write(again, &second);
	is_str(buf_text(&second), buf_text(&first), "and is written the same");
	buf_release(&first);
	buf_release(&second);
	bpe_free(bpe);
	bpe_free(again);
}

static void
test_refused(void)
{
	static const struct {
		struct file file;
		const char *why;
	} cases[] = {
		{ { .merges = "[\"t h\"]" }, "merge 0: the vocabulary has no token `th`" },
		{ { .tokens = { "th" }, .merges = "[\"t h\",\"th h\"]" }, "merge 1: the vocabulary has no token `thh`" },
		{ { .merges = "[\"th\"]" }, "merge 0 is neither" },
		{ { .merges = "[[\"t\"]]" }, "merge 0 is neither" },
		{ { .merges = "[7]" }, "merge 0 is neither" },
		{ { .merges = "{}" }, "no merges" },
		{ { .tokens = { "" } }, "has 0 bytes" },
		{ { .tokens = { "qx\":3,\"qy" } }, "the id 3 is that of two tokens" },
		{ { .tokens = { "qx\":-1,\"qy" } }, "the id of the token `qx` is no whole number" },
		{ { .tokens = { "qx\":9999999999,\"qy" } }, "the id of the token `qx` is no whole number" },
		{ { .tokens = { "qx\":1048576,\"qy" } }, "the id of the token `qx` is no whole number" },
		{ { .added = "[{\"id\":3}]" }, "an added token has no content" },
		{ { .added = "[{\"id\":3,\"content\":\"<x>\"}]" }, "the id 3 is that of two tokens" },
		{ { .added = "[{\"id\":3,\"content\":\"a\"}]" }, "the added token `a` has the id 3, and in the vocabulary 97" },
		{ { .added = "[{\"id\":300,\"content\":\"\"}]" }, "has 0 bytes" },
		{ { .added = "[{\"id\":300,\"content\":\"<x>\"},{\"id\":301,\"content\":\"<x>\"}]" }, "stands twice" },
		{ { .added = "[{\"id\":300,\"content\":\"<x>\",\"lstrip\":1}]" }, "`lstrip` is neither true nor false" },
		{ { .rest = "\"normalizer\":{\"type\":\"NFC\"}," }, "it has a normalizer" },
		{ { .rest = "\"decoder\":{\"type\":\"WordPiece\"}," }, "the decoder is not `ByteLevel`" },
		{ { .pre_tokenizer = "null" }, "no pre-tokenizer" },
		{ { .pre_tokenizer = "{\"type\":\"Whitespace\"}" }, "the pre-tokenizer is neither" },
		{ { .pre_tokenizer = "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},"
				     "\"behavior\":\"Isolated\"},{\"type\":\"ByteLevel\",\"use_regex\":false,\"add_prefix_space\":false}]}" },
		  "does not compile at its byte 1" },
	};
	static const struct {
		const char *json, *why;
	} bare[] = {
		{ "", "JSON" },
		{ "[]", "not a JSON object" },
		{ "{\"pre_tokenizer\":{\"type\":\"ByteLevel\"}}", "the model is not of the type `BPE`" },
		{ "{\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"Unigram\"}}", "the model is not of the type `BPE`" },
		{ "{\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"model\":{\"dropout\":0.5}}", "`dropout`" },
		{ "{\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"model\":{\"end_of_word_suffix\":\"</w>\"}}", "`end_of_word_suffix`" },
		{ "{\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"model\":{\"vocab\":{\"a\":0},\"merges\":[]}}", "no token for the byte 0x00" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct error err = { "" };
		struct bpe *bpe = make(&cases[i].file, &err);

		ok(!bpe, "refused");
		contains(err.text, cases[i].why, "and says why (%zu)", i);
		bpe_free(bpe);
	}
	for (size_t i = 0; i < ARRAY_LEN(bare); i++) {
		struct error err = { "" };
		struct bpe *bpe = bpe_read(bare[i].json, strlen(bare[i].json), &err);

		ok(!bpe, "refused");
		contains(err.text, bare[i].why, "and says why: `%s`", bare[i].json);
		bpe_free(bpe);
	}
}

static int
note_end(void *context, const char *piece UNUSED, size_t len)
{
	struct token_ids *ends = context;

	vec_push(ends, (uint32_t)len);
	return 0;
}

/* GPT-2's pattern by hand against the same through PCRE2, on texts of characters that both know alike. */
static void
test_split(void)
{
	static const char pattern[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
	static const char *const parts[] = { "a", "B", " ", "  ", "\n", "\t", "'", "'s", "'ll", "'re", "1", "22", "!", "-", "\xC3\xA9", "\xE4\xB8\xAD",
					     "\xC2\xA0", "\xE3\x80\x80", "\xC2\xBD", "\xF0\x9F\x99\x82", "\xCC\x81", "_" };
	struct bpe_split by_hand = { .cut = BPE_CUT_GPT2 }, by_pcre = { 0 };
	uint32_t seed = 1, wrong = 0;

	ok(!bpe_split_pattern(&by_pcre, pattern, NULL), "the pattern compiles");
	for (int i = 0; i < 20000; i++) {
		struct token_ids a = { 0 }, b = { 0 };
		struct buf text = { 0 };

		for (int j = 0; j < 12; j++) {
			seed = seed * 1664525 + 1013904223;
			buf_puts(&text, parts[(seed >> 16) % ARRAY_LEN(parts)]);
		}
		bpe_split_text(&by_hand, text.data, text.len, note_end, &a, NULL);
		bpe_split_text(&by_pcre, text.data, text.len, note_end, &b, NULL);
		if (a.n != b.n || memcmp(a.items, b.items, a.n * sizeof(*a.items)) != 0) {
			wrong++;
			tap_note("cut differently: `%s`", text.data);
		}
		vec_release(&a);
		vec_release(&b);
		buf_release(&text);
	}
	is_int(wrong, 0, "20000 texts are cut alike");
	bpe_split_release(&by_pcre);
	/* U+1C89 is a letter since Unicode 16, U+180E no space since 6.3. */
	is_int((int64_t)bpe_gpt2_piece("a\xE1\xB2\x89 b", 6), 4, "a young letter is one");
	is_int((int64_t)bpe_gpt2_piece(" \xE1\xA0\x8E!", 5), 5, "the Mongolian vowel separator is no space");
}

int
main(void)
{
	test_split();
	test_encode();
	test_decode();
	test_long();
	test_write();
	test_refused();
	return done_testing();
}
