#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/value.h"
#include "runtime/step/step.h"

enum { FLUSH_AT = 256 * 1024 };

const char *
step_text(const struct step_call *call, const char *option)
{
	for (size_t i = 0; i < STEP_OPTIONS_MAX && call->command->options[i].name; i++)
		if (!strcmp(call->command->options[i].name, option))
			return call->values[i];
	BUG("%s has no option --%s", call->command->name, option);
}

int
step_number(const struct step_call *call, const char *option, int64_t max, int64_t *ret, struct error *err)
{
	const char *text = step_text(call, option);
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	if (errno || !*text || *end || *ret < 0 || *ret > max)
		return error_set(err, "--%s wants a whole number from 0 to %lld, not `%s`", option, (long long)max, text);
	return 0;
}

int
step_real(const struct step_call *call, const char *option, double max, double *ret, struct error *err)
{
	const char *text = step_text(call, option);
	char *end;

	*ret = strtod(text, &end);
	if (!*text || *end || !(*ret >= 0 && *ret <= max))
		return error_set(err, "--%s wants a number from 0 to %g, not `%s`", option, max, text);
	return 0;
}

int
step_boolean(const struct step_call *call, const char *option, bool *ret, struct error *err)
{
	const char *text = step_text(call, option);

	*ret = !strcmp(text, "true");
	if (!*ret && strcmp(text, "false") != 0)
		return error_set(err, "--%s wants `true` or `false`, not `%s`", option, text);
	return 0;
}

double
step_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void
step_write_pair(struct buf *buf, const char *key, const char *text, size_t len)
{
	if (buf->len && buf->data[buf->len - 1] != '{')
		buf_putc(buf, ',');
	value_write_json_string(buf, key, strlen(key));
	buf_putc(buf, ':');
	value_write_json_string(buf, text, len);
}

int
step_output_open(struct step_output *output, const char *path, struct error *err)
{
	*output = (struct step_output){ .path = path, .file = fopen(path, "wbe") };
	return output->file ? 0 : error_errno(err, errno, "cannot make `%s`", path);
}

void
step_output_abandon(struct step_output *output)
{
	struct stat st;

	if (output->file)
		fclose(output->file);
	output->file = NULL;
	/* Half a file is removed; a device or a pipe that was written to is not ours to remove. */
	if (lstat(output->path, &st) == 0 && S_ISREG(st.st_mode))
		unlink(output->path);
	buf_release(&output->buf);
}

int
step_output_flush(struct step_output *output, bool last, struct error *err)
{
	int result = 0;

	if (output->buf.len >= FLUSH_AT || (last && output->buf.len)) {
		if (fwrite(output->buf.data, 1, output->buf.len, output->file) != output->buf.len)
			result = error_errno(err, errno, "cannot write `%s`", output->path);
		buf_clear(&output->buf);
	}
	if (last) {
		if (fclose(output->file) && !result)
			result = error_errno(err, errno, "cannot write `%s`", output->path);
		output->file = NULL;
		buf_release(&output->buf);
	}
	if (result)
		step_output_abandon(output);
	return result;
}

int
step_write(const char *path, const struct buf *buf, struct error *err)
{
	struct step_output output;

	if (buf->overflow)
		return error_set(err, "`%s` would be too large", path);
	if (step_output_open(&output, path, err))
		return -1;
	buf_add(&output.buf, buf_text(buf), buf->len);
	return step_output_flush(&output, true, err);
}
