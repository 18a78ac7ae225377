/* A program file as the command line reads it: text, scope and checked program in one, with its problems. */
#ifndef KERNEL_PROGRAM_FILE_H
#define KERNEL_PROGRAM_FILE_H

#include "base/error.h"
#include "base/source.h"
#include "dsl/diag.h"
#include "dsl/scope.h"
#include "kernel/cli.h"

struct program_file {
	struct source *source;
	struct resolver *resolver;
	struct scope *scope;
	struct diags diags;
	struct plan *replaced; /* what program_file_using made, or NULL */
	struct program *program; /* NULL: it has errors, which are in diags */
};

/* Reads and checks the file ("-" is standard input). Negative when it cannot be read. Release it in either case. */
int program_file_open(struct program_file *file, const char *path, struct error *err);
void program_file_release(struct program_file *file);

/* Its problems on stderr, as text. */
void program_file_report(const struct program_file *file);

/* The pipeline of that name, or with NULL the only one. Otherwise NULL with a sentence about what there is. Borrowed. */
struct plan *program_file_plan(const struct program_file *file, const char *name, struct error *err);

/* All of that for a command whose first argument is the file and whose --pipeline may name one: on failure prints why and returns
 * the command's status. Release the file in either case. */
int program_file_plan_of(const struct cli_args *args, struct program_file *file, struct plan **ret_plan);

/* The plan with other components in the place of its own, if the command's option --using says so: *plan, borrowed. On failure as
 * above. */
int program_file_using(const struct cli_args *args, struct program_file *file, struct plan **plan);

#endif
