/* Streams and timers of the http seam: the same promises kept by the recorded one and by libcurl against a TLS server. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/runtime/cluster/api_server.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"

struct world {
	const char *name;
	struct http *http;
	const char *url; /* of the server */
	struct http_pem authority;
};

enum deed { DEED_NONE, DEED_CLOSE_IN_BEGAN, DEED_CLOSE_IN_CAME, DEED_CLOSE_IN_ENDED, DEED_CLOSE_OTHER, DEED_OPEN, DEED_EXCHANGE };

struct listening {
	struct world *world;
	struct http_stream *stream;
	struct listening *other;
	enum deed deed;
	struct buf log, body;
	bool ended;
	bool outside; /* was called when nobody polled */
};

static bool in_poll;

static void open_stream(struct world *world, struct listening *ret, const char *path, long timeout);

static void
do_deed(struct listening *l)
{
	struct http *http = l->world->http;
	char url[128];
	struct http_request request = { .method = "GET", .url = url, .authority = l->world->authority };
	struct http_reply reply = { 0 };
	struct error err;

	switch (l->deed) {
	case DEED_CLOSE_OTHER:
		http->close(http, l->other->stream);
		l->other->stream = NULL;
		break;
	case DEED_OPEN:
		open_stream(l->world, l->other, "/stream/whole", 0);
		break;
	case DEED_EXCHANGE:
		snprintf(url, sizeof url, "%s/x", l->world->url);
		buf_printf(&l->log, "exchange %d\n", (int)http->exchange(http, &request, &reply, &err));
		http_reply_release(&reply);
		break;
	default:
		http->close(http, l->stream);
		l->stream = NULL;
	}
	l->deed = DEED_NONE;
}

static void
began(void *context, const struct http_reply *head)
{
	struct listening *l = context;

	l->outside |= !in_poll;
	buf_printf(&l->log, "began %ld %s\n", head->status, head->content_type);
	if (l->deed == DEED_CLOSE_IN_BEGAN)
		do_deed(l);
}

static void
came(void *context, const char *bytes, size_t n)
{
	struct listening *l = context;

	l->outside |= !in_poll;
	buf_add(&l->body, bytes, n);
	if (l->deed != DEED_NONE && l->deed != DEED_CLOSE_IN_BEGAN && l->deed != DEED_CLOSE_IN_ENDED)
		do_deed(l);
}

static void
ended(void *context, enum http_outcome outcome, const struct error *err)
{
	struct listening *l = context;

	(void)err;
	l->outside |= !in_poll;
	buf_printf(&l->log, "%sended %d\n", l->ended ? "once more " : "", (int)outcome);
	if (l->deed == DEED_CLOSE_IN_ENDED)
		do_deed(l);
	l->ended = true;
	l->stream = NULL;
}

static void
open_stream(struct world *world, struct listening *ret, const char *path, long timeout)
{
	struct http_listener listener = { began, came, ended, ret };
	char url[128];
	struct http_request request = { .method = "GET", .url = url, .authority = world->authority, .timeout = timeout };

	ret->world = world;
	snprintf(url, sizeof url, "%s%s", world->url, path);
	ret->stream = world->http->open(world->http, &request, &listener);
	memset(url, 'x', sizeof url); /* it was copied */
}

static void
poll_once(struct world *world, long timeout)
{
	in_poll = true;
	world->http->poll(world->http, -1, timeout);
	in_poll = false;
}

static void
finish(struct listening *l)
{
	ok(!l->outside, "%s: nothing is told outside poll", l->world->name);
	l->world->http->close(l->world->http, l->stream);
	buf_release(&l->log);
	buf_release(&l->body);
}

/* Polls until the stream is gone. */
static void
follow(struct listening *l)
{
	for (int i = 0; i < 2000 && l->stream; i++)
		poll_once(l->world, 10000);
}

static void
test_whole(struct world *world)
{
	struct listening l = { 0 };

	open_stream(world, &l, "/stream/whole", 0);
	is_str(buf_text(&l.log), "", "%s: nothing is told within open", world->name);
	follow(&l);
	is_str(buf_text(&l.log), "began 200 application/json\nended 0\n", "%s: a stream that is whole", world->name);
	is_str(buf_text(&l.body), "one\ntwo\nthree\n", "%s: its body", world->name);
	finish(&l);
}

