/* How much memory is left, from files as systems have them. */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "runtime/paths.h"
#include "runtime/step/memory.h"
#include "tests/tap.h"

enum { FILES_MAX = 10 };

static const struct {
	const char *what;
	const char *files[FILES_MAX][2]; /* path below the root, text */
	size_t bytes;
	const char *why;
} cases[] = {
	{ "no group", { { "proc/meminfo", "MemTotal: 100 kB\nMemAvailable:     50 kB\n" } }, 51200, "machine" },
	{ "nothing is known", { { "proc/none", "" } }, SIZE_MAX, "machine" },
	{ "a group without a limit",
	  { { "proc/meminfo", "MemAvailable: 50 kB\n" }, { "sys/fs/cgroup/memory.max", "max\n" }, { "sys/fs/cgroup/memory.current", "4000\n" } },
	  51200, "machine" },
	{ "a container's own group",
	  { { "proc/meminfo", "MemAvailable: 50 kB\n" }, { "proc/self/cgroup", "0::/\n" }, { "sys/fs/cgroup/memory.max", "10000\n" },
	    { "sys/fs/cgroup/memory.current", "4000\n" } },
	  6000, "control group" },
	{ "files in the cache are free",
	  { { "proc/meminfo", "MemAvailable: 50 kB\n" }, { "sys/fs/cgroup/memory.max", "10000\n" }, { "sys/fs/cgroup/memory.current", "9000\n" },
	    { "sys/fs/cgroup/memory.stat", "anon 1000\ninactive_file 5000\nactive_file 100\n" } },
	  6000, "control group" },
	{ "more in use than is allowed",
	  { { "proc/meminfo", "MemAvailable: 50 kB\n" }, { "sys/fs/cgroup/memory.max", "1000\n" }, { "sys/fs/cgroup/memory.current", "9000\n" } }, 0,
	  "control group" },
	{ "a group inside one that is smaller",
	  { { "proc/meminfo", "MemAvailable: 50 kB\n" }, { "proc/self/cgroup", "0::/user/run\n" }, { "sys/fs/cgroup/user/run/memory.max", "9000\n" },
	    { "sys/fs/cgroup/user/run/memory.current", "0\n" }, { "sys/fs/cgroup/user/memory.max", "3000\n" },
	    { "sys/fs/cgroup/user/memory.current", "1000\n" } },
	  2000, "control group" },
	{ "the first version of groups",
	  { { "proc/meminfo", "MemAvailable: 50 kB\n" }, { "proc/self/cgroup", "5:cpu:/x\n4:memory:/docker/1\n" },
	    { "sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "7000\n" }, { "sys/fs/cgroup/memory/docker/1/memory.usage_in_bytes", "1000\n" } },
	  6000, "control group" },
	{ "a limit that is none", { { "proc/meminfo", "MemAvailable: 50 kB\n" }, { "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n" },
	    { "sys/fs/cgroup/memory/memory.usage_in_bytes", "1\n" } }, 51200, "machine" },
};

static void
write_file(const char *root, const char *name, const char *text)
{
	struct buf path = { 0 };
	struct error err;
	char *slash;
	FILE *file;

	buf_printf(&path, "%s/%s", root, name);
	slash = strrchr(path.data, '/');
	*slash = '\0';
	if (paths_make(path.data, &err))
		ok(false, "%s", err.text);
	*slash = '/';
	file = fopen(path.data, "we");
	if (!file || fputs(text, file) < 0)
		ok(false, "%s can be written", path.data);
	if (file)
		fclose(file);
	buf_release(&path);
}

int
main(void)
{
	struct memory_free here = memory_free();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(freep) char *root = test_temp_dir();
		struct memory_free got;

		for (size_t k = 0; k < FILES_MAX && cases[i].files[k][0]; k++)
			write_file(root, cases[i].files[k][0], cases[i].files[k][1]);
		got = memory_free_below(root);
		ok(got.bytes == cases[i].bytes, "%s: %zu, should be %zu", cases[i].what, got.bytes, cases[i].bytes);
		contains(got.why, cases[i].why, "and why");
		test_remove_tree(root);
	}
	ok(here.bytes > 0, "this machine has some: %zu (%s)", here.bytes, here.why);
	ok(memory_peak() > 100 * 1024 || !memory_peak(), "and this process has had %zu", memory_peak());
	return done_testing();
}
