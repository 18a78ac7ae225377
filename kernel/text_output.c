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

/* A kept output: its displays are printed when it ends. */
struct kept_text {
	struct output output;
	struct text_output *text;
	struct buf last;
};

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

	pthread_mutex_lock(&text->lock);
	/* What a running step writes goes above the display of its run. */
	if (text->redraw)
		erase_live(text);
	fflush(is_stderr ? stdout : stderr);
	fwrite(bytes, 1, len, is_stderr ? stderr : stdout);
	fflush(is_stderr ? stderr : stdout);
	if (text->live_id && text->redraw && len && bytes[len - 1] == '\n')
		draw_live(text);
	pthread_mutex_unlock(&text->lock);
}

static void
text_display(struct output *output, json_t *data, json_t *metadata UNUSED, const char *display_id)
{
	struct text_output *text = self_of(output);
	struct buf plain = { 0 };

	pthread_mutex_lock(&text->lock);
	settle_live(text);
	put_plain(display_id ? &text->live : &plain, data);
	if (display_id)
		text->live_id = xstrdup(display_id);
	else
		fputs(buf_text(&plain), stdout);
	if (display_id && text->redraw)
		draw_live(text);
	pthread_mutex_unlock(&text->lock);
	buf_release(&plain);
}

static void
text_update(struct output *output, json_t *data, json_t *metadata UNUSED, const char *display_id)
{
	struct text_output *text = self_of(output);

	pthread_mutex_lock(&text->lock);
	if (!text->live_id || strcmp(text->live_id, display_id) != 0) {
		/* other things stand below it by now, so it goes on below them */
		settle_live(text);
		text->live_id = xstrdup(display_id);
	}
	buf_clear(&text->live);
	put_plain(&text->live, data);
	if (text->redraw) {
		erase_live(text);
		draw_live(text);
	}
	pthread_mutex_unlock(&text->lock);
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

	pthread_mutex_lock(&text->lock);
	settle_live(text);
	if (text->redraw)
		fputs("\033[H\033[2J", stdout);
	pthread_mutex_unlock(&text->lock);
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

	pthread_mutex_lock(&text->lock);
	settle_live(text);
	pthread_mutex_unlock(&text->lock);
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

/* ---- kept outputs ---- */

static void
kept_stream(struct output *output, bool is_stderr, const char *bytes, size_t len)
{
	struct kept_text *kept = (struct kept_text *)output;

	text_stream(&kept->text->output, is_stderr, bytes, len);
}

static void
kept_display(struct output *output, json_t *data, json_t *metadata UNUSED, const char *display_id UNUSED)
{
	struct kept_text *kept = (struct kept_text *)output;

	buf_clear(&kept->last);
	put_plain(&kept->last, data);
}

static void
kept_release(struct output *output)
{
	struct kept_text *kept = (struct kept_text *)output;
	struct text_output *text = kept->text;

	pthread_mutex_lock(&text->lock);
	settle_live(text);
	fwrite(buf_text(&kept->last), 1, kept->last.len, stdout);
	fflush(stdout);
	pthread_mutex_unlock(&text->lock);
	buf_release(&kept->last);
	free(kept);
}

static const struct output_ops kept_ops = {
	.stream = kept_stream,
	.display = kept_display,
	.update = kept_display,
	.flush = text_flush,
	.release = kept_release,
};

static struct output *
text_keep(struct output *output)
{
	struct kept_text *kept = xcalloc(1, sizeof *kept);

	kept->output.ops = &kept_ops;
	kept->text = self_of(output);
	return &kept->output;
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
	.keep = text_keep,
};

void
text_output_init(struct text_output *text, bool plain)
{
	pthread_mutexattr_t recursive;

	*text = (struct text_output){ .output = { &text_ops }, .redraw = !plain && isatty(STDOUT_FILENO), .allow_input = true };
	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&text->lock, &recursive);
	pthread_mutexattr_destroy(&recursive);
}

void
text_output_finish(struct text_output *text)
{
	pthread_mutex_lock(&text->lock);
	settle_live(text);
	fflush(stdout);
	pthread_mutex_unlock(&text->lock);
}

void
text_output_release(struct text_output *text)
{
	text_output_finish(text);
	pthread_mutex_destroy(&text->lock);
	buf_release(&text->live);
}
