#include "config.h"

#include "runtime/step/step.h"

#define OUTPUT { "output", "PATH", "the file to write", NULL }

const struct step_command STEP_COMMANDS[] = {
	{ "github-issues", "GitHub issues from a CSV file, as JSON lines {url, repo, title, body}",
	  { { "file", "FILE", "a CSV with the columns issue_url, issue_title and body (or url, title, body)", NULL },
	    { "limit", "N", "at most so many issues; 0: all", "1000" },
	    OUTPUT },
	  step_github_issues },
	{ "synthetic-issues", "issues that nobody wrote, from a random generator, in the form of github-issues",
	  { { "rows", "N", "how many", "1000" }, { "seed", "N", "the same seed gives the same issues", "1" }, OUTPUT },
	  step_synthetic_issues },
	{ "count", "how many rows a table has",
	  { { "input", "FILE", "CSV, or JSON lines", NULL }, OUTPUT },
	  step_count },
	{ "words", "the most frequent words of a column, as CSV word,count",
	  { { "input", "FILE", "CSV, or JSON lines", NULL },
	    { "field", "NAME", "the column", "title" },
	    { "top", "N", "so many words", "20" },
	    { "stop", "english|none", "which small words are left out", "english" },
	    OUTPUT },
	  step_words },
	{ "lengths", "how long the texts of a column are, in words, as CSV words,count",
	  { { "input", "FILE", "CSV, or JSON lines", NULL },
	    { "field", "NAME", "the column", "title" },
	    { "width", "N", "words in one row of the table", "2" },
	    OUTPUT },
	  step_lengths },
	{ "table", "the first rows of a table, as Markdown",
	  { { "input", "FILE", "CSV, or JSON lines", NULL }, { "rows", "N", "so many", "10" }, OUTPUT },
	  step_table },
	{ "chart", "a bar chart of a table, as SVG that is readable on light and dark",
	  { { "input", "FILE", "CSV, or JSON lines", NULL },
	    { "title", "TEXT", "what stands above it", "" },
	    { "label", "NAME", "the column that names the bars; empty: the first", "" },
	    { "value", "NAME", "the column of their lengths; empty: the first other one that holds numbers", "" },
	    OUTPUT },
	  step_chart },
	{ .name = NULL },
};
