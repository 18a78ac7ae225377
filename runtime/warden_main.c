#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "runtime/warden_private.h"

enum { ENVIRON_MAX = 256 * 1024, ENTRIES_MAX = 32 * 1024, SHUTDOWN_MS = 2000, SWEEP_MS = 200 };

struct warden_side {
	struct warden_table *table;
	size_t n; /* processes that run */
	int socket, signals, null;
	pid_t self;
	int64_t sweep_at; /* when to look for what steps left behind; 0: no need */
	char *environ_bytes, *entries; /* scratch */
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
tell(const struct warden_side *w, uint64_t id, enum report_kind kind, int number)
{
	struct report report = { .id = id, .kind = kind, .number = number };

	while (send(w->socket, &report, sizeof(report), MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

static struct warden_process *
by_pid(const struct warden_side *w, pid_t pid)
{
	for (size_t i = 0; i < WARDEN_PROCESSES_MAX; i++)
		if (w->table->processes[i].pid == pid)
			return &w->table->processes[i];
	return NULL;
}

static struct warden_process *
by_id(const struct warden_side *w, uint64_t id)
{
	for (size_t i = 0; i < WARDEN_PROCESSES_MAX; i++)
		if (w->table->processes[i].pid && w->table->processes[i].id == id)
			return &w->table->processes[i];
	return NULL;
}

/* ---- starting ---- */

struct program {
	char *bytes; /* the strings, then room for the pointers */
	size_t size;
	const char *path, *cwd;
	char **argv, **envp;
	char marker[64];
};

static void
write_marker(char *text, uint64_t id)
{
	static const char prefix[] = WARDEN_MARKER "=";
	char digits[24];
	size_t n = 0, at = sizeof(prefix) - 1;

	memcpy(text, prefix, at);
	do
		digits[n++] = (char)('0' + id % 10);
	while (id /= 10);
	while (n)
		text[at++] = digits[--n];
	text[at] = '\0';
}

static char *
next_string(char **at)
{
	char *text = *at;

	*at += strlen(text) + 1;
	return text;
}

/* Maps the strings and builds the two arrays behind them. The strings are the owner's own: they are not checked. */
static bool
read_program(struct program *program, const struct order *order, int fd)
{
	size_t strings = (order->size + 15) / 16 * 16;
	size_t pointers = (order->n_argv + order->n_envp + 3) * sizeof(char *);
	char *at;

	program->size = strings + pointers;
	program->bytes = mmap(NULL, program->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (program->bytes == MAP_FAILED)
		return false;
	for (size_t got = 0; got < order->size;) {
		ssize_t n = pread(fd, program->bytes + got, order->size - got, (off_t)got);

		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	at = program->bytes;
	program->path = next_string(&at);
	program->cwd = next_string(&at);
	program->argv = (char **)(void *)(program->bytes + strings);
	program->envp = program->argv + order->n_argv + 1;
	for (uint32_t i = 0; i < order->n_argv; i++)
		program->argv[i] = next_string(&at);
	for (uint32_t i = 0; i < order->n_envp; i++)
		program->envp[i] = next_string(&at);
	write_marker(program->marker, order->id);
	program->envp[order->n_envp] = program->marker;
	return true;
}

/* outputs: standard output and error. In the child, which shares its parent's memory until it is another program. */
static void
become(const struct program *program, int null, const int *outputs, volatile int *ret_errno)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL); /* ours to ignore, not a step's: `yes | head` ends quietly */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(null, 0) >= 0 && dup2(outputs[0], 1) >= 0 && dup2(outputs[1], 2) >= 0 && !chdir(program->cwd)) {
		close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		execve(program->path, program->argv, program->envp);
	}
	*ret_errno = errno;
	_exit(127);
}

static pid_t
start(const struct program *program, int null, const int *outputs, int *ret_errno)
{
	volatile int problem = 0;
	pid_t pid = vfork();

	if (!pid)
		become(program, null, outputs, &problem);
	*ret_errno = pid < 0 ? errno : problem;
	if (pid > 0 && problem) {
		waitpid(pid, NULL, 0);
		return -1;
	}
	return pid;
}

static void
take_spawn(struct warden_side *w, const struct order *order, int program_fd, const int *outputs)
{
	struct program program = { 0 };
	struct warden_process *slot = by_pid(w, 0);
	int problem = EAGAIN;
	pid_t pid = -1;

	if (slot && read_program(&program, order, program_fd))
		pid = start(&program, w->null, outputs, &problem);
	if (program.bytes && program.bytes != MAP_FAILED)
		munmap(program.bytes, program.size);
	if (pid <= 0) {
		tell(w, order->id, REPORT_FAILED, problem);
		return;
	}
	*slot = (struct warden_process){ pid, order->id };
	w->n++;
}

static void
take_signal(const struct warden_side *w, const struct order *order)
{
	const struct warden_process *process = by_id(w, order->id);

	if (!process)
		return;
	kill(-process->pid, order->number);
	if (order->number == SIGTERM)
		kill(-process->pid, SIGCONT);
}

/* False when the owner is gone. */
static bool
take_order(struct warden_side *w)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(ORDER_FDS * sizeof(int))];
	} control;
	struct order order;
	struct iovec iov = { &order, sizeof(order) };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(w->socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	int fds[ORDER_FDS];

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n != (ssize_t)sizeof(order))
		return false;
	if (order.kind == ORDER_SIGNAL) {
		take_signal(w, &order);
		return true;
	}
	if (!CMSG_FIRSTHDR(&message))
		return false;
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fds));
	take_spawn(w, &order, fds[0], fds + 1);
	for (int i = 0; i < ORDER_FDS; i++)
		close(fds[i]);
	return true;
}

