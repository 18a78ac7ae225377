/* What the files of the formatter share: the line that is being written, and the comments that are still to be. */
#ifndef DSL_FORMATTER_H
#define DSL_FORMATTER_H

#include "base/buf.h"
#include "dsl/ast.h"
#include "dsl/format.h"

struct formatter {
	struct buf *out;
	const struct unit *unit;
	const char *text; /* of the source */
	size_t comment; /* the next one to be written */
	size_t line_start; /* in out */
	unsigned indent;
	uint32_t last_end; /* of what was written last, in the source */
	size_t use_pad; /* columns of the longest name in the run of `use` lines */
	bool started; /* something was written */
	bool opened; /* nothing was written since a bracket or the text began: no blank line here */
	bool closed; /* a comment ends the line: nothing may follow on it */
	bool want_blank; /* before the next line, whatever the source has */
};

/* ---- format.c ---- */

/* A new line for what begins at that place of the source; the comments before it go first. */
void formatter_line(struct formatter *f, uint32_t start);
/* A new line for the bracket that closes at that place. */
void formatter_closing_line(struct formatter *f, uint32_t place);
/* A line's end and indentation, nothing else; comments stay where they are. */
void formatter_break(struct formatter *f, unsigned indent);
void formatter_done(struct formatter *f, uint32_t end); /* what was written ends there in the source */
void formatter_open(struct formatter *f); /* a bracket was opened: indents by one level */
void formatter_close(struct formatter *f); /* back again */
/* Are there comments in that part of the source that were not written? */
bool formatter_has_comments(const struct formatter *f, uint32_t start, uint32_t end);
/* Is the second place on the line behind the first, with nothing between? */
bool formatter_follows(const struct formatter *f, uint32_t end, uint32_t start);
size_t formatter_column(const struct formatter *f);
bool formatter_fits(const struct formatter *f, const struct buf *flat); /* with what is on the line already */
void formatter_source(const struct formatter *f, struct buf *buf, struct span span);
void formatter_name(const struct formatter *f, struct buf *buf, const struct ast_name *name);

/* ---- format_expr.c ---- */

/* On one line; false when that cannot be (a comment, a block of several lines) or is longer than any line may be. */
bool formatter_flat(const struct formatter *f, struct buf *buf, const struct ast_expr *expr);
void formatter_expr(struct formatter *f, const struct ast_expr *expr);
bool formatter_flat_setting(const struct formatter *f, struct buf *buf, const struct ast_setting *setting, unsigned pad);
void formatter_setting(struct formatter *f, const struct ast_setting *setting, unsigned pad);

/* ---- format_stmt.c ---- */

void formatter_stmts(struct formatter *f, struct ast_stmt *const *stmts, size_t n);
/* ---- format_decl.c ---- */
void formatter_decl(struct formatter *f, const struct ast_stmt *stmt);
void formatter_fields(struct formatter *f, const struct ast_stmt *stmt, bool one_line_ok);

#endif
