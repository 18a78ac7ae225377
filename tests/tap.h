/* Test Anything Protocol: each assertion prints one line `ok N - …` or `not ok N - …`, and with a failure both sides.
 *
 * A test program calls assertions and ends with `return done_testing();`, which prints the plan. An assertion returns
 * whether it held, so that a test can stop where going on makes no sense. A failure never ends the program. */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

/* The format and what follows name the assertion. */
bool ok(bool condition, const char *format, ...) PRINTF_LIKE(2, 3);
/* Strings; NULL equals NULL only. */
bool is_str(const char *got, const char *want, const char *format, ...) PRINTF_LIKE(3, 4);
bool is_int(int64_t got, int64_t want, const char *format, ...) PRINTF_LIKE(3, 4);
/* Bytes, printed as text with escapes. */
bool is_mem(const void *got, size_t got_len, const void *want, size_t want_len, const char *format, ...)
	PRINTF_LIKE(5, 6);
/* `part` stands somewhere in `text`. */
bool contains(const char *text, const char *part, const char *format, ...) PRINTF_LIKE(3, 4);

/* A comment line for who reads the log. */
void tap_note(const char *format, ...) PRINTF_LIKE(1, 2);
/* Counts `n` assertions as skipped, and says why. */
void skip(int n, const char *why, ...) PRINTF_LIKE(2, 3);
/* Nothing can be tested here: prints an empty plan with the reason and exits 0. Before any assertion. */
NORETURN void skip_all(const char *why, ...) PRINTF_LIKE(1, 2);
/* Prints the plan; the exit status of main: 0 when all held. */
int done_testing(void);

/* A file of the source tree ("tests/dsl/lexer.cases") or of the build tree ("lateen"), malloc'ed. */
char *test_path(const char *name);
char *test_build_path(const char *name);
/* The whole file with a NUL behind it, malloc'ed; NULL when it cannot be read. */
char *test_read_file(const char *path, size_t *ret_len);
/* A file below the folder that LATEEN_SHARED names, malloc'ed; NULL when the variable is unset or the file is not
 * there: skip then. */
char *test_shared_path(const char *name);
/* A new empty folder, malloc'ed name; test_remove_tree removes it and what is in it. */
char *test_temp_dir(void);
void test_remove_tree(const char *path);

#endif
