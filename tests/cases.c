#include "config.h"

#include "tests/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "tests/tap.h"

static bool
updating(void)
{
	const char *update = getenv("UPDATE_GOLDEN");

	return update && *update && strcmp(update, "0") != 0;
}

static bool
is_marker(const char *line, size_t len)
{
	return len > 5 && (!memcmp(line, "==== ", 5) || !memcmp(line, "---- ", 5));
}

static struct test_case *
add_case(struct case_file *file, const char *name, size_t len)
{
	struct test_case *test;

	vec_reserve((void **)&file->cases, &file->cap_cases, file->n_cases + 1, sizeof(*file->cases));
	test = &file->cases[file->n_cases++];
	*test = (struct test_case){ .name = xstrndup(name, len), .comment = xstrdup("") };
	return test;
}

static struct case_part *
add_part(struct test_case *test, const char *name, size_t len)
{
	struct case_part *part;

	vec_reserve((void **)&test->parts, &test->cap_parts, test->n_parts + 1, sizeof(*test->parts));
	part = &test->parts[test->n_parts++];
	*part = (struct case_part){ .name = xstrndup(name, len), .text = xstrdup("") };
	return part;
}

/* Puts the lines gathered so far where they belong: the last part, else the last case's comment, else the file's. */
static void
settle(struct case_file *file, struct buf *lines)
{
	struct test_case *test = file->n_cases ? &file->cases[file->n_cases - 1] : NULL;
	struct case_part *part = test && test->n_parts ? &test->parts[test->n_parts - 1] : NULL;
	char **place = part ? &part->text : test ? &test->comment : &file->comment;
	size_t len;

	free(*place);
	*place = buf_detach(lines, &len);
	if (part)
		part->len = len;
}

static void
read_marker(struct case_file *file, const char *line, size_t len)
{
	if (*line == '=') {
		add_case(file, line + 5, len - 5);
		return;
	}
	if (!file->n_cases)
		BUG("%s: a part before the first case", file->path);
	add_part(&file->cases[file->n_cases - 1], line + 5, len - 5);
}

static void
read_lines(struct case_file *file, const char *text, size_t len)
{
	struct buf lines = { 0 };
	const char *end = text + len;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line_len = (size_t)((newline ? newline : end) - text);

		if (is_marker(text, line_len)) {
			settle(file, &lines);
			read_marker(file, text, line_len);
		} else {
			bool escaped = *text == '\\' && is_marker(text + 1, line_len ? line_len - 1 : 0);

			buf_add(&lines, text + escaped, line_len - escaped);
			buf_putc(&lines, '\n');
		}
		text += line_len + 1;
	}
	settle(file, &lines);
	buf_release(&lines);
}

void
cases_open(struct case_file *file, const char *name)
{
	CLEANUP(freep) char *text = NULL;
	size_t len;

	*file = (struct case_file){ .path = test_path(name), .comment = xstrdup("") };
	text = test_read_file(file->path, &len);
	if (!text)
		BUG("cannot read %s", file->path);
	read_lines(file, text, len);
}

static void
write_text(struct buf *buf, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line_len = (size_t)((newline ? newline : end) - text);

		if (is_marker(text, line_len))
			buf_putc(buf, '\\');
		buf_add(buf, text, line_len);
		buf_putc(buf, '\n');
		text += line_len + 1;
	}
}

static void
write_file(const char *path, const struct buf *buf)
{
	FILE *out = fopen(path, "wb");

	if (!out || fwrite(buf_text(buf), 1, buf->len, out) != buf->len || fclose(out))
		BUG("cannot write %s", path);
}

static void
write_cases(const struct case_file *file)
{
	struct buf buf = { 0 };

	buf_puts(&buf, file->comment);
	for (size_t i = 0; i < file->n_cases; i++) {
		const struct test_case *test = &file->cases[i];

		buf_printf(&buf, "==== %s\n%s", test->name, test->comment);
		for (size_t j = 0; j < test->n_parts; j++) {
			buf_printf(&buf, "---- %s\n", test->parts[j].name);
			write_text(&buf, test->parts[j].text, test->parts[j].len);
		}
	}
	write_file(file->path, &buf);
	buf_release(&buf);
}

static void
release_case(struct test_case *test)
{
	for (size_t i = 0; i < test->n_parts; i++) {
		free(test->parts[i].name);
		free(test->parts[i].text);
	}
	free(test->parts);
	free(test->name);
	free(test->comment);
}

void
cases_close(struct case_file *file)
{
	if (file->changed)
		write_cases(file);
	for (size_t i = 0; i < file->n_cases; i++)
		release_case(&file->cases[i]);
	free(file->cases);
	free(file->comment);
	free(file->path);
	*file = (struct case_file){ 0 };
}

static struct case_part *
find_part(const struct test_case *test, const char *name)
{
	for (size_t i = 0; i < test->n_parts; i++)
		if (!strcmp(test->parts[i].name, name))
			return &test->parts[i];
	return NULL;
}

const char *
case_text(const struct test_case *test, const char *part)
{
	const struct case_part *found = find_part(test, part);

	return found ? found->text : NULL;
}

static void
take(struct case_file *file, struct test_case *test, const char *name, const struct buf *text)
{
	struct case_part *part = find_part(test, name);

	if (part && part->len == text->len && !memcmp(part->text, buf_text(text), text->len))
		return;
	if (!part && !text->len)
		return;
	if (!part)
		part = add_part(test, name, strlen(name));
	free(part->text);
	part->text = xstrndup(buf_text(text), text->len);
	part->len = text->len;
	file->changed = true;
	tap_note("updated: %s, %s", test->name, name);
}

bool
case_is(struct case_file *file, struct test_case *test, const char *part, const char *got, size_t got_len)
{
	const struct case_part *want = find_part(test, part);
	struct buf text = { 0 };
	bool held = true;

	buf_add(&text, got, got_len);
	if (got_len && got[got_len - 1] != '\n')
		buf_putc(&text, '\n');
	if (updating()) {
		take(file, test, part, &text);
		ok(true, "%s: %s (taken)", test->name, part);
	} else {
		held = is_mem(buf_text(&text), text.len, want ? want->text : "", want ? want->len : 0, "%s: %s", test->name,
			part);
	}
	buf_release(&text);
	return held;
}

bool
golden_is(const char *name, const char *got, size_t got_len)
{
	CLEANUP(freep) char *path = test_path(name);
	CLEANUP(freep) char *want = NULL;
	struct buf text = { 0 };
	size_t want_len = 0;

	want = test_read_file(path, &want_len);
	if (!updating())
		return want ? is_mem(got, got_len, want, want_len, "%s", name) : ok(false, "%s cannot be read", name);
	if (!want || want_len != got_len || memcmp(got, want, got_len) != 0) {
		buf_add(&text, got, got_len);
		write_file(path, &text);
		buf_release(&text);
		tap_note("updated: %s", name);
	}
	return ok(true, "%s (taken)", name);
}
