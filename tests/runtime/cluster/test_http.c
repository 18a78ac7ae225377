/* The http seam over libcurl, against a TLS server with certificates of its own (api_server.py). */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/value.h"
#include "runtime/cluster/http.h"
#include "tests/tap.h"

struct world {
	pid_t pid;
	int in; /* closing it ends the server */
	int good, old, new, plain; /* ports */
	char *folder;
	struct http *http;
	char *ca, *other, *certificate, *key; /* PEM */
};

static char *
read_in(const struct world *world, const char *name)
{
	char path[512];
	size_t len;

	snprintf(path, sizeof path, "%s/%s", world->folder, name);
	return test_read_file(path, &len);
}

/* False when python3 or openssl are not there. */
static bool
start_server(struct world *world)
{
	CLEANUP(freep) char *script = test_path("tests/runtime/cluster/api_server.py");
	int in[2], out[2];
	char line[64] = "";
	FILE *reply;

	if (pipe(in) || pipe(out))
		BUG("no pipes");
	world->pid = fork();
	if (!world->pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		execlp("python3", "python3", script, world->folder, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	world->in = in[1];
	reply = fdopen(out[0], "r");
	if (!reply || !fgets(line, sizeof line, reply))
		line[0] = '\0';
	if (reply)
		fclose(reply);
	return sscanf(line, "%d %d %d %d", &world->good, &world->old, &world->new, &world->plain) == 4;
}

static struct http_request
request_to(const struct world *world, char *url, size_t size, const char *scheme, const char *host, int port, const char *path)
{
	snprintf(url, size, "%s://%s:%d%s", scheme, host, port, path);
	return (struct http_request){ .method = "GET", .url = url, .authority = { world->ca, strlen(world->ca) } };
}

static enum http_outcome
ask(struct world *world, const struct http_request *request, struct http_reply *reply)
{
	struct error err = { "" };
	enum http_outcome outcome;

	*reply = (struct http_reply){ 0 };
	outcome = world->http->exchange(world->http, request, reply, &err);
	if (outcome != HTTP_ANSWERED)
		tap_note("%s", err.text);
	ok(!strstr(err.text, "hunter2"), "nothing secret in what is said of %s", request->url);
	return outcome;
}

static void
test_good(struct world *world)
{
	static const struct http_header headers[] = { { "Impersonate-Group", "ops" }, { "Impersonate-Group", "dev" } };
	char url[256];
	struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->good, "/x?y=1");
	struct http_reply reply;

	request.method = "POST";
	request.body = "{\"a\": 1}";
	request.body_len = strlen(request.body);
	request.token = "hunter2";
	request.headers = headers;
	request.n_headers = ARRAY_LEN(headers);
	request.certificate = (struct http_pem){ world->certificate, strlen(world->certificate) };
	request.key = (struct http_pem){ world->key, strlen(world->key) };
	is_int(ask(world, &request, &reply), HTTP_ANSWERED, "a POST with everything");
	is_int(reply.status, 200, "its status");
	is_str(reply.content_type, "application/json", "its kind");
	ok(*reply.date, "the server's clock: %s", reply.date);
	is_str(buf_text(&reply.body),
		"{\"method\": \"POST\", \"path\": \"/x?y=1\", \"body\": \"{\\\"a\\\": 1}\", \"who\": \"ada\", \"authorization\": \"Bearer hunter2\", "
		"\"accept\": \"application/json\", \"type\": \"application/json\", \"groups\": [\"ops\", \"dev\"], \"host\": \"127.0.0.1\", \"name\": null}",
		"what the server got");
	http_reply_release(&reply);
}

static void
test_basic(struct world *world)
{
	char url[256];
	struct http_request request = request_to(world, url, sizeof url, "https", "localhost", world->good, "/");
	struct http_reply reply;

	request.user = "ada";
	request.password = "hunter2";
	is_int(ask(world, &request, &reply), HTTP_ANSWERED, "a user name and password");
	contains(buf_text(&reply.body), "\"authorization\": \"Basic YWRhOmh1bnRlcjI=\"", "as HTTP has them");
	http_reply_release(&reply);
}

static void
test_server_name(struct world *world)
{
	char url[256];
	struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->good, "/x");
	struct http_reply reply;

	request.server_name = "kube.example";
	is_int(ask(world, &request, &reply), HTTP_ANSWERED, "a server name that the certificate has");
	contains(buf_text(&reply.body), "\"host\": \"127.0.0.1\", \"name\": \"kube.example\"", "it is asked for in TLS; the Host header stays");
	http_reply_release(&reply);
	request.server_name = "other.example";
	is_int(ask(world, &request, &reply), HTTP_OTHER_NAME, "a server name that the certificate has not");
	http_reply_release(&reply);
}

