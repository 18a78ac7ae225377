/* The http seam over libcurl, against a TLS server with certificates of its own (api_server.py). */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/value.h"
#include "runtime/cluster/http.h"
#include "tests/runtime/cluster/api_server.h"
#include "tests/tap.h"

struct world {
	struct api_server server;
	struct http *http;
};

static struct http_request
request_to(const struct world *world, char *url, size_t size, const char *scheme, const char *host, int port, const char *path)
{
	snprintf(url, size, "%s://%s:%d%s", scheme, host, port, path);
	return (struct http_request){ .method = "GET", .url = url, .authority = { world->server.ca, strlen(world->server.ca) } };
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
	struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->server.good, "/x?y=1");
	struct http_reply reply;

	request.method = "POST";
	request.body = "{\"a\": 1}";
	request.body_len = strlen(request.body);
	request.token = "hunter2";
	request.headers = headers;
	request.n_headers = ARRAY_LEN(headers);
	request.certificate = (struct http_pem){ world->server.certificate, strlen(world->server.certificate) };
	request.key = (struct http_pem){ world->server.key, strlen(world->server.key) };
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
	struct http_request request = request_to(world, url, sizeof url, "https", "localhost", world->server.good, "/");
	struct http_reply reply;

	request.user = "ada";
	request.password = "hunter2";
	is_int(ask(world, &request, &reply), HTTP_ANSWERED, "a user name and password");
	contains(buf_text(&reply.body), "\"authorization\": \"Basic YWRhOmh1bnRlcjI=\"", "as HTTP has them");
	contains(buf_text(&reply.body), "\"who\": null", "and no certificate that an earlier request had");
	http_reply_release(&reply);
}

static void
test_server_name(struct world *world)
{
	char url[256];
	struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->server.good, "/x");
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
		{ world->server.old, "https", "127.0.0.1", world->server.ca, HTTP_CERTIFICATE_EXPIRED, "an expired certificate" },
		{ world->server.new, "https", "127.0.0.1", world->server.ca, HTTP_CERTIFICATE_EARLY, "a certificate of the future" },
		{ world->server.good, "https", "127.0.0.1", world->server.other, HTTP_UNKNOWN_AUTHORITY, "another authority" },
		{ world->server.good, "https", "127.0.0.1", NULL, HTTP_UNKNOWN_AUTHORITY, "only the system's authorities" },
		{ world->server.good, "https", "127.0.0.1", "-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n", HTTP_BAD_CLIENT,
		  "an authority that is none" },
		{ world->server.plain, "https", "127.0.0.1", world->server.ca, HTTP_NOT_TLS, "a server without TLS" },
		{ world->server.good, "http", "127.0.0.1", world->server.ca, HTTP_CUT, "plain text to a server with TLS" },
		{ 1, "https", "127.0.0.1", world->server.ca, HTTP_NO_CONNECTION, "a port where nobody is" },
		{ 443, "https", "no-such-host.invalid", world->server.ca, HTTP_NO_NAME, "a host that is not known" },
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
	struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->server.old, "/");
	struct http_reply reply;

	request.authority.text = NULL;
	request.insecure = true;
	is_int(ask(world, &request, &reply), HTTP_ANSWERED, "insecure looks at nothing");
	http_reply_release(&reply);
	request.insecure = false;
	request.authority.text = world->server.ca;
	is_int(ask(world, &request, &reply), HTTP_CERTIFICATE_EXPIRED, "and the next request looks again");
	http_reply_release(&reply);
}

static void
test_client_certificate(struct world *world)
{
	char url[256];
	struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->server.good, "/");
	struct http_reply reply;

	request.certificate = (struct http_pem){ world->server.certificate, strlen(world->server.certificate) };
	request.key = (struct http_pem){ "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n", 63 };
	http_free(world->http); /* a connection that stands has shown its certificate already */
	world->http = http_curl_new();
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
		struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->server.good, cases[i].path);

		request.max = 1000 * 1000;
		request.timeout = cases[i].outcome == HTTP_LATE ? 1000 : 0;
		is_int(ask(world, &request, &reply), cases[i].outcome, "%s", cases[i].what);
		ok(reply.body.len <= request.max, "no more is kept than asked for");
		http_reply_release(&reply);
	}
	struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->server.good, "/never");
	request.stop = say_stop;
	is_int(ask(world, &request, &reply), HTTP_STOPPED_BY_USER, "an interrupt ends it");
	http_reply_release(&reply);
}

/* The port on our side, by which connections are told apart. */
static long
ask_port(struct world *world)
{
	char url[256];
	struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->server.good, "/port");
	struct http_reply reply;
	long port;

	ask(world, &request, &reply);
	port = strtol(buf_text(&reply.body), NULL, 10);
	http_reply_release(&reply);
	return port;
}

static void
test_connections(struct world *world)
{
	char url[256];
	struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->server.good, "/never");
	struct http_reply reply;
	long first = ask_port(world);

	is_int(ask_port(world), first, "a connection that stands is used again");
	request.timeout = 300;
	is_int(ask(world, &request, &reply), HTTP_LATE, "nothing comes over it");
	http_reply_release(&reply);
	ok(ask_port(world) != first, "then the next request takes another");
}

static void
test_statuses(struct world *world)
{
	char url[256];
	struct http_request request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->server.good, "/redirect");
	struct http_reply reply;

	is_int(ask(world, &request, &reply), HTTP_ANSWERED, "a redirect is an answer");
	is_int(reply.status, 302, "and is not followed");
	http_reply_release(&reply);
	request = request_to(world, url, sizeof url, "https", "127.0.0.1", world->server.good, "/busy");
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
	struct world world;

	test_headers();
	if (api_server_start(&world.server)) {
		world.http = http_curl_new();
		test_good(&world);
		test_basic(&world);
		test_server_name(&world);
		test_trust(&world);
		test_insecure(&world);
		test_client_certificate(&world);
		test_connections(&world);
		test_statuses(&world);
		test_faults(&world);
		http_free(world.http);
	} else {
		skip(1, "there is no python3 or openssl to make a TLS server of");
	}
	api_server_stop(&world.server);
	return done_testing();
}
