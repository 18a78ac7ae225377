#include "config.h"

#include "kernel/text_output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "kernel/cli.h"

static struct text_output *
self_of(struct output *output)
{
	return (struct text_output *)output;
}

static void
erase_live(struct text_output *text)
{
	if (text->drawn)
		printf("\033[%zuA\033[J", text->drawn);
	text->drawn = 0;
}

static size_t
count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void
draw_live(struct text_output *text)
{
	fputs(buf_text(&text->live), stdout);
	text->drawn = count_lines(buf_text(&text->live));
	fflush(stdout);
}

/* The live display's state stays on the screen as it is; a new one starts below. */
static void
settle_live(struct text_output *text)
{
	if (!text->live_id)
		return;
	if (!text->redraw)
		draw_live(text);
	text->drawn = 0;
	freep(&text->live_id);
	buf_clear(&text->live);
}

static void
put_plain(struct buf *buf, json_t *data)
{
	const char *plain = json_string_value(json_object_get(data, "text/plain"));

	if (!plain)
		return;
	buf_puts(buf, plain);
	if (buf->len && buf->data[buf->len - 1] != '\n')
		buf_putc(buf, '\n');
}

static void
text_stream(struct output *output, bool is_stderr, const char *bytes, size_t len)
{
	struct text_output *text = self_of(output);

	/* What a running step writes goes above the display of its run. */
	if (text->redraw)
		erase_live(text);
	fflush(is_stderr ? stdout : stderr);
	fwrite(bytes, 1, len, is_stderr ? stderr : stdout);
	fflush(is_stderr ? stderr : stdout);
	if (text->live_id && text->redraw && len && bytes[len - 1] == '\n')
		draw_live(text);
}

static void
text_display(struct output *output, json_t *data, json_t *metadata UNUSED, const char *display_id)
{
	struct text_output *text = self_of(output);

	settle_live(text);
	if (!display_id) {
		struct buf plain = { 0 };

		put_plain(&plain, data);
		fputs(buf_text(&plain), stdout);
		buf_release(&plain);
		return;
	}
	text->live_id = xstrdup(display_id);
	put_plain(&text->live, data);
	if (text->redraw)
		draw_live(text);
}

static void
text_update(struct output *output, json_t *data, json_t *metadata UNUSED, const char *display_id)
{
	struct text_output *text = self_of(output);

	if (!text->live_id || strcmp(text->live_id, display_id) != 0)
		return;
	buf_clear(&text->live);
	put_plain(&text->live, data);
	if (!text->redraw)
		return;
	erase_live(text);
	draw_live(text);
}

static void
text_result(struct output *output, json_t *data, json_t *metadata)
{
	text_display(output, data, metadata, NULL);
}

static void
text_clear(struct output *output, bool wait UNUSED)
{
	struct text_output *text = self_of(output);

	settle_live(text);
	if (text->redraw)
		fputs("\033[H\033[2J", stdout);
}

static void
text_page(struct output *output, json_t *data)
{
	text_display(output, data, NULL, NULL);
}

static char *
read_line(bool password)
{
	struct termios old, quiet;
	bool hidden = password && tcgetattr(STDIN_FILENO, &old) == 0;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (hidden) {
		quiet = old;
		quiet.c_lflag &= (tcflag_t)~ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	n = getline(&line, &cap, stdin);
	if (hidden) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		putchar('\n');
	}
	if (n < 0) {
		free(line);
		return NULL;
	}
	if (n > 0 && line[n - 1] == '\n')
		line[n - 1] = '\0';
	return line;
}

static char *
text_input(struct output *output, const char *prompt, bool password, const char **ret_why)
{
	struct text_output *text = self_of(output);
	char *line;

	settle_live(text);
	*ret_why = "standard input is the program itself";
	if (!text->allow_input)
		return NULL;
	fputs(prompt, stdout);
	fflush(stdout);
	line = read_line(password);
	*ret_why = "standard input has ended";
	return line;
}

static void
text_flush(struct output *output UNUSED)
{
	fflush(stdout);
}

static const struct output_ops text_ops = {
	.stream = text_stream,
	.display = text_display,
	.update = text_update,
	.result = text_result,
	.clear = text_clear,
	.page = text_page,
	.input = text_input,
	.flush = text_flush,
};

void
text_output_init(struct text_output *text, bool plain)
{
	*text = (struct text_output){ .output = { &text_ops }, .redraw = !plain && isatty(STDOUT_FILENO), .allow_input = true };
}

void
text_output_finish(struct text_output *text)
{
	settle_live(text);
	fflush(stdout);
}

void
text_output_release(struct text_output *text)
{
	text_output_finish(text);
	buf_release(&text->live);
}
