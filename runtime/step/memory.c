#include "config.h"

#include "runtime/step/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/buf.h"

enum { GROUPS_MAX = 4096 /* bytes of a group's path */ };

/* The number behind `key` in a file of the system, times `unit`; SIZE_MAX: there is none. */
static size_t
number_in(const char *path, const char *key, size_t unit)
{
	FILE *file = fopen(path, "re");
	size_t ret = SIZE_MAX;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key))) {
			char *end;
			unsigned long long number = strtoull(line + strlen(key), &end, 10);

			if (end != line + strlen(key) && number < SIZE_MAX / unit)
				ret = (size_t)number * unit;
			break;
		}
	if (file)
		fclose(file);
	return ret;
}

static size_t
number_of(const char *folder, const char *name, const char *key)
{
	CLEANUP(buf_release) struct buf path = { 0 };

	buf_printf(&path, "%s/%s", folder, name);
	return number_in(buf_text(&path), key, 1);
}

/* ---- control groups ---- */

static size_t
left_of(size_t limit, size_t used, size_t cache)
{
	if (limit == SIZE_MAX || used == SIZE_MAX)
		return SIZE_MAX;
	if (cache != SIZE_MAX)
		used -= cache < used ? cache : used;
	return limit > used ? limit - used : 0;
}

/* Of the second version of control groups, or of the first. */
static size_t
left_of_group(const char *folder)
{
	size_t left = left_of(number_of(folder, "memory.max", ""), number_of(folder, "memory.current", ""),
		number_of(folder, "memory.stat", "inactive_file "));

	if (left != SIZE_MAX)
		return left;
	return left_of(number_of(folder, "memory.limit_in_bytes", ""), number_of(folder, "memory.usage_in_bytes", ""),
		number_of(folder, "memory.stat", "total_inactive_file "));
}

/* The group's path as /proc names it: behind `0::`, or behind `N:memory:`. */
static void
group_of(const char *root, const char *prefix, char ret[GROUPS_MAX])
{
	CLEANUP(buf_release) struct buf path = { 0 };
	FILE *file;
	char line[GROUPS_MAX];

	*ret = '\0';
	buf_printf(&path, "%s/proc/self/cgroup", root);
	file = fopen(buf_text(&path), "re");
	while (file && fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, prefix);

		line[strcspn(line, "\n")] = '\0';
		if (at && (at == line || *prefix == ':'))
			snprintf(ret, GROUPS_MAX, "%s", at + strlen(prefix));
	}
	if (file)
		fclose(file);
}

/* Every group around it has its say. In a container the path may be one that is not to be seen here: then its own root is what counts. */
static size_t
left_of_groups(const char *root, const char *below, const char *prefix)
{
	CLEANUP(buf_release) struct buf folder = { 0 };
	char group[GROUPS_MAX], *slash = group;
	size_t left = SIZE_MAX;

	group_of(root, prefix, group);
	while (slash) {
		size_t here;

		buf_clear(&folder);
		buf_printf(&folder, "%s/sys/fs/cgroup%s%s", root, below, group);
		here = left_of_group(buf_text(&folder));
		left = here < left ? here : left;
		slash = strrchr(group, '/');
		if (slash)
			*slash = '\0';
	}
	return left;
}

/* ---- all of it ---- */

struct memory_free
memory_free_below(const char *root)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	struct memory_free ret = { .why = "by the machine's count" };
	size_t two, one, least;

	buf_printf(&path, "%s/proc/meminfo", root);
	ret.bytes = number_in(buf_text(&path), "MemAvailable:", 1024);
	two = left_of_groups(root, "", "0::");
	one = left_of_groups(root, "/memory", ":memory:");
	least = two < one ? two : one;
	if (least < ret.bytes)
		ret = (struct memory_free){ least, "by the limit of the control group" };
	return ret;
}

struct memory_free
memory_free(void)
{
	struct memory_free ret = memory_free_below("");
	size_t used = number_in("/proc/self/status", "VmSize:", 1024);
	struct rlimit limit;

	if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur == RLIM_INFINITY || used == SIZE_MAX)
		return ret;
	used = left_of((size_t)limit.rlim_cur, used, SIZE_MAX);
	if (used < ret.bytes)
		ret = (struct memory_free){ used, "by the limit of its address space" };
	return ret;
}

size_t
memory_peak(void)
{
	size_t peak = number_in("/proc/self/status", "VmHWM:", 1024);

	return peak == SIZE_MAX ? 0 : peak;
}
