#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsl/complete.h"
#include "dsl/inspect.h"
#include "tests/dsl/scope_case.h"
#include "tests/tap.h"

/* `here` holds the code with `<|>` at the cursor. */
static char *
cut_cursor(const char *text, size_t *ret_at)
{
	const char *mark = strstr(text, "<|>");
	char *code = xstrdup(text);

	if (!mark)
		BUG("no cursor in `%s`", text);
	*ret_at = (size_t)(mark - text);
	memmove(code + *ret_at, code + *ret_at + 3, strlen(code + *ret_at + 3) + 1);
	code[strcspn(code, "\n") == strlen(code) - 1 ? strlen(code) - 1 : strlen(code)] = '\0';
	return code;
}

static void
declare(struct scope *scope, const struct test_case *test)
{
	for (size_t i = 0; i < test->n_parts; i++) {
		struct source *source;
		struct diags diags;

		if (strcmp(test->parts[i].name, "cell"))
			continue;
		source = source_new("In[1]", test->parts[i].text, test->parts[i].len);
		diags_init(&diags);
		program_free(scope_check(scope, source, &diags));
		is_int((int64_t)diags.n_errors, 0, "%s: the cell before is right", test->name);
		diags_release(&diags);
		source_unref(source);
	}
}

static void
run(struct case_file *file, struct test_case *test)
{
	struct buf offers = {0}, plain = {0}, markdown = {0};
	struct case_resolver resolver;
	struct completions found;
	struct scope *scope;
	char *code;
	size_t at;

	case_resolver_init(&resolver, test);
	scope = scope_new(&resolver.base);
	declare(scope, test);
	code = cut_cursor(case_text(test, "here"), &at);
	complete(&found, scope, code, strlen(code), at);
	buf_printf(&offers, "%.*s\n", (int)(found.end - found.start), code + found.start);
	for (size_t i = 0; i < found.n; i++)
		buf_printf(&offers, "%s %s%s%s\n", found.items[i].text, found.items[i].type, found.items[i].signature ? " " : "",
			found.items[i].signature ? found.items[i].signature : "");
	if (case_text(test, "offers"))
		case_is(file, test, "offers", buf_text(&offers), offers.len);
	inspect_at(&plain, &markdown, scope, code, strlen(code), at, true);
	if (case_text(test, "plain"))
		case_is(file, test, "plain", buf_text(&plain), plain.len);
	if (case_text(test, "markdown"))
		case_is(file, test, "markdown", buf_text(&markdown), markdown.len);
	completions_release(&found);
	/* and at every other place nothing breaks */
	for (size_t i = 0; i <= strlen(code); i++) {
		complete(&found, scope, code, i, i);
		inspect_at(&plain, &markdown, scope, code, strlen(code), i, true);
		completions_release(&found);
	}
	buf_release(&offers);
	buf_release(&plain);
	buf_release(&markdown);
	scope_free(scope);
	free(code);
}

int
main(void)
{
	struct case_file file;

	cases_open(&file, "tests/dsl/complete.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		run(&file, &file.cases[i]);
	cases_close(&file);
	return done_testing();
}
