/* tokenizer.json: writing, in the order and layout of `tokenizers`. */
#include "config.h"

#include <string.h>

#include "base/macros.h"
#include "base/value.h"
#include "runtime/train/bpe_private.h"

static const char *
flag(bool on)
{
	return on ? "true" : "false";
}

static void
write_token(const struct bpe *bpe, uint32_t id, struct buf *buf)
{
	const struct bpe_token *token = &bpe->tokens.items[id];
	const char *bytes = bpe->bytes.data + token->start;
	struct buf text = { 0 };

	if (token->literal)
		buf_add(&text, bytes, token->len);
	else
		bpe_write_bytes(&text, bytes, token->len);
	value_write_json_string(buf, buf_text(&text), text.len);
	buf_release(&text);
}

static void
write_added(const struct bpe *bpe, struct buf *buf)
{
	const char *comma = "\n";

	buf_puts(buf, "  \"added_tokens\": [");
	for (uint32_t id = 0; id < bpe->tokens.n; id++)
		for (size_t i = 0; i < bpe->added.n; i++) {
			const struct bpe_added *added = &bpe->added.items[i];

			if (added->id != id)
				continue;
			buf_printf(buf, "%s    {\n      \"id\": %u,\n      \"content\": ", comma, id);
			value_write_json_string(buf, added->text, added->len);
			buf_printf(buf,
				",\n      \"single_word\": %s,\n      \"lstrip\": %s,\n      \"rstrip\": %s,\n"
				"      \"normalized\": %s,\n      \"special\": %s\n    }",
				flag(added->single_word), flag(added->lstrip), flag(added->rstrip), flag(added->normalized),
				flag(added->special));
			comma = ",\n";
		}
	buf_puts(buf, bpe->added.n ? "\n  ],\n" : "],\n");
}

static void
write_pre_tokenizer(const struct bpe *bpe, struct buf *buf)
{
	bool pattern = bpe->split.cut == BPE_CUT_PATTERN;

	buf_puts(buf, "  \"pre_tokenizer\": ");
	if (pattern) {
		buf_puts(buf, "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"pattern\": {\"Regex\": ");
		value_write_json_string(buf, bpe->split.pattern, strlen(bpe->split.pattern));
		buf_puts(buf, "}, \"behavior\": \"Isolated\", \"invert\": false}, ");
	}
	buf_printf(buf, "{\"type\": \"ByteLevel\", \"add_prefix_space\": %s, \"trim_offsets\": true, \"use_regex\": %s}%s,\n",
		flag(bpe->split.add_prefix_space), flag(bpe->split.cut == BPE_CUT_GPT2), pattern ? "]}" : "");
}

static void
write_model(const struct bpe *bpe, struct buf *buf)
{
	const char *comma = "\n";

	buf_printf(buf,
		"  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": null,\n"
		"    \"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n    \"fuse_unk\": false,\n"
		"    \"byte_fallback\": false,\n    \"ignore_merges\": %s,\n    \"vocab\": {",
		flag(bpe->ignore_merges));
	for (uint32_t id = 0; id < bpe->tokens.n; id++) {
		if (!bpe->tokens.items[id].used || bpe->tokens.items[id].outside)
			continue;
		buf_printf(buf, "%s      ", comma);
		write_token(bpe, id, buf);
		buf_printf(buf, ": %u", id);
		comma = ",\n";
	}
	buf_puts(buf, "\n    },\n    \"merges\": [");
	for (size_t rank = 0; rank < bpe->merges.n; rank++) {
		buf_puts(buf, rank ? ",\n      [" : "\n      [");
		write_token(bpe, bpe->merges.items[rank].left, buf);
		buf_puts(buf, ", ");
		write_token(bpe, bpe->merges.items[rank].right, buf);
		buf_putc(buf, ']');
	}
	buf_puts(buf, bpe->merges.n ? "\n    ]\n  }\n}" : "]\n  }\n}");
}

void
bpe_write(const struct bpe *bpe, struct buf *buf)
{
	buf_puts(buf, "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n");
	write_added(bpe, buf);
	buf_puts(buf, "  \"normalizer\": null,\n");
	write_pre_tokenizer(bpe, buf);
	buf_printf(buf, "  \"post_processor\": %s,\n", bpe->post_processor ? bpe->post_processor : "null");
	buf_puts(buf, "  \"decoder\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, \"use_regex\": true},\n");
	write_model(bpe, buf);
	buf_putc(buf, '\n');
}
