/* Documents that are made from tables are what the tables say now: `make update-golden` writes them. */
#include "config.h"

#include <string.h>

#include "dsl/diag.h"
#include "dsl/settings.h"
#include "tests/cases.h"
#include "tests/tap.h"

static void
errors(void)
{
	struct buf text = {0};

	buf_puts(&text, "# Problems\n\nEvery problem that Lateen reports has a code, which never changes its meaning. `help L0204` in a cell "
			"and `lateen explain L0204` show\nthe same text. This page is made from `dsl/errors.def`.\n");
	for (int code = 0; code < DIAG_CODE_MAX; code++) {
		const struct diag_info *info = diag_info((enum diag_code)code);

		buf_printf(&text, "\n## %s\n\n**%s**%s\n\n%s\n", info->code, info->title,
			info->severity == SEVERITY_WARNING ? " (a warning)" : "", info->explanation);
	}
	golden_is("docs/errors.md", buf_text(&text), text.len);
	buf_release(&text);
}

/* Pipes end a cell of a Markdown table. */
static void
put_cell(struct buf *text, const char *cell)
{
	for (; *cell; cell++)
		buf_printf(text, *cell == '|' ? "\\%c" : "%c", *cell);
}

static void
settings_of(struct buf *text, unsigned place, unsigned but_not, const char *title, const char *intro)
{
	size_t n;
	const struct setting_info *table = setting_table(&n);

	buf_printf(text, "\n## %s\n\n%s\n\n| setting | what it does |\n|---|---|\n", title, intro);
	for (size_t i = 0; i < n; i++) {
		if (!(table[i].places & place) || (table[i].places & but_not))
			continue;
		buf_printf(text, "| `%s ", table[i].word);
		put_cell(text, table[i].arguments);
		buf_puts(text, "` | ");
		put_cell(text, table[i].doc);
		buf_puts(text, table[i].works ? " |\n" : " *Not in this version.* |\n");
	}
}

static void
settings(void)
{
	struct buf text = {0};

	buf_puts(&text, "# Settings\n\nThis page is made from `dsl/settings.def`. Arguments are literals, names or an expression in parentheses; a "
			"quantity is Kubernetes'\n(`16Gi`, `500m`), a duration a number with `s`, `m`, `h` or `d`.\n");
	settings_of(&text, SETTING_IN_STEP, 0, "Of steps",
		"Behind `with`, or in a component as a default for its steps; there they are constants.");
	settings_of(&text, SETTING_IN_COMPONENT, SETTING_IN_STEP, "Of components", "In a component: these and those of steps.");
	settings_of(&text, SETTING_IN_PIPELINE, 0, "Of pipelines", "In `settings { … }`.");
	settings_of(&text, SETTING_IN_CLUSTER, 0, "Of clusters", "In `cluster NAME { … }`.");
	golden_is("docs/settings.md", buf_text(&text), text.len);
	buf_release(&text);
}

/* What the tables themselves promise. */
static void
promises(void)
{
	size_t n;
	const struct setting_info *table = setting_table(&n);

	for (size_t i = 0; i < n; i++) {
		ok(table[i].places && *table[i].doc && table[i].doc[strlen(table[i].doc) - 1] == '.', "`%s` has a place and a sentence",
			table[i].word);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(table[i].word, table[k].word))
				ok(!(table[i].places & table[k].places), "`%s` means one thing in one place", table[i].word);
	}
	for (int code = 0; code < DIAG_CODE_MAX; code++) {
		const struct diag_info *info = diag_info((enum diag_code)code);

		ok(strlen(info->explanation) > strlen(info->title) + 20, "%s is explained", info->code);
		ok(!code || strcmp(diag_info((enum diag_code)(code - 1))->code, info->code) < 0, "%s stands in order", info->code);
	}
}

int
main(void)
{
	errors();
	settings();
	promises();
	return done_testing();
}
