#include "config.h"

#include "tests/kernel/echo_language.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"

struct echo {
	atomic_bool interrupted;
	pid_t child; /* 0: none */
};

/* One command at work. */
struct job {
	struct echo *echo;
	const struct execute_request *request;
	struct output *output;
	struct execute_outcome *outcome;
	const char *rest; /* behind the command's word */
};

static const char *const commands[] = { "ask", "blob", "bytes", "child", "clear", "deaf", "display", "err", "fail", "lines",
	"page", "print", "result", "secret", "sleep", "update" };

static const char *const links[][2] = { { "Echo", "https://example.org/echo" }, { NULL, NULL } };

static const struct language_info info = {
	.implementation = "echo",
	.implementation_version = "1.0",
	.name = "echo",
	.version = "1.0",
	.mimetype = "text/x-echo",
	.file_extension = ".echo",
	.pygments_lexer = "text",
	.codemirror_mode = "text",
	.banner = "Echo, for tests",
	.help_links = links,
};

static void
say(struct job *job, bool is_stderr, const char *text)
{
	job->output->ops->stream(job->output, is_stderr, text, strlen(text));
}

static void
fail(struct job *job, const char *ename, const char *evalue)
{
	job->outcome->ok = false;
	job->outcome->ename = xstrdup(ename);
	job->outcome->evalue = xstrdup(evalue);
	job->outcome->traceback = xcalloc(1, sizeof *job->outcome->traceback);
	job->outcome->traceback[0] = xstrdup(evalue);
	job->outcome->n_traceback = 1;
}

static long
number(const struct job *job)
{
	return strtol(job->rest, NULL, 10);
}

static json_t *
text_bundle(const char *text, size_t len)
{
	return json_pack("{s:s%}", "text/plain", text, len);
}

static void
do_line(struct job *job, bool is_stderr)
{
	struct buf line = { 0 };

	buf_printf(&line, "%s\n", job->rest);
	say(job, is_stderr, line.data);
	buf_release(&line);
}

static void
do_print(struct job *job)
{
	do_line(job, false);
}

static void
do_err(struct job *job)
{
	do_line(job, true);
}

/* Two hex digits a byte; each byte is a write of its own. */
static void
do_bytes(struct job *job)
{
	unsigned byte;

	for (const char *at = job->rest; sscanf(at, "%2x", &byte) == 1; at += 2)
		job->output->ops->stream(job->output, false, (const char[]){ (char)byte }, 1);
}

static void
do_lines(struct job *job)
{
	char line[32];

	for (long i = 1; i <= number(job) && !atomic_load(&job->echo->interrupted); i++) {
		snprintf(line, sizeof line, "%ld\n", i);
		say(job, false, line);
	}
}

static void
do_blob(struct job *job)
{
	struct buf blob = { 0 };

	buf_repeat(&blob, 'x', (size_t)number(job));
	job->output->ops->stream(job->output, false, buf_text(&blob), blob.len);
	buf_release(&blob);
}

/* A display and a pager's text of so many bytes. */
static void
do_huge(struct job *job)
{
	struct buf text = { 0 };
	json_t *data;

	buf_repeat(&text, 'x', (size_t)number(job));
	data = text_bundle(buf_text(&text), text.len);
	job->output->ops->display(job->output, data, NULL, NULL);
	job->output->ops->page(job->output, data);
	json_decref(data);
	buf_release(&text);
}

static void
do_result(struct job *job)
{
	json_t *data = text_bundle(job->rest, strlen(job->rest));

	if (!job->request->silent)
		job->output->ops->result(job->output, data, NULL);
	json_decref(data);
}

static void
show(struct job *job, bool update)
{
	const char *space = strrchr(job->rest, ' ');
	json_t *data = text_bundle(job->rest, space ? (size_t)(space - job->rest) : strlen(job->rest));

	if (update)
		job->output->ops->update(job->output, data, NULL, space ? space + 1 : "");
	else
		job->output->ops->display(job->output, data, NULL, space ? space + 1 : NULL);
	json_decref(data);
}

static void
do_display(struct job *job)
{
	show(job, false);
}

static void
do_update(struct job *job)
{
	show(job, true);
}

static void
do_cell(struct job *job)
{
	say(job, false, job->request->cell_id ? job->request->cell_id : "none");
}

static void
do_clear(struct job *job)
{
	job->output->ops->clear(job->output, !strcmp(job->rest, "wait"));
}

static void
do_page(struct job *job)
{
	json_t *data = text_bundle(job->rest, strlen(job->rest));

	job->output->ops->page(job->output, data);
	json_decref(data);
}

static void
ask(struct job *job, bool password)
{
	const char *why = NULL;
	char *answer = job->output->ops->input(job->output, job->rest, password, &why);

	if (!answer && atomic_load(&job->echo->interrupted)) {
		fail(job, "KeyboardInterrupt", why);
		return;
	}
	say(job, false, answer ? "got: " : "none: ");
	say(job, false, answer ? answer : why);
	say(job, false, "\n");
	free(answer);
}

static void
do_ask(struct job *job)
{
	ask(job, false);
}

static void
do_secret(struct job *job)
{
	ask(job, true);
}

static void
do_deaf(struct job *job)
{
	long ms = number(job);
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) < 0)
		;
}

static void
do_sleep(struct job *job)
{
	for (long i = 0; i < number(job) / 2 + 1 && !atomic_load(&job->echo->interrupted); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 2 * 1000 * 1000 }, NULL);
}

static void
do_fail(struct job *job)
{
	fail(job, "E0001", job->rest);
}