/* ---- ending ---- */

static size_t
read_file(const char *path, char *bytes, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 1;

	while (fd >= 0 && len < max - 1 && (n = read(fd, bytes + len, max - 1 - len)) > 0)
		len += (size_t)n;
	if (fd >= 0)
		close(fd);
	bytes[len] = '\0';
	return len;
}

/* "/proc/PID/FILE", without stdio. */
static void
proc_path(char *path, pid_t pid, const char *file)
{
	char digits[24];
	size_t n = 0, at = 6;

	memcpy(path, "/proc/", 6);
	do
		digits[n++] = (char)('0' + pid % 10);
	while (pid /= 10);
	while (n)
		path[at++] = digits[--n];
	path[at++] = '/';
	memcpy(path + at, file, strlen(file) + 1);
}

/* Is it marked as belonging to an attempt that still runs? */
static bool
is_wanted(const struct warden_side *w, pid_t pid)
{
	static const char prefix[] = WARDEN_MARKER "=";
	char path[64];
	size_t len;

	proc_path(path, pid, "environ");
	len = read_file(path, w->environ_bytes, ENVIRON_MAX);
	for (size_t at = 0; at < len; at += strlen(w->environ_bytes + at) + 1)
		if (!strncmp(w->environ_bytes + at, prefix, sizeof(prefix) - 1))
			return by_id(w, strtoull(w->environ_bytes + at + sizeof(prefix) - 1, NULL, 10)) != NULL;
	return w->n > 0;
}

/* Is it our child? /proc/PID/stat: the number, the name in parentheses (it may hold any), a letter, the parent. */
static bool
is_child(const struct warden_side *w, pid_t pid)
{
	char path[64], text[512];
	const char *behind;

	proc_path(path, pid, "stat");
	read_file(path, text, sizeof(text));
	behind = strrchr(text, ')');
	return behind && strlen(behind) > 4 && strtol(behind + 4, NULL, 10) == (long)w->self;
}

static void
sweep_one(const struct warden_side *w, pid_t pid, int number)
{
	if (pid > 0 && !by_pid(w, pid) && is_child(w, pid) && !is_wanted(w, pid))
		kill(pid, number);
}

/* One entry of what getdents64 gives. */
struct entry {
	uint64_t inode;
	int64_t offset;
	unsigned short size;
	unsigned char type;
	char name[];
};

/* Children that we did not start are what steps left behind: they came to us when their parents died. Not every kernel
 * lists a process's children, so all processes are looked at; that is why it is not done at each exit (SWEEP_MS). */
static void
sweep(struct warden_side *w, int number)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n;

	w->sweep_at = 0;
	while (proc >= 0 && (n = syscall(SYS_getdents64, proc, w->entries, ENTRIES_MAX)) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *entry = (const void *)(w->entries + at);

			sweep_one(w, (pid_t)strtol(entry->name, NULL, 10), number);
			at += entry->size;
		}
	}
	if (proc >= 0)
		close(proc);
}

