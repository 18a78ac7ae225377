/* Connection files: good ones in every form, bad ones with their sentences. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/connection.h"
#include "tests/tap.h"

#define PORTS "\"shell_port\":1,\"iopub_port\":2,\"stdin_port\":3,\"control_port\":4,\"hb_port\":65535"
#define CURVE "\"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\""

static const struct {
	const char *text, *wanted; /* NULL: it is good */
} files[] = {
	{ "{\"key\":\"k\"," PORTS "}", NULL },
	{ "{\"key\":\"\",\"ip\":\"::1\",\"transport\":\"tcp\",\"signature_scheme\":\"\",\"more\":[]," PORTS "}", NULL },
	{ "{\"key\":\"k\",\"curve_publickey\":" CURVE ",\"curve_secretkey\":" CURVE "," PORTS "}", NULL },
	{ "{\"key\":\"k\",\"shell_port\":\"1\",\"iopub_port\":\"2\",\"stdin_port\":\"3\",\"control_port\":4,\"hb_port\":5}", NULL },
	{ "{\"key\":\"k\",\"kernel_id\":\"i\",\"registration_ip\":\"127.0.0.1\",\"registration_port\":9}", NULL },
	{ "", "the file is not JSON" },
	{ "[]", "the file is not an object" },
	{ "{\"key\":1," PORTS "}", "`key` is not a string" },
	{ "{" PORTS "}", "`key` is missing" },
	{ "{\"key\":\"k\",\"key\":\"l\"," PORTS "}", "the file is not JSON" },
	{ "{\"key\":\"k\"}", "`shell_port` is missing" },
	{ "{\"key\":\"k\",\"shell_port\":65536}", "`shell_port` is not a port" },
	{ "{\"key\":\"k\",\"shell_port\":-1}", "`shell_port` is not a port" },
	{ "{\"key\":\"k\",\"shell_port\":1.5}", "`shell_port` is not a port" },
	{ "{\"key\":\"k\",\"shell_port\":\"\"}", "`shell_port` is not a port" },
	{ "{\"key\":\"k\",\"shell_port\":\"1x\"}", "`shell_port` is not a port" },
	{ "{\"key\":\"k\",\"transport\":\"inproc\"," PORTS "}", "transport `inproc` is not known" },
	{ "{\"key\":\"k\",\"curve_publickey\":" CURVE "," PORTS "}", "belong together" },
	{ "{\"key\":\"k\",\"curve_publickey\":\"x\",\"curve_secretkey\":\"x\"," PORTS "}", "must have 40 characters" },
	{ "{\"key\":\"k\",\"kernel_id\":\"i\",\"registration_port\":0}", "`registration_port` is 0" },
	{ "{\"key\":\"k\",\"registration_port\":1}", "`kernel_id` is missing" },
	{ "{\"key\":\"k\",\"transport\":\"ipc\",\"kernel_id\":\"i\",\"registration_port\":1}", "over tcp only" },
};

static void
test_parse(void)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct connection connection;
		struct error err = { "" };
		int rc = connection_parse(&connection, files[i].text, strlen(files[i].text), &err);

		is_int(rc, files[i].wanted ? -1 : 0, "%s", files[i].text);
		if (files[i].wanted)
			contains(err.text, files[i].wanted, "says why");
		connection_release(&connection);
	}
}

static const struct {
	bool ipc;
	const char *ip;
	int port;
	const char *endpoint;
} endpoints[] = {
	{ false, "127.0.0.1", 5, "tcp://127.0.0.1:5" },
	{ false, "0.0.0.0", 0, "tcp://0.0.0.0:*" },
	{ false, "::1", 5, "tcp://[::1]:5" },
	{ false, "[::1]", 5, "tcp://[::1]:5" },
	{ true, "/run/k", 7, "ipc:///run/k-7" },
};

static void
test_endpoints(void)
{
	char endpoint[CONNECTION_ENDPOINT_MAX];
	struct connection connection = { 0 };
	struct error err;

	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
		connection.ipc = endpoints[i].ipc;
		connection.ip = xstrdup(endpoints[i].ip);
		is_int(connection_endpoint(&connection, endpoints[i].port, endpoint, &err), 0, "an endpoint");
		is_str(endpoint, endpoints[i].endpoint, "for %s", endpoints[i].ip);
		free(connection.ip);
	}
	connection.ip = xcalloc(1000, 1);
	memset(connection.ip, 'x', 999);
	is_int(connection_endpoint(&connection, 1, endpoint, &err), -1, "an address that is too long is refused");
	free(connection.ip);
}

static void
test_files(void)
{
	char *folder = test_temp_dir(), path[512];
	struct connection connection, again;
	struct stat st;
	struct error err;
	bool missing;

	snprintf(path, sizeof path, "%s/kernel.json", folder);
	is_int(connection_read(&connection, path, &missing, &err), 0, "no file is no error");
	ok(missing, "but missing");
	connection_new(&connection);
	ok(strlen(connection.key) >= 32, "a new connection has a key of its own");
	for (int i = 0; i < N_CHANNELS; i++)
		connection.ports[i] = 100 + i;
	is_int(connection_write(&connection, path, &err), 0, "it is written");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "for its owner only: mode %o", (unsigned)(st.st_mode & 0777));
	is_int(connection_read(&again, path, &missing, &err), 0, "and read again");
	is_str(again.key, connection.key, "the key");
	is_int(again.ports[CHANNEL_HB], 100 + CHANNEL_HB, "a port");
	snprintf(path, sizeof path, "%s/no/such/folder.json", folder);
	is_int(connection_write(&connection, path, &err), -1, "a folder that is not there");
	contains(err.text, "cannot write connection file", "says so");
	connection_release(&connection);
	is_int(connection_read(&connection, folder, &missing, &err), -1, "a folder is no file");
	connection_release(&again);
	test_remove_tree(folder);
	free(folder);
}

int
main(void)
{
	test_parse();
	test_endpoints();
	test_files();
	return done_testing();
}
