#include "config.h"

#include "kernels/cuda/choices.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, LINE_SIZE = CHOICES_KEY_MAX + CHOICES_WORDS * 17 + 2, LINES_MAX = 100000 };

struct choices {
	char path[PATH_SIZE];
};

static bool
make_folder(char *path)
{
	struct stat st;

	return (!mkdir(path, 0777) || errno == EEXIST) && !stat(path, &st) && S_ISDIR(st.st_mode);
}

struct choices *
choices_open(const char *machine)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME"), *tune = getenv("LATEEN_CUDA_TUNE");
	struct choices *c;
	size_t n;

	if ((tune && !strcmp(tune, "0")) || ((!cache || *cache != '/') && (!home || *home != '/')))
		return NULL;
	c = (struct choices *)calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	n = (size_t)snprintf(c->path, sizeof(c->path), "%s%s", cache && *cache == '/' ? cache : home, cache && *cache == '/' ? "" : "/.cache");
	if (n + strlen(machine) + 64 < sizeof(c->path) && make_folder(c->path) && (n += (size_t)snprintf(c->path + n, 16, "/lateen")) &&
	    make_folder(c->path) && !access(c->path, W_OK)) {
		n += (size_t)snprintf(c->path + n, 32, "/cuda-");
		for (; *machine; machine++)
			c->path[n++] = strchr("/ \t\n", *machine) ? '_' : *machine;
		c->path[n] = '\0';
		return c;
	}
	free(c);
	return NULL;
}

void
choices_close(struct choices *c)
{
	free(c);
}

/* A line's choice, if its key is this one and it is whole. */
static bool
read_line(const char *line, const char *key, uint64_t ret[CHOICES_WORDS])
{
	size_t n = strlen(key);
	const char *at = line + n;
	char *end;

	if (strncmp(line, key, n) != 0 || *at != ' ')
		return false;
	for (int i = 0; i < CHOICES_WORDS; i++) {
		errno = 0;
		ret[i] = strtoull(at, &end, 16);
		if (end == at || errno)
			return false;
		at = end;
	}
	return *at == '\n';
}

static bool
find(FILE *file, const char *key, uint64_t ret[CHOICES_WORDS])
{
	char line[LINE_SIZE];

	for (int i = 0; i < LINES_MAX && fgets(line, sizeof(line), file); i++)
		if (read_line(line, key, ret))
			return true;
	return false;
}

bool
choices_find(struct choices *c, const char *key, uint64_t ret[CHOICES_WORDS])
{
	FILE *file = c ? fopen(c->path, "re") : NULL;
	bool found = file && find(file, key, ret);

	if (file)
		fclose(file);
	return found;
}

void
choices_keep(struct choices *c, const char *key, uint64_t words[CHOICES_WORDS])
{
	FILE *file = c ? fopen(c->path, "a+e") : NULL;
	uint64_t other[CHOICES_WORDS];

	if (!file)
		return;
	if (!flock(fileno(file), LOCK_EX)) {
		rewind(file);
		if (find(file, key, other)) {
			memcpy(words, other, sizeof(other));
		} else {
			fprintf(file, "%s", key);
			for (int i = 0; i < CHOICES_WORDS; i++)
				fprintf(file, " %" PRIx64, words[i]);
			fprintf(file, "\n");
		}
	}
	fclose(file); /* which also gives the lock back */
}
