#include "config.h"

#include "dsl/check.h"

#include <stdio.h>
#include <string.h>

/* Argo's variables (docs/variables.md of Argo Workflows) and what Lateen calls them; NULL: there is no word for it. */
static const struct {
	const char *tag; /* a whole tag, or, with a final `.`, the beginning of one */
	const char *word;
} words[] = {
	{ "workflow.uid", "run.id" },
	{ "workflow.name", "run.name" },
	{ "workflow.namespace", "run.namespace" },
	{ "workflow.status", "run.status" },
	{ "pod.name", "step.name" },
	{ "node.name", "step.name" },
	{ "retries", "step.attempt" },
	{ "workflow.parameters.", "" },
	{ "inputs.parameters.", "" },
	{ "inputs.artifacts.", "" },
	{ "outputs.parameters.", "" },
	{ "outputs.artifacts.", "" },
	{ "workflow.", NULL },
	{ "tasks.", NULL },
	{ "steps.", NULL },
	{ "item", NULL },
	{ "item.", NULL },
	{ "lastRetry.", NULL },
};

/* The last row stands for all expressions: there is no word for it either. */
enum { TAG_MAX = 256, ROW_UNKNOWN = ARRAY_LEN(words) - 1 };

/* Returns the row for the tag's text, or SIZE_MAX when it is none of Argo's. */
static size_t
find_tag(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t n = strlen(words[i].tag);
		bool begins = len >= n && !memcmp(text, words[i].tag, n);

		if (begins && (words[i].tag[n - 1] == '.' ? len > n : len == n))
			return i;
	}
	return SIZE_MAX;
}

static void
warn(struct check *check, const struct ast_expr *literal, struct span span, const char *tag, size_t len, size_t row)
{
	const char *word = words[row].word;
	struct diag *d = diags_add(check->diags, DIAG_L0214, span, "`{{%.*s}}` is Argo's word and plain text here", (int)len, tag);
	char buf[300];

	if (word && !*word) {
		size_t n = strlen(words[row].tag);

		if (len - n >= sizeof(buf) || memchr(tag + n, '.', len - n))
			return;
		snprintf(buf, sizeof(buf), "%.*s", (int)(len - n), tag + n);
		word = buf;
	}
	if (!word) {
		diag_help(check->diags, d, "a text takes names of parameters, outputs and facts in single braces: `\"{run.id}\"`");
		return;
	}
	if (literal->kind == AST_RAW) {
		diag_help(check->diags, d, "Lateen's word for it is `%s`; a raw block takes no values, an input does", word);
		return;
	}
	diag_help(check->diags, d, "Lateen's word for it is `{%s}`", word);
	diag_fix(check->diags, d, span, FIX_LIKELY, arena_printf(check->arena, "{%s}", word));
}

void
check_argo_tags(struct check *check, const struct ast_expr *literal)
{
	const struct span all = literal->span;
	const char *text, *at, *end, *close;

	if (!all.source || all.end > all.source->len || all.start > all.end)
		return;
	text = all.source->text;
	at = text + all.start;
	end = text + all.end;
	while ((at = memmem(at, (size_t)(end - at), "{{", 2))) {
		const char *tag = at + 2;
		bool is_expression;
		size_t len, row;

		at += 2;
		/* tags are short, and looking further for each would take its time squared */
		close = memmem(tag, (size_t)(end - tag) < TAG_MAX ? (size_t)(end - tag) : TAG_MAX, "}}", 2);
		if (!close)
			continue;
		for (len = (size_t)(close - tag); len && tag[len - 1] == ' '; len--)
			;
		is_expression = len && *tag == '=';
		while (len && (*tag == ' ' || *tag == '=')) {
			tag++;
			len--;
		}
		row = find_tag(tag, len);
		if (row == SIZE_MAX && is_expression && len)
			row = ROW_UNKNOWN;
		if (row != SIZE_MAX && !memchr(tag, '\n', len))
			warn(check, literal, (struct span){ all.source, (uint32_t)(at - 2 - text), (uint32_t)(close + 2 - text) },
				tag, len, row);
	}
}
