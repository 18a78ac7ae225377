#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/store_private.h"

static size_t
read_proc(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* Field 22 of /proc/PID/stat; the name in field 2 may hold blanks and parentheses. A zombie does not live. 0: none. */
static int64_t
start_time(int64_t pid)
{
	char path[64], text[1024];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	if (!read_proc(path, text, sizeof(text)) || !(at = strrchr(text, ')')))
		return 0;
	if (at[1] != ' ' || at[2] == 'Z' || at[2] == 'X')
		return 0;
	at++;
	for (int field = 3; at && field <= 22; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at ? strtoll(at, NULL, 10) : 0;
}

static void
boot_id(char *ret, size_t size)
{
	read_proc("/proc/sys/kernel/random/boot_id", ret, size);
	ret[strcspn(ret, "\n")] = '\0';
}

void
store_owner_self(struct store_owner *owner)
{
	owner->pid = getpid();
	owner->start = start_time(owner->pid);
	boot_id(owner->boot, sizeof(owner->boot));
}

bool
store_owner_lives(const struct store_owner *owner)
{
	char boot[sizeof(owner->boot)];

	boot_id(boot, sizeof(boot));
	return !strcmp(boot, owner->boot) && owner->start && start_time(owner->pid) == owner->start;
}
