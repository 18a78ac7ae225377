#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/paths.h"
#include "runtime/process_private.h"
#include "runtime/secrets.h"

static void
set_text(struct process_input *input, struct arena *arena, const struct value *value)
{
	struct buf text = { 0 };

	value_write_plain(&text, value);
	input->text = arena_strndup(arena, buf_text(&text), text.len);
	input->len = text.len;
	buf_release(&text);
}

int
process_add_secret(struct making *making, const struct secret *secret, const char **ret_text)
{
	struct buf text = { 0 };
	int result = secret_read(secret, &text, making->err);

	*ret_text = NULL;
	if (!result) {
		*ret_text = arena_strndup(making->arena, buf_text(&text), text.len);
		vec_push(&making->secrets, *ret_text);
	}
	if (text.data)
		explicit_bzero(text.data, text.len);
	buf_release(&text);
	return result < 0 ? -1 : 0;
}

static int
take_secret(struct making *making, size_t i, const struct secret *secret)
{
	struct process_input *input = &making->inputs[i];

	if (process_add_secret(making, secret, &input->text))
		return -1;
	input->given = input->text != NULL;
	input->len = input->text ? strlen(input->text) : 0;
	input->is_secret = true;
	if (!input->given && !making->component->inputs[i].optional)
		return error_set(making->err, "the secret is not there");
	return 0;
}

static int
take_path(struct making *making, struct process_input *input, const char *path)
{
	input->path = paths_absolute(making->arena, path, making->request->project);
	if (access(input->path, F_OK))
		return error_set(making->err, "there is no file `%s`", path);
	return 0;
}

static int
take_input(struct making *making, size_t i)
{
	const struct engine_input *given = &making->request->inputs[i];
	struct process_input *input = &making->inputs[i];

	input->given = given->kind != INPUT_ABSENT;
	switch (given->kind) {
	case INPUT_SECRET:
		return take_secret(making, i, given->secret);
	case INPUT_VALUE:
	case INPUT_TEXT:
		set_text(input, making->arena, given->value);
		break;
	case INPUT_PATH:
		return take_path(making, input, given->path);
	case INPUT_PATHS:
	case INPUT_ABSENT:
		break;
	}
	return 0;
}

int
process_take_inputs(struct making *making)
{
	for (size_t i = 0; i < making->component->n_inputs; i++)
		if (take_input(making, i))
			return error_prefix(making->err, "input `%s`", making->component->inputs[i].name);
	return 0;
}

/* A file under the name: the same bytes without a copy where that is possible. */
static int
gather_one(struct making *making, const char *from, const char *to)
{
	struct stat st;

	if (!stat(from, &st) && S_ISREG(st.st_mode) && !link(from, to))
		return 0;
	if (!symlink(from, to))
		return 0;
	return error_errno(making->err, errno, "cannot gather `%s`", from);
}

/* A folder whose entries are named by their index, Lists in Lists as folders in it. */
static int
gather(struct making *making, const struct value *paths, const char *folder)
{
	if (paths_make(folder, making->err))
		return -1;
	for (size_t i = 0; i < paths->list.n; i++) {
		const struct value *item = paths->list.items[i];
		const char *to = arena_printf(making->arena, "%s/%zu", folder, i);

		if (item->kind == VALUE_LIST && gather(making, item, to))
			return -1;
		if (item->kind == VALUE_STRING && gather_one(making, item->string.text, to))
			return -1;
	}
	return 0;
}

static int
place_as_file(struct making *making, size_t i, const char *folder)
{
	const struct engine_input *given = &making->request->inputs[i];
	struct process_input *input = &making->inputs[i];

	if (input->path || !input->given)
		return 0;
	input->path = arena_printf(making->arena, "%s/%s", folder, making->component->inputs[i].id);
	if (paths_make(folder, making->err))
		return -1;
	if (given->kind == INPUT_PATHS)
		return gather(making, given->value, input->path);
	return paths_write(input->path, input->text, input->len, 0644, making->err);
}

/* What is wanted as a file becomes one. A secret never does. */
int
process_place_inputs(struct making *making)
{
	const struct component *component = making->component;
	const char *folder = arena_printf(making->arena, "%s/in", making->request->folder);

	for (size_t i = 0; i < component->n_inputs; i++) {
		bool wanted = making->resolved.input_path[i] || component->inputs[i].passing == PASS_FILE;

		if (wanted && !making->inputs[i].is_secret && place_as_file(making, i, folder))
			return error_prefix(making->err, "input `%s`", component->inputs[i].name);
	}
	return 0;
}
