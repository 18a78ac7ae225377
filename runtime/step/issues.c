#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "base/value.h"
#include "runtime/step/fields.h"
#include "runtime/step/step.h"

enum { ISSUES_MAX = 1000000000 };

static const char *const URLS[] = { "issue_url", "url", "html_url", NULL }, *const TITLES[] = { "issue_title", "title", NULL },
			 *const BODIES[] = { "body", "issue_body", NULL };

struct issues {
	struct good_rows rows;
	struct fields fields; /* title and body */
	size_t url;
	int64_t limit, percent;
};

/* The one of these names that is a column's, or NULL. */
static const char *
name_of(const struct rows *rows, const char *const *names)
{
	for (; *names; names++)
		if (rows_column(rows, *names) != SIZE_MAX)
			return *names;
	return NULL;
}

static int
find_field(struct issues *issues, const char *const names[2], struct error *err)
{
	struct rows *rows = issues->rows.rows;
	struct fields *fields = &issues->fields;
	const char *name = name_of(rows, names), *const *all;
	struct buf text = { 0 };

	if (name) {
		fields->columns[fields->n] = rows_column(rows, name);
		fields->names[fields->n++] = xstrdup(name);
		return 0;
	}
	if (!rows_columns(rows, &all))
		return error_set(err, "the file is empty");
	rows_write_columns(rows, &text);
	error_set(err, "there is no column `%s` and no `%s`; there are %s", names[0], names[1], buf_text(&text));
	buf_release(&text);
	return -1;
}

static int
find_columns(struct issues *issues, struct error *err)
{
	const char *url = name_of(issues->rows.rows, URLS);

	issues->url = url ? rows_column(issues->rows.rows, url) : SIZE_MAX;
	return find_field(issues, TITLES, err) || find_field(issues, BODIES, err) ? -1 : 0;
}

/* "owner/name" of https://github.com/owner/name/issues/3. */
static const char *
repo_of(const char *url, size_t len, size_t *ret_len)
{
	static const char host[] = "github.com/";
	const char *at = memmem(url, len, host, sizeof(host) - 1);
	const char *end = url + len, *slash;

	*ret_len = 0;
	if (!at)
		return "";
	at += sizeof(host) - 1;
	slash = memchr(at, '/', (size_t)(end - at));
	slash = slash ? memchr(slash + 1, '/', (size_t)(end - slash - 1)) : NULL;
	*ret_len = (size_t)((slash ? slash : end) - at);
	return at;
}

static void
write_issue(struct buf *buf, const char *url, const char *title, const char *body)
{
	size_t len = strlen(url), repo_len;
	const char *repo;

	/* Some exports put the address into quotes of its own. */
	if (len >= 2 && *url == '"' && url[len - 1] == '"') {
		url++;
		len -= 2;
	}
	repo = repo_of(url, len, &repo_len);
	buf_putc(buf, '{');
	step_write_pair(buf, "url", url, len);
	step_write_pair(buf, "repo", repo, repo_len);
	step_write_pair(buf, "title", title, strlen(title));
	step_write_pair(buf, "body", body, strlen(body));
	buf_puts(buf, "}\n");
}

static int
copy_issues(struct issues *issues, struct step_output *output, struct error *err)
{
	const size_t *columns = issues->fields.columns;
	const char *const *texts;
	int more = 0;

	while ((!issues->limit || issues->rows.good < (uint64_t)issues->limit) && (more = good_rows_next(&issues->rows, &texts, err)) > 0) {
		write_issue(&output->buf, issues->url == SIZE_MAX ? "" : texts[issues->url], texts[columns[0]], texts[columns[1]]);
		if (step_output_flush(output, false, err))
			return -1;
	}
	return more < 0 ? -1 : good_rows_check(&issues->rows, issues->percent, err);
}

static int
write_issues(const struct step_call *call, struct issues *issues, struct error *err)
{
	struct step_output output;

	if (find_columns(issues, err))
		return error_prefix(err, "`%s`", step_text(call, "file"));
	if (step_output_open(&output, step_text(call, "output"), err))
		return -1;
	if (copy_issues(issues, &output, err)) {
		step_output_abandon(&output);
		return -1;
	}
	return step_output_flush(&output, true, err);
}

static void
report(const struct step_call *call, const struct good_rows *rows)
{
	printf("%llu issues from %s", (unsigned long long)rows->good, step_text(call, "file"));
	if (rows->bad)
		printf("; %llu rows could not be used and were left out", (unsigned long long)rows->bad);
	putchar('\n');
}

int
step_github_issues(const struct step_call *call, struct error *err)
{
	struct issues issues = { .rows = { .may_be_empty = true } };
	int result = -1;

	if (step_number(call, "limit", ISSUES_MAX, &issues.limit, err) || step_number(call, "max-bad", 100, &issues.percent, err))
		return -1;
	issues.rows.fields = &issues.fields;
	issues.rows.rows = rows_open(step_text(call, "file"), err);
	if (issues.rows.rows)
		result = write_issues(call, &issues, err);
	if (!result)
		report(call, &issues.rows);
	fields_release(&issues.fields);
	rows_close(issues.rows.rows);
	return result;
}

/* ---- issues that nobody wrote ---- */

static unsigned
pick(uint64_t *seed, size_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((*seed >> 33) % n);
}

static void
write_synthetic(struct buf *buf, uint64_t *seed, int64_t number)
{
	static const char *const things[] = { "the app", "the page", "login", "the build", "the parser", "search", "the cache", "upload",
					      "the menu", "the server", "export", "the table", "the graph", "scrolling", "the test suite" };
	static const char *const faults[] = { "crashes", "hangs", "is slow", "shows nothing", "loses data", "fails", "flickers",
					      "leaks memory", "ignores the setting", "prints garbage" };
	static const char *const moments[] = { "on start", "after an update", "when the screen rotates", "with large files",
					       "without a network", "on resize", "with an empty list", "at midnight", "in dark mode" };
	const char *thing = things[pick(seed, ARRAY_LEN(things))], *fault = faults[pick(seed, ARRAY_LEN(faults))];
	const char *moment = moments[pick(seed, ARRAY_LEN(moments))];
	char url[96], title[128], body[512];

	snprintf(url, sizeof(url), "https://example.org/synthetic/issues/%lld", (long long)number);
	snprintf(title, sizeof(title), "%s %s %s", thing, fault, moment);
	snprintf(body, sizeof(body), "(synthetic) %s %s %s. seen %u times today; version %u.%u. steps: open it, wait %u s, look.", thing,
		fault, moment, 1 + pick(seed, 20), 1 + pick(seed, 4), pick(seed, 10), 1 + pick(seed, 60));
	write_issue(buf, url, title, body);
}

int
step_synthetic_issues(const struct step_call *call, struct error *err)
{
	struct step_output output;
	int64_t rows, number;
	uint64_t seed;

	if (step_number(call, "rows", ISSUES_MAX, &rows, err) || step_number(call, "seed", INT64_MAX, &number, err) ||
	    step_output_open(&output, step_text(call, "output"), err))
		return -1;
	seed = (uint64_t)number * 2862933555777941757u + 3037000493u;
	for (int64_t i = 0; i < rows; i++) {
		write_synthetic(&output.buf, &seed, i + 1);
		if (step_output_flush(&output, false, err))
			return -1;
	}
	if (step_output_flush(&output, true, err))
		return -1;
	printf("%lld synthetic issues (nobody wrote them), seed %lld\n", (long long)rows, (long long)number);
	return 0;
}