static void
test_ends(struct world *world)
{
	static const struct {
		const char *path, *log, *what;
		long timeout;
	} cases[] = {
		{ "/stream/hang", "began 200 application/json\nended 13\n", "silence for longer than the timeout", 300 },
		{ "/stream/reset", "began 200 application/json\nended 12\n", "a reset in the middle", 0 },
		{ "/busy", "began 429 application/json\nended 0\n", "a refusal", 0 },
		{ "/reset", "ended 12\n", "a reset before the head", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct listening l = { 0 };

		open_stream(world, &l, cases[i].path, cases[i].timeout);
		follow(&l);
		is_str(buf_text(&l.log), cases[i].log, "%s: %s", world->name, cases[i].what);
		finish(&l);
	}
}

static void
test_deeds(struct world *world)
{
	static const struct {
		enum deed deed;
		const char *path, *log, *other_log, *what;
	} cases[] = {
		{ DEED_CLOSE_IN_BEGAN, "/stream/hang", "began 200 application/json\n", "", "closed by itself when it began" },
		{ DEED_CLOSE_IN_CAME, "/stream/hang", "began 200 application/json\n", "", "closed by itself at its first piece" },
		{ DEED_CLOSE_IN_ENDED, "/stream/whole", "began 200 application/json\nended 0\n", "", "closed by itself when it ended" },
		{ DEED_OPEN, "/stream/whole", "began 200 application/json\nended 0\n", "began 200 application/json\nended 0\n", "one opened meanwhile" },
		{ DEED_EXCHANGE, "/stream/whole", "began 200 application/json\nexchange 0\nended 0\n", "", "an exchange meanwhile" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct listening l = { .deed = cases[i].deed }, other = { .world = world };

		l.other = &other;
		open_stream(world, &l, cases[i].path, 0);
		follow(&l);
		follow(&other);
		is_str(buf_text(&l.log), cases[i].log, "%s: %s", world->name, cases[i].what);
		is_str(buf_text(&other.log), cases[i].other_log, "%s: and the other", world->name);
		if (cases[i].deed == DEED_EXCHANGE)
			is_str(buf_text(&l.body), "one\ntwo\nthree\n", "%s: whose body is whole", world->name);
		finish(&l);
		finish(&other);
	}
}

/* Each of two streams closes the other at its first piece: one of them never says that it ended. */
static void
test_close_other(struct world *world)
{
	struct listening a = { .deed = DEED_CLOSE_OTHER }, b = { .deed = DEED_CLOSE_OTHER, .other = &a };

	a.other = &b;
	open_stream(world, &a, "/stream/whole", 0);
	open_stream(world, &b, "/stream/whole", 0);
	follow(&a);
	follow(&b);
	is_int(a.ended + b.ended, 1, "%s: of two that close each other, one goes on", world->name);
	finish(&a);
	finish(&b);
}

/* ---- timers ---- */

struct ringing {
	struct world *world;
	struct buf *log;
	const char *name;
	struct http_timer *timer, *cancels;
	bool again;
};

static void
ring(void *context)
{
	struct ringing *r = context;

	buf_puts(r->log, r->name);
	if (r->cancels)
		r->world->http->cancel(r->world->http, r->cancels);
	if (r->again && !(r->again = false))
		r->world->http->after(r->world->http, 0, ring, r);
}

static void
test_timers(struct world *world)
{
	struct http *http = world->http;
	struct buf log = { 0 };
	struct ringing r[] = { { world, &log, "a", NULL, NULL, true }, { world, &log, "b", NULL, NULL, false },
		{ world, &log, "c", NULL, NULL, false }, { world, &log, "d", NULL, NULL, false } };
	int64_t before = http->now(http);

	http->after(http, 40, ring, &r[2]);
	r[3].timer = http->after(http, 20, ring, &r[3]);
	http->after(http, 0, ring, &r[0]);
	http->after(http, 20, ring, &r[1]);
	r[0].cancels = r[3].timer;
	poll_once(world, 0);
	is_str(buf_text(&log), "a", "%s: one that is due at once; what it makes anew waits for the next poll", world->name);
	r[0].cancels = NULL;
	for (int i = 0; i < 100 && log.len < 4; i++)
		poll_once(world, -1);
	is_str(buf_text(&log), "aabc", "%s: each once, in the order of their times, and not the one that was cancelled", world->name);
	ok(http->now(http) - before >= 40, "%s: the clock goes on", world->name);
	poll_once(world, -1);
	http->cancel(http, NULL);
	http->close(http, NULL);
	ok(true, "%s: with nothing to wait for, poll returns", world->name);
	buf_release(&log);
}

static void
test_wake(struct world *world)
{
	struct listening l = { 0 };
	int ends[2];

	if (pipe(ends) || write(ends[1], "x", 1) != 1)
		BUG("no pipe");
	world->http->poll(world->http, ends[0], -1);
	ok(true, "%s: a readable `wake` ends the wait", world->name);
	open_stream(world, &l, "/stream/hang", 0);
	for (int i = 0; i < 1000 && l.body.len < 14; i++)
		poll_once(world, 1000);
	world->http->poll(world->http, ends[0], -1);
	ok(true, "%s: also beside a stream that is silent", world->name);
	close(ends[0]);
	close(ends[1]);
	finish(&l);
}

/* What the recorded one says to all that is asked above. */
static const char replies[] =
	"> GET /stream/whole\n< 200 application/json\none\ntwo\n@wait 10\nthree\n"
	"> GET /stream/hang\n< 200 application/json\none\ntwo\nthree\n@hold\n"
	"> GET /stream/reset\n< 200 application/json\none\ntwo\nthree\n! cut the peer went away\n"
	"> GET /busy\n< 429 application/json\n{}\n"
	"> GET /reset\n! cut the peer went away\n"
	"> GET /stream/hang\n< 200 application/json\none\n@hold\n"
	"> GET /stream/hang\n< 200 application/json\none\n@hold\n"
	"> GET /stream/whole\n< 200 application/json\none\n"
	"> GET /stream/whole\n< 200 application/json\none\ntwo\n"
	"> GET /stream/whole\n< 200 application/json\n@wait 5\none\ntwo\n"
	"> GET /stream/whole\n< 200 application/json\none\ntwo\nthree\n"
	"> GET /x\n< 200 application/json\n{}\n"
	"> GET /stream/whole\n< 200 application/json\none\ntwo\n"
	"> GET /stream/whole\n< 200 application/json\none\ntwo\n"
	"> GET /stream/hang\n< 200 application/json\none\ntwo\nthree\n@hold\n";

static void
test_promises(struct world *world)
{
	test_whole(world);
	test_ends(world);
	test_deeds(world);
	test_close_other(world);
	test_timers(world);
	test_wake(world);
}

/* ---- libcurl alone ---- */

/* 40 MB come while nobody polls, and while exchanges are carried out: they wait at the server, and all of them come in the end. */
static void
test_flood(struct world *world)
{
	struct listening l = { 0 };
	char url[128];
	struct http_request request = { .method = "GET", .url = url, .authority = world->authority };
	size_t wrong = 0, most = 0, before = 0;

	snprintf(url, sizeof url, "%s/x", world->url);
	open_stream(world, &l, "/stream/flood", 0);
	for (int i = 0; i < 20; i++) {
		struct http_reply reply = { 0 };
		struct error err;

		is_int(world->http->exchange(world->http, &request, &reply, &err), HTTP_ANSWERED, "an exchange beside a flood");
		http_reply_release(&reply);
	}
	is_int((int64_t)l.body.len, 0, "none of it is told meanwhile");
	while (l.stream) {
		poll_once(world, 10000);
		most = l.body.len - before > most ? l.body.len - before : most;
		before = l.body.len;
	}
	is_int((int64_t)l.body.len, 36000000, "all of it comes");
	for (size_t i = 0; i < l.body.len / 9; i++) {
		char want[32];

		snprintf(want, sizeof want, "%08u ", (unsigned)(i / 10000));
		wrong += memcmp(l.body.data + i * 9, want, 9) != 0;
	}
	is_int((int64_t)wrong, 0, "in order");
	ok(most <= 4 * 1024 * 1024, "and no more of it is held than a few MB: %zu", most);
	finish(&l);
}

static void
test_no_way(struct world *world)
{
	struct world nowhere = { "libcurl", world->http, "https://127.0.0.1:1", world->authority };
	struct listening l = { 0 };

	open_stream(&nowhere, &l, "/x", 0);
	follow(&l);
	is_str(buf_text(&l.log), "ended 4\n", "a port where nobody is");
	finish(&l);
	nowhere.url = world->url;
	nowhere.authority = (struct http_pem){ NULL, 0 };
	l = (struct listening){ 0 };
	open_stream(&nowhere, &l, "/x", 0);
	follow(&l);
	is_str(buf_text(&l.log), "ended 8\n", "an authority that is not known");
	finish(&l);
	open_stream(world, &l, "/stream/hang", 0); /* is closed with the owner, and says nothing */
	buf_release(&l.log);
}

int
main(void)
{
	struct recorded recorded;
	struct api_server server;
	struct world world;
	char url[64];

	recorded_init(&recorded, replies);
	world = (struct world){ "recorded", &recorded.http, "https://recorded", { NULL, 0 } };
	test_promises(&world);
	ok(recorded_is_done(&recorded), "recorded: all was asked; left is: %s", recorded.at);
	recorded_release(&recorded);
	if (api_server_start(&server)) {
		snprintf(url, sizeof url, "https://127.0.0.1:%d", server.good);
		world = (struct world){ "libcurl", http_curl_new(), url, { server.ca, strlen(server.ca) } };
		test_promises(&world);
		test_flood(&world);
		test_no_way(&world);
		http_free(world.http);
	} else {
		skip(1, "there is no python3 or openssl to make a TLS server of");
	}
	api_server_stop(&server);
	return done_testing();
}
