#include "config.h"

#include "kernel/complete_path.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/utf8.h"

/* The offset behind the quote that opens the string around the cursor, or 0. */
static size_t
string_start(const char *code, size_t cursor)
{
	size_t line = cursor, open = 0;

	while (line > 0 && code[line - 1] != '\n')
		line--;
	for (size_t i = line; i < cursor; i++) {
		if (open && code[i] == '\\')
			i++;
		else if (code[i] == '"')
			open = open ? 0 : i + 1;
		else if (!open && code[i] == '#')
			return 0;
	}
	return open;
}

bool
complete_in_string(const char *code, size_t cursor, size_t *ret_start)
{
	size_t start = string_start(code, cursor);

	if (!start)
		return false;
	*ret_start = start;
	for (size_t i = start; i < cursor; i++)
		if (code[i] == '/')
			*ret_start = i + 1;
	return true;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The folder's names that begin so, folders with a slash; malloc'ed. */
static char **
list_folder(const char *folder, const char *prefix, size_t prefix_len, size_t *ret_n)
{
	VEC(char *) names = { 0 };
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && names.n < COMPLETE_PATHS_MAX && (entry = readdir(dir))) {
		struct buf name = { 0 };
		struct stat st;

		if (strncmp(entry->d_name, prefix, prefix_len) != 0 || (entry->d_name[0] == '.' && !prefix_len) ||
		    !utf8_valid(entry->d_name, strlen(entry->d_name)))
			continue;
		buf_puts(&name, entry->d_name);
		if (fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode))
			buf_putc(&name, '/');
		vec_push(&names, buf_detach(&name, NULL));
	}
	if (dir)
		closedir(dir);
	qsort(names.items, names.n, sizeof *names.items, compare_names);
	*ret_n = names.n;
	return names.items;
}

json_t *
complete_paths(const char *code, size_t cursor)
{
	size_t start, open = string_start(code, cursor), n;
	json_t *found = json_array();
	CLEANUP(freep) char *folder = NULL;
	CLEANUP(freep) char **names = NULL;

	if (!complete_in_string(code, cursor, &start))
		return found;
	folder = start > open ? xstrndup(code + open, start - open) : xstrdup(".");
	names = list_folder(folder, code + start, cursor - start, &n);
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(found, json_pack("{s:s, s:s}", "text", names[i], "type", "path"));
		free(names[i]);
	}
	return found;
}
