#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "base/value.h"
#include "runtime/step/rows.h"
#include "runtime/step/step.h"

enum { ISSUES_MAX = 1000000000 };

/* The column of one of these names. */
static size_t
column_of(const struct rows *rows, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rows_column(rows, names[i]) != SIZE_MAX)
			return rows_column(rows, names[i]);
	return SIZE_MAX;
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
copy_issues(struct rows *rows, int64_t limit, struct step_output *output, int64_t *ret_n, struct error *err)
{
	static const char *const urls[] = { "issue_url", "url", "html_url" }, *const titles[] = { "issue_title", "title" },
				 *const bodies[] = { "body", "issue_body" };
	size_t url = column_of(rows, urls, ARRAY_LEN(urls)), title = column_of(rows, titles, ARRAY_LEN(titles));
	size_t body = column_of(rows, bodies, ARRAY_LEN(bodies));
	const char *const *texts;
	int more = 0;

	if (title == SIZE_MAX || body == SIZE_MAX)
		return error_set(err, "the file has no column `%s`", title == SIZE_MAX ? "issue_title" : "body");
	for (*ret_n = 0; !limit || *ret_n < limit; (*ret_n)++) {
		more = rows_next(rows, &texts, err);
		if (more <= 0)
			break;
		write_issue(&output->buf, url == SIZE_MAX ? "" : texts[url], texts[title], texts[body]);
		if (step_output_flush(output, false, err))
			return -1;
	}
	return more < 0 ? -1 : 0;
}

int
step_github_issues(const struct step_call *call, struct error *err)
{
	struct step_output output;
	struct rows *rows;
	int64_t limit, n = 0;
	int result;

	if (step_number(call, "limit", ISSUES_MAX, &limit, err))
		return -1;
	rows = rows_open(step_text(call, "file"), err);
	if (!rows)
		return -1;
	if (step_output_open(&output, step_text(call, "output"), err)) {
		rows_close(rows);
		return -1;
	}
	result = copy_issues(rows, limit, &output, &n, err);
	if (result)
		step_output_abandon(&output);
	else
		result = step_output_flush(&output, true, err);
	if (!result)
		printf("%lld issues from %s\n", (long long)n, step_text(call, "file"));
	rows_close(rows);
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
