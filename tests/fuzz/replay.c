/* main() of a fuzz target that was not linked with libFuzzer: gives the target every file of its corpus,
 * tests/fuzz/corpus/NAME for the program fuzz_NAME, and the empty input. A crash is the failure. */
#include "config.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "tests/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
replay_file(const char *folder, const char *name)
{
	CLEANUP(freep) char *path = xmalloc(strlen(folder) + strlen(name) + 2);
	CLEANUP(freep) char *bytes = NULL;
	size_t len = 0;

	snprintf(path, strlen(folder) + strlen(name) + 2, "%s/%s", folder, name);
	bytes = test_read_file(path, &len);
	if (!ok(bytes, "%s is readable", name))
		return;
	/* A block of its exact size, so that the sanitizer sees a read past the end. */
	bytes = xrealloc(bytes, len ? len : 1);
	ok(LLVMFuzzerTestOneInput((const uint8_t *)bytes, len) == 0, "%s", name);
}

int
main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];
	char in_tree[256];
	CLEANUP(freep) char *folder = NULL;
	struct dirent **entries = NULL;
	int n;

	snprintf(in_tree, sizeof(in_tree), "tests/fuzz/corpus/%s", name + (strncmp(name, "fuzz_", 5) ? 0 : 5));
	folder = argc > 1 ? xstrdup(argv[1]) : test_path(in_tree);
	ok(LLVMFuzzerTestOneInput((const uint8_t *)"", 0) == 0, "the empty input");
	n = scandir(folder, &entries, is_visible, alphasort);
	ok(n > 0, "there is a corpus in %s", in_tree);
	for (int i = 0; i < n; i++) {
		replay_file(folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return done_testing();
}
