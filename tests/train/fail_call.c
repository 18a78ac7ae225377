/* Runs a program in which one system call fails, or ends it as a power cut would: `fail_call CALL kill|ERRNO PROGRAM ARGS…`. By a filter of the
 * kernel (seccomp), so that the program knows nothing of it. */
#include "config.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NUMBERS_MAX = 4 };

/* The C library chooses among these. */
static const struct {
	const char *name;
	long numbers[NUMBERS_MAX]; /* -1 behind the last */
} calls[] = {
	{ "fsync", { SYS_fsync, -1 } },
#ifdef SYS_rename
	{ "rename", { SYS_rename, SYS_renameat, SYS_renameat2, -1 } },
	{ "mkdir", { SYS_mkdir, SYS_mkdirat, -1 } },
	{ "symlink", { SYS_symlink, SYS_symlinkat, -1 } },
	{ "rmdir", { SYS_rmdir, SYS_unlinkat, -1 } },
#else
	{ "rename", { SYS_renameat2, -1 } },
	{ "mkdir", { SYS_mkdirat, -1 } },
	{ "symlink", { SYS_symlinkat, -1 } },
	{ "rmdir", { SYS_unlinkat, -1 } },
#endif
};

static int
install(const long *numbers, unsigned action)
{
	struct sock_filter filter[3 + NUMBERS_MAX];
	struct sock_fprog program = { .filter = filter };
	unsigned short n = 0, k = 0;

	while (numbers[k] >= 0)
		k++;
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (unsigned short i = 0; i < k; i++)
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)numbers[i], (unsigned char)(k - i), 0);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
	program.len = n;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int
main(int argc, char **argv)
{
	unsigned action = SECCOMP_RET_KILL_PROCESS;

	if (argc < 4)
		return 125;
	if (strcmp(argv[2], "kill") != 0)
		action = SECCOMP_RET_ERRNO | (unsigned)strtoul(argv[2], NULL, 10);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!strcmp(calls[i].name, argv[1])) {
			if (install(calls[i].numbers, action))
				return 124;
			execvp(argv[3], argv + 3);
			return 126;
		}
	return 125;
}
