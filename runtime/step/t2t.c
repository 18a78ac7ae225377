#include "config.h"

#include "runtime/step/t2t.h"

#include <string.h>

int
t2t_folder(const struct step_call *call, const char *option, struct buf *ret, struct error *err)
{
	const char *text = step_text(call, option), *scheme = strstr(text, "://");

	if (!strncmp(text, "file://", 7))
		text += 7;
	else if (!strncmp(text, "gs://", 5))
		return error_set(err, "--%s `%s` is in a bucket of Google Cloud Storage, and folders of this machine are wanted: copy it (gsutil -m cp -r %s FOLDER), "
				      "and give the folder",
			option, text, text);
	else if (scheme)
		return error_set(err, "--%s `%s` is no folder of this machine; one is wanted", option, text);
	if (!*text)
		return error_set(err, "--%s is empty, and a folder is wanted", option);
	buf_puts(ret, text);
	while (ret->len > 1 && ret->data[ret->len - 1] == '/')
		ret->data[--ret->len] = '\0';
	return 0;
}

int
t2t_output(const struct step_call *call, const char *option, const char *text, struct error *err)
{
	CLEANUP(buf_release) struct buf buf = { 0 };

	buf_puts(&buf, text);
	return *step_text(call, option) ? step_write(step_text(call, option), &buf, err) : 0;
}
