/* Diagnostics: what is wrong with a program, each at its place, with a stable code.
 *
 * The table dsl/errors.def names every code, its severity, a title and an explanation (`lateen explain CODE`).
 * A message is lower case without a full stop, with backticks around the user's words; it says what is wrong, helps say
 * how to mend it. Text, HTML and JSON are renderers of the same data. All memory belongs to the `struct diags`, which
 * keeps a reference to every source that a span points into. */
#ifndef DSL_DIAG_H
#define DSL_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/source.h"

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

enum diag_code {
#define DIAG(code, severity, title, explanation) DIAG_##code,
#include "dsl/errors.def"
#undef DIAG
	DIAG_CODE_MAX
};

struct diag_info {
	const char *code; /* "L0204" */
	enum severity severity;
	const char *title;
	const char *explanation; /* Markdown */
};

const struct diag_info *diag_info(enum diag_code code);
const struct diag_info *diag_info_by_name(const char *code); /* any case; NULL if there is none */

enum certainty { FIX_CERTAIN, FIX_LIKELY };

struct diag_label {
	struct span span;
	const char *text; /* "" is fine */
};

struct diag_fix {
	struct span span; /* replaced by… */
	const char *replacement;
	enum certainty certainty;
};

struct diag {
	enum diag_code code;
	enum severity severity;
	const char *message;
	struct span span; /* the primary place; source NULL: the program as a whole */
	const char *label; /* under its carets, or NULL */
	struct diag_label *labels; /* other places */
	size_t n_labels, cap_labels;
	const char **notes; /* facts */
	size_t n_notes, cap_notes;
	const char **helps; /* ways out */
	size_t n_helps, cap_helps;
	struct diag_fix *fixes;
	size_t n_fixes, cap_fixes;
};

enum { DIAGS_MAX = 200 }; /* reported at once; more are counted only */

struct diags {
	struct arena *arena;
	struct diag **items;
	size_t n, cap;
	size_t n_errors, n_warnings; /* with those past DIAGS_MAX */
	struct source **sources; /* held */
	size_t n_sources, cap_sources;
};

void diags_init(struct diags *diags);
void diags_release(struct diags *diags);

/* Adds a problem; the caller may go on to add labels, notes, helps and fixes. Never NULL. */
struct diag *diags_add(struct diags *diags, enum diag_code code, struct span span, const char *format, ...)
	PRINTF_LIKE(4, 5);
/* Text under the carets of the primary span. */
void diag_primary(struct diags *diags, struct diag *diag, const char *format, ...) PRINTF_LIKE(3, 4);
void diag_label(struct diags *diags, struct diag *diag, struct span span, const char *format, ...) PRINTF_LIKE(4, 5);
void diag_note(struct diags *diags, struct diag *diag, const char *format, ...) PRINTF_LIKE(3, 4);
void diag_help(struct diags *diags, struct diag *diag, const char *format, ...) PRINTF_LIKE(3, 4);
void diag_fix(struct diags *diags, struct diag *diag, struct span span, enum certainty certainty, const char *replacement);
/* Adds "a KIND with a similar name exists: `x`" (at most 4 names) and, for the nearest, a fix. Does nothing when none
 * of the candidates is near. KIND: "step", "input", "setting". */
void diag_near(struct diags *diags, struct diag *diag, const char *kind, struct span span, const char *word,
	       const char *const *candidates, size_t n);
/* The same word, or one that may have been meant. */
bool diag_is_near(const char *word, const char *candidate);
/* In the order of their places, errors of the same place in the order they came. */
void diags_sort(struct diags *diags);

struct diag_style {
	bool colour; /* ANSI, readable on light and dark */
	bool ascii; /* no box characters */
};

/* The form of docs/language.md §8, one problem after the other, a blank line between. */
void diag_write_text(struct buf *buf, const struct diag *diag, const struct diag_style *style);
void diags_write_text(struct buf *buf, const struct diags *diags, const struct diag_style *style);
/* A self-contained fragment; user text is escaped and isolated (<bdi>). */
void diags_write_html(struct buf *buf, const struct diags *diags);
/* An array of {code, severity, message, start: {line, column}, end, labels, helps, fixes}; 1-based, columns in code points. */
void diags_write_json(struct buf *buf, const struct diags *diags);

#endif
