#include "config.h"

#include "runtime/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "dsl/eval.h"
#include "runtime/log.h"

/* Kubeflow's pages read these, and steps need not write them. */
static bool
may_be_missing(const struct port *port)
{
	return !strcmp(port->id, "mlpipeline_ui_metadata") || !strcmp(port->id, "mlpipeline_metrics");
}

static bool
lies_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return !strncmp(path, folder, len) && path[len] == '/';
}

/* The real place of the output, malloc'ed: links are followed as long as they stay in the folder. */
static char *
real_place(const struct outputs_request *request, const char *path, struct error *err)
{
	CLEANUP(freep) char *folder = realpath(request->folder, NULL);
	char *real = realpath(path, NULL);

	if (!folder || !real) {
		error_set(err, errno == ENOENT ? "the step did not write it" : "it cannot be read: %s", strerror(errno));
		free(real);
		return NULL;
	}
	if (!lies_in(real, folder)) {
		error_set(err, "it is a link that leads out of the step's folder");
		freep(&real);
	}
	return real;
}

static const char *
read_text(struct arena *arena, const char *path, size_t *ret_len, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	struct stat st;
	char *text;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st)) {
		error_errno(err, errno, "it cannot be read");
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > OUTPUT_VALUE_MAX + 1) {
		close(fd);
		error_set(err, S_ISDIR(st.st_mode) ? "it is a folder, where a value was promised" :
			S_ISREG(st.st_mode) ? "it has %lld bytes, and a value has at most %d" : "it is no ordinary file",
			(long long)st.st_size, OUTPUT_VALUE_MAX);
		return NULL;
	}
	text = arena_alloc(arena, (size_t)st.st_size + 1);
	for (*ret_len = 0; *ret_len < (size_t)st.st_size; *ret_len += (size_t)n)
		if ((n = read(fd, text + *ret_len, (size_t)st.st_size - *ret_len)) <= 0)
			break;
	close(fd);
	if (*ret_len && text[*ret_len - 1] == '\n')
		text[--*ret_len] = '\0';
	return text;
}

static int
check_text(const char *text, size_t len, struct error *err)
{
	if (len > OUTPUT_VALUE_MAX)
		return error_set(err, "it has %zu bytes, and a value has at most %d", len, OUTPUT_VALUE_MAX);
	if (!utf8_valid(text, len) || memchr(text, '\0', len))
		return error_set(err, "it is not text (UTF-8)");
	return 0;
}

/* Values of a run are stored and shown, so one that holds a secret is refused, and its file goes. */
static int
check_secrets(const struct outputs_request *request, const char *path, const char *text, size_t len, struct error *err)
{
	for (size_t i = 0; i < request->n_secrets; i++) {
		size_t secret = strlen(request->secrets[i]);

		if (secret < LOG_SECRET_MIN || !memmem(text, len, request->secrets[i], secret))
			continue;
		unlink(path);
		return error_set(err, "it holds a secret that the step was given, and values of a run are stored and shown");
	}
	return 0;
}

static const struct value *
read_value(const struct outputs_request *request, struct arena *arena, const char *path, const struct type *type,
	   struct error *err)
{
	size_t len;
	const char *text = read_text(arena, path, &len, err);

	if (!text || check_secrets(request, path, text, len, err) || check_text(text, len, err))
		return NULL;
	return eval_parse(arena, text, len, type_is_file(type) ? &TYPE_OF_STRING : type, err);
}

/* The file at its lasting place, moved there in one stroke. */
static const char *
keep_file(const struct outputs_request *request, struct arena *arena, const char *real, const char *id, struct error *err)
{
	const char *kept = arena_printf(arena, "%s/%s", request->keep, id);

	if (mkdir(request->keep, 0777) && errno != EEXIST) {
		error_errno(err, errno, "cannot make `%s`", request->keep);
		return NULL;
	}
	if (rename(real, kept)) {
		error_errno(err, errno, "cannot move it to `%s`", kept);
		return NULL;
	}
	return kept;
}

static int
read_output(const struct outputs_request *request, size_t i, struct arena *arena, struct engine_output *ret, struct error *err)
{
	const struct port *port = &request->component->outputs[i];
	CLEANUP(freep) char *real = NULL;
	bool by_file = port->passing == PASS_FILE;

	*ret = (struct engine_output){ 0 };
	if (!request->paths[i] || (may_be_missing(port) && access(request->paths[i], F_OK)))
		return 0;
	if (request->component->script && access(request->paths[i], F_OK))
		return error_set(err, "the script did not write it to the path in `$out_%s`", port->id);
	real = real_place(request, request->paths[i], err);
	if (!real)
		return -1;
	if (!by_file || (request->wants_text && request->wants_text[i])) {
		ret->value = read_value(request, arena, real, port->type, err);
		if (!ret->value)
			return -1;
	}
	if (by_file)
		ret->path = keep_file(request, arena, real, port->id, err);
	return by_file && !ret->path ? -1 : 0;
}

int
outputs_read(const struct outputs_request *request, struct arena *arena, struct engine_output *ret, struct error *err)
{
	for (size_t i = 0; i < request->component->n_outputs; i++)
		if (read_output(request, i, arena, &ret[i], err))
			return error_prefix(err, "output `%s`", request->component->outputs[i].name);
	return 0;
}