static void
do_child(struct job *job)
{
	char line[32];
	pid_t pid = fork();

	if (pid == 0) {
		execlp("sleep", "sleep", "600", (char *)NULL);
		_exit(127);
	}
	job->echo->child = pid;
	snprintf(line, sizeof line, "%d\n", (int)pid);
	say(job, false, line);
}

static const struct {
	const char *word;
	void (*run)(struct job *job);
} jobs[] = {
	{ "ask", do_ask },
	{ "blob", do_blob },
	{ "bytes", do_bytes },
	{ "cell", do_cell },
	{ "child", do_child },
	{ "clear", do_clear },
	{ "deaf", do_deaf },
	{ "display", do_display },
	{ "err", do_err },
	{ "fail", do_fail },
	{ "huge", do_huge },
	{ "lines", do_lines },
	{ "page", do_page },
	{ "print", do_print },
	{ "result", do_result },
	{ "secret", do_secret },
	{ "sleep", do_sleep },
	{ "update", do_update },
};

static void
run_line(struct job *job, char *line)
{
	char *space = strchr(line, ' ');

	if (!*line || *line == '#')
		return;
	if (space)
		*space = '\0';
	job->rest = space ? space + 1 : "";
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		if (!strcmp(jobs[i].word, line)) {
			jobs[i].run(job);
			if (job->outcome->ok && atomic_load(&job->echo->interrupted))
				fail(job, "KeyboardInterrupt", "interrupted");
			return;
		}
	fail(job, "E0002", "no such command");
}

static void
echo_execute(void *self, const struct execute_request *request, struct output *output, struct execute_outcome *ret_outcome)
{
	struct job job = { .echo = self, .request = request, .output = output, .outcome = ret_outcome };
	CLEANUP(freep) char *code = xstrndup(request->code, request->code_len);
	char *rest = code, *line;

	atomic_store(&job.echo->interrupted, false);
	*ret_outcome = (struct execute_outcome){ .ok = true };
	while (ret_outcome->ok && (line = strsep(&rest, "\n")))
		run_line(&job, line);
}

static json_t *
echo_evaluate(void *self UNUSED, const char *expression)
{
	if (!strcmp(expression, "bad"))
		return json_pack("{s:s, s:s, s:s, s:[]}", "status", "error", "ename", "E0003", "evalue", "bad", "traceback");
	return json_pack("{s:s, s:{s:s}, s:{}}", "status", "ok", "data", "text/plain", expression, "metadata");
}

/* Commands that begin with the word before the cursor. */
static json_t *
echo_complete(void *self UNUSED, const char *code, size_t code_len UNUSED, size_t cursor, size_t *ret_start, size_t *ret_end)
{
	json_t *found = json_array();
	size_t start = cursor;

	while (start > 0 && code[start - 1] >= 'a' && code[start - 1] <= 'z')
		start--;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!strncmp(commands[i], code + start, cursor - start))
			json_array_append_new(found, json_pack("{s:s, s:s}", "text", commands[i], "type", "keyword"));
	*ret_start = start;
	*ret_end = cursor;
	return found;
}

static json_t *
echo_inspect(void *self UNUSED, const char *code, size_t code_len, size_t cursor UNUSED, int detail_level)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (code_len == strlen(commands[i]) && !memcmp(commands[i], code, code_len))
			return json_pack("{s:s+}", "text/plain", commands[i], detail_level ? ": a command, at length" : ": a command");
	return NULL;
}

static enum completeness
echo_is_complete(void *self UNUSED, const char *code, size_t code_len, const char **ret_indent)
{
	if (code_len && code[code_len - 1] == '\\') {
		*ret_indent = "  ";
		return CODE_INCOMPLETE;
	}
	return code_len && code[0] == '?' ? CODE_INVALID : CODE_COMPLETE;
}

static void
echo_interrupt(void *self)
{
	struct echo *echo = self;

	atomic_store(&echo->interrupted, true);
}

static void
echo_shutdown(void *self)
{
	struct echo *echo = self;

	if (echo->child <= 0)
		return;
	kill(echo->child, SIGKILL);
	waitpid(echo->child, NULL, 0);
}

static bool
echo_target_known(void *self UNUSED, const char *target_name)
{
	return !strcmp(target_name, "mirror");
}

/* Sends back what comes; closes on data {"close": true}. */
static json_t *
echo_comm(void *self UNUSED, const char *msg_type, const char *comm_id, const char *target_name UNUSED, json_t *content)
{
	json_t *data = json_object_get(content, "data");

	if (!strcmp(msg_type, "comm_close"))
		return NULL;
	if (json_is_true(json_object_get(data, "close")))
		return json_pack("[{s:s, s:{s:s, s:{}}}]", "msg_type", "comm_close", "content", "comm_id", comm_id, "data");
	return json_pack("[{s:s, s:{s:s, s:O?}, s:{s:b}}]", "msg_type", "comm_msg", "content", "comm_id", comm_id, "data", data,
		"metadata", "mirrored", 1);
}

static const struct language_ops ops = {
	.info = &info,
	.execute = echo_execute,
	.evaluate = echo_evaluate,
	.complete = echo_complete,
	.inspect = echo_inspect,
	.is_complete = echo_is_complete,
	.interrupt = echo_interrupt,
	.shutdown = echo_shutdown,
	.comm_target_known = echo_target_known,
	.comm = echo_comm,
};

struct language *
echo_language_new(void)
{
	struct language *language = xcalloc(1, sizeof *language);

	language->ops = &ops;
	language->self = xcalloc(1, sizeof(struct echo));
	return language;
}

void
echo_language_free(struct language *language)
{
	if (!language)
		return;
	free(language->self);
	free(language);
}
