/* Frames of watches and lists, in pieces of every size. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "runtime/cluster/frames.h"
#include "tests/tap.h"

static void
begin(void *context, const struct frame *frame)
{
	buf_printf(context, "[%s", frame->type);
}

static void
feed(void *context, const char *bytes, size_t n)
{
	buf_add(context, bytes, n);
}

static void
end(void *context, const struct frame *frame)
{
	buf_printf(context, "%s %s/%s@%s]\n", frame->type, frame->name, frame->uid, frame->version);
}

static void
listed(void *context, const char *version)
{
	buf_printf(context, "listed %s\n", version);
}


static const struct {
	const char *what, *text, *want;
} cases[] = {
	{ "two events", "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"uid\":\"u\",\"resourceVersion\":\"5\"}}}\n"
	  "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"a\",\"uid\":\"u\",\"resourceVersion\":\"6\"}}}\n",
	  "[ADDED{\"metadata\":{\"name\":\"a\",\"uid\":\"u\",\"resourceVersion\":\"5\"}}ADDED a/u@5]\n"
	  "[MODIFIED{\"metadata\":{\"name\":\"a\",\"uid\":\"u\",\"resourceVersion\":\"6\"}}MODIFIED a/u@6]\n" },
	{ "brackets, quotes and keys in strings", "{\"type\":\"ADDED\",\"object\":{\"x\":\"}]\\\"{\\\\\",\"uid\":\"no\",\"metadata\":{\"labels\":{\"uid\":\"no\"},"
	  "\"ownerReferences\":[{\"uid\":\"no\",\"name\":\"no\"}],\"uid\":\"u\"}}}",
	  "[ADDED{\"x\":\"}]\\\"{\\\\\",\"uid\":\"no\",\"metadata\":{\"labels\":{\"uid\":\"no\"},"
	  "\"ownerReferences\":[{\"uid\":\"no\",\"name\":\"no\"}],\"uid\":\"u\"}}ADDED /u@]\n" },
	{ "a list", "{\"kind\":\"L\",\"metadata\":{\"resourceVersion\":\"9\",\"continue\":\"\"},\"items\":[{\"metadata\":{\"uid\":\"a\"}} , {\"metadata\":{\"uid\":\"b\"}}]}",
	  "[{\"metadata\":{\"uid\":\"a\"}} /a@]\n[{\"metadata\":{\"uid\":\"b\"}} /b@]\nlisted 9\n" },
	{ "a list without items, metadata last", "{\"items\":null,\"metadata\":{\"resourceVersion\":\"9\"}}", "listed 9\n" },
	{ "an empty list", "{\"items\":[],\"metadata\":{\"resourceVersion\":\"9\"}}", "listed 9\n" },
	{ "the result of a gateway", "{\"result\":{\"type\":\"ADDED\",\"object\":{}}}\n{\"result\":{\"type\":\"DELETED\",\"object\":{}}}", "[ADDED{}ADDED /@]\n[DELETED{}DELETED /@]\n" },
	{ "its error", "{\"error\":{\"http_code\":500}}", "[ERROR{\"http_code\":500}ERROR /@]\n" },
	{ "the object before the type", "{\"object\":{\"a\":1},\"type\":\"ADDED\"}", "[{\"a\":1}ADDED /@]\n" },
	{ "keys that are not known, around it", "{\"new\":{\"object\":{}},\"a\":[{\"object\":{}}],\"type\":\"ADDED\",\"b\":null,\"object\":{\"a\":[[],{}]},\"c\":-1.5}",
	  "[ADDED{\"a\":[[],{}]}ADDED /@]\n" },
	{ "a second object is none", "{\"type\":\"ADDED\",\"object\":{\"a\":1},\"object\":{\"b\":1}}", "[ADDED{\"a\":1}ADDED /@]\n" },
	{ "nor is an item behind an object", "{\"type\":\"ADDED\",\"object\":{\"a\":1},\"items\":[{\"b\":1}]}", "[ADDED{\"a\":1}ADDED /@]\n" },
	{ "an object that is none", "{\"type\":\"ADDED\",\"object\":[1]}{\"type\":\"ADDED\",\"object\":\"x\"}{\"type\":\"ADDED\"}{}", "" },
	{ "no JSON", "<html>", "! what came is no JSON\n" },
	{ "a string", "\"x\"", "! what came is no JSON\n" },
	{ "a list of lists", "[[]]", "! a frame is no JSON object\n" },
	{ "an end too many", "{}}", "! what came is no JSON\n" },
	{ "an object that ends as a list", "{\"type\":\"ADDED\",\"object\":{]}", "[ADDED{! what came is no JSON\n" },
	{ "blanks", " \r\n\t{ \"type\" : \"ADDED\" , \"object\" : { } }\r\n", "[ADDED{ }ADDED /@]\n" },
};

static void
run(const char *text, size_t piece, struct buf *got)
{
	struct frames_sink sink = { begin, feed, end, listed, got };
	size_t len = strlen(text);
	struct frames frames;
	struct error err;

	frames_init(&frames, &sink);
	for (size_t at = 0; at < len; at += piece) {
		CLEANUP(freep) char *copy = xstrndup(text + at, piece < len - at ? piece : len - at);

		if (!frames_feed(&frames, copy, strlen(copy), &err))
			continue;
		buf_printf(got, "! %s\n", err.text);
		return;
	}
}

static void
test_depth(void)
{
	struct buf text = { 0 }, got = { 0 };

	buf_puts(&text, "{\"type\":\"ADDED\",\"object\":{\"a\":");
	buf_repeat(&text, '[', 2000);
	run(buf_text(&text), 7, &got);
	contains(buf_text(&got), "! what came is nested more than 1000 levels deep\n", "depth has an end");
	buf_release(&text);
	buf_release(&got);
}

static void
test_long(void)
{
	struct buf text = { 0 }, got = { 0 };

	buf_puts(&text, "{\"type\":\"");
	buf_repeat(&text, 'x', 5000);
	buf_puts(&text, "\",\"object\":{\"metadata\":{\"uid\":\"");
	buf_repeat(&text, 'y', FRAMES_TEXT_MAX);
	buf_puts(&text, "\",\"name\":\"");
	buf_repeat(&text, 'z', FRAMES_TEXT_MAX - 1);
	buf_puts(&text, "\"}}}");
	run(buf_text(&text), 100, &got);
	contains(buf_text(&got), "zzz/@]\n", "what is too long counts as none");
	buf_release(&text);
	buf_release(&got);
}

int
main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t wrong = 0, len = strlen(cases[i].text);
		struct buf got = { 0 };

		run(cases[i].text, len, &got);
		is_str(buf_text(&got), cases[i].want, "%s", cases[i].what);
		for (size_t piece = 1; piece < len; piece++) {
			struct buf again = { 0 };

			run(cases[i].text, piece, &again);
			wrong += strcmp(buf_text(&again), cases[i].want) != 0;
			buf_release(&again);
		}
		is_int((int64_t)wrong, 0, "and in pieces of each size");
		buf_release(&got);
	}
	test_depth();
	test_long();
	return done_testing();
}