static void
test_trust(struct world *world)
{
	const struct {
		int port;
		const char *scheme, *host, *ca;
		enum http_outcome outcome;
		const char *what;
	} cases[] = {
		{ world->old, "https", "127.0.0.1", world->ca, HTTP_CERTIFICATE_EXPIRED, "an expired certificate" },
		{ world->new, "https", "127.0.0.1", world->ca, HTTP_CERTIFICATE_EARLY, "a certificate of the future" },
		{ world->good, "https", "127.0.0.1", world->other, HTTP_UNKNOWN_AUTHORITY, "another authority" },
		{ world->good, "https", "127.0.0.1", NULL, HTTP_UNKNOWN_AUTHORITY, "only the system's authorities" },
		{ world->good, "https", "127.0.0.1", "-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n", HTTP_BAD_CLIENT,
		  "an authority that is none" },
		{ world->plain, "https", "127.0.0.1", world->ca, HTTP_NOT_TLS, "a server without TLS" },
		{ world->good, "http", "127.0.0.1", world->ca, HTTP_CUT, "plain text to a server with TLS" },
		{ 1, "https", "127.0.0.1", world->ca, HTTP_NO_CONNECTION, "a port where nobody is" },
		{ 443, "https", "no-such-host.invalid", world->ca, HTTP_NO_NAME, "a host that is not known" },
	};
	char url[256];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_request request = request_to(world, url, sizeof url, cases[i].scheme, cases[i].host, cases[i].port, "/");
		struct http_reply reply;

		request.token = "hunter2";
		request.authority = (struct http_pem){ cases[i].ca, cases[i].ca ? strlen(cases[i].ca) : 0 };
		is_int(ask(world, &request, &reply), cases[i].outcome, "%s", cases[i].what);
		http_reply_release(&reply);
	}
}

static void
test_insecure(struct world *world)
{
	char url[256];
	struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->old, "/");
	struct http_reply reply;

	request.authority.text = NULL;
	request.insecure = true;
	is_int(ask(world, &request, &reply), HTTP_ANSWERED, "insecure looks at nothing");
	http_reply_release(&reply);
	request.insecure = false;
	request.authority.text = world->ca;
	is_int(ask(world, &request, &reply), HTTP_CERTIFICATE_EXPIRED, "and the next request looks again");
	http_reply_release(&reply);
}

static void
test_client_certificate(struct world *world)
{
	char url[256];
	struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->good, "/");
	struct http_reply reply;

	request.certificate = (struct http_pem){ world->certificate, strlen(world->certificate) };
	request.key = (struct http_pem){ "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n", 63 };
	is_int(ask(world, &request, &reply), HTTP_BAD_CLIENT, "a key that is none");
	http_reply_release(&reply);
}

static bool
say_stop(void *context)
{
	(void)context;
	return true;
}

static void
test_faults(struct world *world)
{
	static const struct {
		const char *path;
		enum http_outcome outcome;
		const char *what;
	} cases[] = {
		{ "/reset", HTTP_CUT, "a reset" }, { "/short", HTTP_CUT, "an answer that ends too early" },
		{ "/endless", HTTP_TOO_LARGE, "an answer without an end" }, { "/never", HTTP_LATE, "no answer" }, { "/drip", HTTP_LATE, "a byte at a time" },
	};
	char url[256];
	struct http_reply reply;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->good, cases[i].path);

		request.max = 1000 * 1000;
		request.timeout = cases[i].outcome == HTTP_LATE ? 1000 : 0;
		is_int(ask(world, &request, &reply), cases[i].outcome, "%s", cases[i].what);
		ok(reply.body.len <= request.max, "no more is kept than asked for");
		http_reply_release(&reply);
	}
	struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->good, "/never");
	request.stop = say_stop;
	is_int(ask(world, &request, &reply), HTTP_STOPPED_BY_USER, "an interrupt ends it");
	http_reply_release(&reply);
}

static void
test_statuses(struct world *world)
{
	char url[256];
	struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->good, "/redirect");
	struct http_reply reply;

	is_int(ask(world, &request, &reply), HTTP_ANSWERED, "a redirect is an answer");
	is_int(reply.status, 302, "and is not followed");
	http_reply_release(&reply);
	request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->good, "/busy");
	is_int(ask(world, &request, &reply), HTTP_ANSWERED, "so is a refusal");
	is_int(reply.status, 429, "with its status");
	is_str(reply.retry_after, "7", "and when to come again");
	http_reply_release(&reply);
}

static void
test_headers(void)
{
	struct http_reply reply = { 0 };
	char large[1000];

	memset(large, 'x', sizeof large);
	memcpy(large, "Retry-After: ", 13);
	http_reply_header(&reply, "CONTENT-TYPE:  a/b\t\r\n", 21);
	is_str(reply.content_type, "a/b", "names in any case, values without blanks around them");
	http_reply_header(&reply, large, sizeof large);
	is_int((int64_t)strlen(reply.retry_after), HTTP_HEADER_MAX - 1, "a long value is cut");
	http_reply_header(&reply, "Date: a\x01\xff", 9);
	is_str(reply.date, "a??", "and made plain");
	http_reply_header(&reply, "Dat", 3);
	http_reply_header(&reply, "", 0);
	is_str(reply.date, "a??", "a line that is none changes nothing");
}

int
main(void)
{
	struct world world = { .folder = test_temp_dir() };

	signal(SIGPIPE, SIG_IGN);
	unsetenv("https_proxy");
	unsetenv("HTTPS_PROXY");
	unsetenv("ALL_PROXY");
	unsetenv("all_proxy");
	unsetenv("http_proxy");
	test_headers();
	if (start_server(&world)) {
		world.http = http_curl_new();
		world.ca = read_in(&world, "ca.crt");
		world.other = read_in(&world, "other.crt");
		world.certificate = read_in(&world, "ada.crt");
		world.key = read_in(&world, "ada.key");
		test_good(&world);
		test_basic(&world);
		test_server_name(&world);
		test_trust(&world);
		test_insecure(&world);
		test_client_certificate(&world);
		test_statuses(&world);
		test_faults(&world);
		http_free(world.http);
	} else {
		skip(1, "there is no python3 or openssl to make a TLS server of");
	}
	close(world.in);
	waitpid(world.pid, NULL, 0);
	free(world.ca);
	free(world.other);
	free(world.certificate);
	free(world.key);
	test_remove_tree(world.folder);
	free(world.folder);
	return done_testing();
}