/* The group is killed while its leader is still a zombie, for then nobody else can have its number. */
static void
end_process(struct warden_side *w, struct warden_process *process, const siginfo_t *info)
{
	uint64_t id = process->id;

	kill(-process->pid, SIGKILL);
	waitpid(process->pid, NULL, 0);
	process->pid = 0;
	w->n--;
	tell(w, id, info->si_code == CLD_EXITED ? REPORT_EXITED : REPORT_KILLED, info->si_status);
}

/* False when there are no children at all. */
static bool
reap(struct warden_side *w)
{
	for (;;) {
		struct warden_process *process;
		siginfo_t info = { 0 };

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT))
			return errno != ECHILD;
		if (!info.si_pid)
			return true;
		if (!w->sweep_at)
			w->sweep_at = now_ms() + SWEEP_MS;
		process = by_pid(w, info.si_pid);
		if (process)
			end_process(w, process, &info);
		else
			waitpid(info.si_pid, NULL, 0);
	}
}

static void
drain_signals(const struct warden_side *w)
{
	struct signalfd_siginfo info;

	while (read(w->signals, &info, sizeof(info)) > 0)
		;
}

static void
signal_all(const struct warden_side *w, int number)
{
	for (size_t i = 0; i < WARDEN_PROCESSES_MAX; i++)
		if (w->table->processes[i].pid)
			kill(-w->table->processes[i].pid, number);
}

/* Reaps until no child is left or the time is over. */
static bool
wait_for_all(struct warden_side *w, int64_t ms, int number)
{
	int64_t end = now_ms() + ms;

	for (;;) {
		struct pollfd poller = { w->signals, POLLIN, 0 };
		int64_t left = end - now_ms();

		drain_signals(w);
		if (!reap(w))
			return true;
		if (!w->n && now_ms() >= w->sweep_at)
			sweep(w, number);
		if (left <= 0)
			return false;
		poll(&poller, 1, left < 50 ? (int)left : 50);
	}
}

static NORETURN void
shut_down(struct warden_side *w)
{
	signal_all(w, SIGTERM);
	signal_all(w, SIGCONT);
	if (!wait_for_all(w, w->table->grace_ms, SIGKILL)) {
		signal_all(w, SIGKILL);
		wait_for_all(w, SHUTDOWN_MS, SIGKILL);
	}
	_exit(0);
}

static void
close_all_above(int last)
{
	if (!close_range((unsigned)last + 1, ~0U, 0))
		return;
	/* A kernel before 5.9. */
	for (int fd = last + 1; fd < (int)sysconf(_SC_OPEN_MAX) && fd < 65536; fd++)
		close(fd);
}

static int
open_signals(void)
{
	sigset_t set;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static char *
scratch(size_t size)
{
	char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		_exit(1);
	return bytes;
}

static int
sweep_wait(const struct warden_side *w)
{
	int64_t left = w->sweep_at - now_ms();

	return !w->sweep_at ? -1 : left < 0 ? 0 : (int)left;
}

void
warden_main(int socket, struct warden_table *table)
{
	struct warden_side w = { .table = table, .socket = 3 };
	bool children = false;

	setsid();
	prctl(PR_SET_NAME, "lateen-warden");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* The descriptors that the owner had are not ours to keep open. */
	if (socket != 3 && dup2(socket, 3) < 0)
		_exit(1);
	close_all_above(3);
	fcntl(3, F_SETFD, FD_CLOEXEC);
	w.self = getpid();
	w.null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(w.null, 0);
	dup2(w.null, 1);
	dup2(w.null, 2);
	w.signals = open_signals();
	w.environ_bytes = scratch(ENVIRON_MAX);
	w.entries = scratch(ENTRIES_MAX);
	for (;;) {
		struct pollfd pollers[2] = { { w.socket, POLLIN, 0 }, { w.signals, POLLIN, 0 } };

		if (poll(pollers, 2, sweep_wait(&w)) < 0)
			continue;
		if (pollers[1].revents) {
			drain_signals(&w);
			children = reap(&w);
		}
		if (w.sweep_at && ((!w.n && children) || now_ms() >= w.sweep_at))
			sweep(&w, SIGKILL);
		if (pollers[0].revents && !take_order(&w))
			shut_down(&w);
	}
}
