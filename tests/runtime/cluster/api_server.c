#include "config.h"

#include "tests/runtime/cluster/api_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tap.h"

static char *
read_in(const struct api_server *server, const char *name)
{
	char path[512];
	size_t len;

	snprintf(path, sizeof path, "%s/%s", server->folder, name);
	return test_read_file(path, &len);
}

static void
spawn(struct api_server *server, FILE **ret_reply)
{
	CLEANUP(freep) char *script = test_path("tests/runtime/cluster/api_server.py");
	int in[2], out[2];

	if (pipe(in) || pipe(out))
		BUG("no pipes");
	server->pid = fork();
	if (!server->pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		execlp("python3", "python3", script, server->folder, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	server->in = in[1];
	*ret_reply = fdopen(out[0], "r");
}

bool
api_server_start(struct api_server *ret)
{
	static const char *const variables[] = { "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy", "http_proxy" };
	char line[64] = "";
	FILE *reply;

	*ret = (struct api_server){ .folder = test_temp_dir() };
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		unsetenv(variables[i]);
	spawn(ret, &reply);
	if (!reply || !fgets(line, sizeof line, reply))
		line[0] = '\0';
	if (reply)
		fclose(reply);
	if (sscanf(line, "%d %d %d %d", &ret->good, &ret->old, &ret->new, &ret->plain) != 4)
		return false;
	ret->ca = read_in(ret, "ca.crt");
	ret->other = read_in(ret, "other.crt");
	ret->certificate = read_in(ret, "ada.crt");
	ret->key = read_in(ret, "ada.key");
	return true;
}

void
api_server_stop(struct api_server *server)
{
	close(server->in);
	waitpid(server->pid, NULL, 0);
	free(server->ca);
	free(server->other);
	free(server->certificate);
	free(server->key);
	test_remove_tree(server->folder);
	free(server->folder);
}
