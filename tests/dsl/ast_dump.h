/* A syntax tree as text, for tests: two trees that mean the same have the same text. Spans and comments are left out. */
#ifndef TESTS_DSL_AST_DUMP_H
#define TESTS_DSL_AST_DUMP_H

#include "base/buf.h"
#include "dsl/ast.h"

/* One statement a line, what is in it indented below. */
void ast_dump(struct buf *buf, const struct unit *unit);

#endif
