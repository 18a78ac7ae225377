#include "config.h"

#include "runtime/cluster/exec_plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/value.h"
#include "runtime/cluster/base64.h"
#include "runtime/paths.h"

extern char **environ;

enum { WORDS_MAX = 16 * 1024, WORDS_SHOWN = 400, POLL_SLICE = 100 };

struct plugin {
	const struct kubeconfig *config;
	struct arena *arena;
	pid_t pid;
	int out, words; /* read ends */
	struct buf *answer;
	struct buf said; /* on standard error */
};

/* {"apiVersion": …, "kind": "ExecCredential", "spec": {"interactive": false, "cluster": {…}}} */
static char *
exec_info(struct plugin *plugin)
{
	const struct kubeconfig *config = plugin->config;
	struct buf text = { 0 };
	char *copy;

	buf_puts(&text, "KUBERNETES_EXEC_INFO={\"apiVersion\":");
	value_write_json_string(&text, config->exec.version, strlen(config->exec.version));
	buf_puts(&text, ",\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":false");
	if (config->exec.wants_cluster) {
		buf_puts(&text, ",\"cluster\":{\"server\":");
		value_write_json_string(&text, config->server, strlen(config->server));
		if (config->server_name) {
			buf_puts(&text, ",\"tls-server-name\":");
			value_write_json_string(&text, config->server_name, strlen(config->server_name));
		}
		if (config->insecure)
			buf_puts(&text, ",\"insecure-skip-tls-verify\":true");
		if (config->authority.text) {
			buf_puts(&text, ",\"certificate-authority-data\":\"");
			base64_encode(&text, config->authority.text, config->authority.len);
			buf_puts(&text, "\"");
		}
		buf_puts(&text, "}");
	}
	buf_puts(&text, "}}");
	copy = arena_strndup(plugin->arena, buf_text(&text), text.len);
	buf_release(&text);
	return copy;
}

static bool
same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");

	return !strncmp(a, b, len + 1) && a[len] == '=';
}

/* Ours, with the plugin's own over them. */
static char **
environment(struct plugin *plugin)
{
	const struct kubeconfig_exec *exec = &plugin->config->exec;
	char *info = exec_info(plugin), **env;
	size_t n = 0, at = 0;

	while (environ[n])
		n++;
	env = arena_alloc(plugin->arena, (n + exec->n_env + 2) * sizeof *env);
	for (size_t i = 0; i < n; i++) {
		bool over = same_name(info, environ[i]);

		for (size_t j = 0; j < exec->n_env; j++)
			over |= same_name(exec->env[j], environ[i]);
		if (!over)
			env[at++] = environ[i];
	}
	for (size_t j = 0; j < exec->n_env; j++)
		env[at++] = arena_strdup(plugin->arena, exec->env[j]);
	env[at] = info;
	return env;
}

static char **
arguments(struct plugin *plugin, const char *program)
{
	const struct kubeconfig_exec *exec = &plugin->config->exec;
	char **args = arena_alloc(plugin->arena, (exec->n_args + 2) * sizeof *args);

	args[0] = arena_strdup(plugin->arena, program);
	for (size_t i = 0; i < exec->n_args; i++)
		args[i + 1] = arena_strdup(plugin->arena, exec->args[i]);
	return args;
}

static const char *
find_program(struct plugin *plugin, struct error *err)
{
	const struct kubeconfig_exec *exec = &plugin->config->exec;
	const char *search = getenv("PATH");
	const char *program = paths_program(plugin->arena, exec->command, search ? search : "/usr/local/bin:/usr/bin:/bin", exec->folder);

	if (!program)
		error_set(err, "the program that signs in to this cluster, `%.200s`, is not on PATH%s%.600s", exec->command,
			exec->hint ? ": " : "; install it, or let your cloud's tool write the kubeconfig anew", exec->hint ? exec->hint : "");
	return program;
}

static int
spawn(struct plugin *plugin, const char *program, int out, int words)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int rc;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGTERM);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, words, 2);
	/* A group of its own, so that what it starts ends with it, and an interrupt of the terminal is ours to handle. */
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	rc = posix_spawn(&plugin->pid, program, &actions, &attributes, arguments(plugin, program), environment(plugin));
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return rc;
}

