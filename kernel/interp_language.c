#include "config.h"

#include "kernel/interp_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dsl/complete.h"
#include "dsl/inspect.h"
#include "dsl/parse.h"
#include "kernel/complete_path.h"

enum { SHUTDOWN_WAIT = 1500, SHUTDOWN_KILL = 1000 }; /* milliseconds that steps have after TERM, and all after KILL */

static const char *const help_links[][2] = {
	{ "Argo Workflows", "https://argo-workflows.readthedocs.io" },
	{ "Kubeflow Pipelines", "https://www.kubeflow.org/docs/components/pipelines" },
	{ NULL, NULL },
};

/* Highlighting until the front end knows the language: Pygments' `text` draws no warning, CodeMirror's Go mode colours strings,
 * numbers and braces as they are here. */
static const struct language_info info = {
	.implementation = "lateen",
	.implementation_version = PACKAGE_VERSION,
	.name = "lateen",
	.version = PACKAGE_VERSION,
	.mimetype = "text/x-lateen",
	.file_extension = ".lateen",
	.pygments_lexer = "text",
	.codemirror_mode = "go",
	.banner = "Lateen " PACKAGE_VERSION ": a call is a step inside a pipeline, and runs right now outside one",
	.help_links = help_links,
};

static void
language_execute(void *self, const struct execute_request *request, struct output *output, struct execute_outcome *ret_outcome)
{
	char name[32];
	struct source *source;

	snprintf(name, sizeof name, "In[%d]", request->execution_count);
	source = source_new(name, request->code, request->code_len);
	interp_execute(self, source, output, ret_outcome);
	source_unref(source);
}

static void
language_interrupt(void *self)
{
	interp_interrupt(self);
}

static json_t *
language_evaluate(void *self, const char *expression)
{
	return interp_evaluate(self, expression);
}

static enum completeness
language_is_complete(void *self UNUSED, const char *code, size_t code_len, const char **ret_indent)
{
	static const char blanks[] = "                                        ";
	unsigned indent = 0;
	enum parse_completeness found = parse_completeness(code, code_len, &indent);

	if (indent > sizeof blanks - 1)
		indent = sizeof blanks - 1;
	*ret_indent = blanks + (sizeof blanks - 1 - indent);
	return found == PARSE_COMPLETE ? CODE_COMPLETE : found == PARSE_INCOMPLETE ? CODE_INCOMPLETE : CODE_INVALID;
}

static json_t *
completion_json(const struct completion *c)
{
	json_t *json = json_pack("{s:o}", "text", json_of_text(c->text, strlen(c->text)));

	if (c->type)
		json_object_set_new(json, "type", json_string(c->type));
	if (c->signature)
		json_object_set_new(json, "signature", json_of_text(c->signature, strlen(c->signature)));
	return json;
}

static json_t *
language_complete(void *self, const char *code, size_t code_len, size_t cursor, size_t *ret_start, size_t *ret_end)
{
	struct interp *interp = self;
	struct completions found;
	json_t *json;

	if (complete_in_string(code, cursor, ret_start)) {
		*ret_end = cursor;
		return complete_paths(code, cursor);
	}
	complete(&found, interp->scope, code, code_len, cursor);
	*ret_start = found.start;
	*ret_end = found.end;
	json = json_array();
	for (size_t i = 0; i < found.n; i++)
		json_array_append_new(json, completion_json(&found.items[i]));
	completions_release(&found);
	return json;
}

static json_t *
language_inspect(void *self, const char *code, size_t code_len, size_t cursor, int detail_level)
{
	struct interp *interp = self;
	struct buf plain = { 0 }, markdown = { 0 };
	json_t *bundle = NULL;

	if (inspect_at(&plain, &markdown, interp->scope, code, code_len, cursor, detail_level > 0))
		bundle = json_pack("{s:o, s:o}", "text/plain", json_of_text(buf_text(&plain), plain.len), "text/markdown",
				   json_of_text(buf_text(&markdown), markdown.len));
	buf_release(&plain);
	buf_release(&markdown);
	return bundle;
}

/* A thread that did not end in time might show something through a session that is gone. */
static void
language_shutdown(void *self)
{
	struct interp *interp = self;

	if (!backgrounds_end(interp->backgrounds, SHUTDOWN_WAIT) && !backgrounds_end(interp->backgrounds, SHUTDOWN_KILL))
		_exit(0);
}

static const struct language_ops ops = {
	.info = &info,
	.execute = language_execute,
	.evaluate = language_evaluate,
	.complete = language_complete,
	.inspect = language_inspect,
	.is_complete = language_is_complete,
	.interrupt = language_interrupt,
	.shutdown = language_shutdown,
};

struct language
interp_language(struct interp *interp)
{
	return (struct language){ &ops, interp };
}