static int
start(struct plugin *plugin, struct error *err)
{
	const char *program = find_program(plugin, err);
	int out[2], words[2], rc;

	if (!program)
		return -1;
	if (pipe2(out, O_CLOEXEC))
		return error_errno(err, errno, "no pipe");
	if (pipe2(words, O_CLOEXEC)) {
		close(out[0]);
		close(out[1]);
		return error_errno(err, errno, "no pipe");
	}
	rc = spawn(plugin, program, out[1], words[1]);
	close(out[1]);
	close(words[1]);
	plugin->out = out[0];
	plugin->words = words[0];
	if (!rc)
		return 0;
	close(out[0]);
	close(words[0]);
	return error_errno(err, rc, "the program that signs in to this cluster, `%s`, cannot be started", program);
}

static void
close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
read_end(struct plugin *plugin, int *fd)
{
	char bytes[4096];
	ssize_t n = read(*fd, bytes, sizeof bytes);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close_end(fd);
		return;
	}
	if (fd == &plugin->out) {
		buf_add(plugin->answer, bytes, (size_t)n);
	} else {
		buf_add(&plugin->said, bytes, (size_t)n);
		if (plugin->said.len > WORDS_MAX)
			buf_consume(&plugin->said, plugin->said.len - WORDS_MAX);
	}
	explicit_bzero(bytes, sizeof bytes);
}

static long
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Until both ends are closed. */
static int
collect(struct plugin *plugin, const struct exec_plugin_limits *limits, struct error *err)
{
	long timeout = limits->timeout ? limits->timeout : (long)EXEC_PLUGIN_TIMEOUT, end = now() + timeout;

	while (plugin->out >= 0 || plugin->words >= 0) {
		struct pollfd fds[2] = { { .fd = plugin->out, .events = POLLIN }, { .fd = plugin->words, .events = POLLIN } };
		long left = end - now();

		if (limits->stop && limits->stop(limits->context))
			return error_set(err, "signing in was interrupted");
		if (left <= 0)
			return error_set(err, "the program that signs in to this cluster, `%.200s`, did not end within %ld seconds: run it in a terminal, "
				"it may be waiting for you to sign in", plugin->config->exec.command, (timeout + 999) / 1000);
		if (poll(fds, 2, left < POLL_SLICE ? (int)left : POLL_SLICE) <= 0)
			continue;
		if (fds[0].revents)
			read_end(plugin, &plugin->out);
		if (fds[1].revents)
			read_end(plugin, &plugin->words);
		if (plugin->answer->len > EXEC_PLUGIN_ANSWER_MAX)
			return error_set(err, "the program that signs in to this cluster, `%.200s`, wrote more than %d bytes", plugin->config->exec.command,
				EXEC_PLUGIN_ANSWER_MAX);
	}
	return 0;
}

/* The end of what it said, on one line. */
static const char *
last_words(struct plugin *plugin)
{
	const char *text = buf_text(&plugin->said);
	size_t len = plugin->said.len, from;
	char *words;

	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	from = len > WORDS_SHOWN ? len - WORDS_SHOWN : 0;
	words = arena_strndup(plugin->arena, text + from, len - from);
	for (char *c = words; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = ' ';
	return words;
}

static int
judge(struct plugin *plugin, int status, struct error *err)
{
	const char *words = last_words(plugin), *command = plugin->config->exec.command;

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (WIFSIGNALED(status))
		error_set(err, "the program that signs in to this cluster, `%.200s`, was ended by signal %d", command, WTERMSIG(status));
	else
		error_set(err, "the program that signs in to this cluster, `%.200s`, ended with exit code %d%s%s", command, WEXITSTATUS(status),
			*words ? ": " : "", words);
	return -1;
}

int
exec_plugin_run(const struct kubeconfig *config, const struct exec_plugin_limits *limits, struct buf *ret, struct error *err)
{
	struct plugin plugin = { .config = config, .arena = arena_new(), .answer = ret, .out = -1, .words = -1 };
	int status = 0, rc = start(&plugin, err);

	if (!rc) {
		rc = collect(&plugin, limits, err);
		if (rc)
			kill(-plugin.pid, SIGKILL);
		close_end(&plugin.out);
		close_end(&plugin.words);
		while (waitpid(plugin.pid, &status, 0) < 0 && errno == EINTR)
			;
		if (!rc)
			rc = judge(&plugin, status, err);
	}
	buf_release(&plugin.said);
	arena_free(plugin.arena);
	return rc;
}
