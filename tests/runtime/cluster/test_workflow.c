#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "runtime/cluster/base64.h"
#include "runtime/cluster/workflow.h"
#include "tests/tap.h"

static const char *
or_dash(const char *text)
{
	return text ? text : "-";
}

static void
write_node(struct buf *buf, const struct workflow_node *n)
{
	buf_printf(buf, "%s %s type %d %s %s/%s/%s", n->id, n->name, (int)n->type, phase_name(n->phase), n->display, or_dash(n->template),
		   n->boundary);
	buf_printf(buf, " %s %lld-%lld exit %d on %s", or_dash(n->message), (long long)n->started_ms, (long long)n->ended_ms, n->exit_code,
		   or_dash(n->host));
	for (size_t i = 0; i < n->n_children; i++)
		buf_printf(buf, " >%s", n->children[i]);
	for (size_t i = 0; i < n->n_outputs; i++) {
		buf_printf(buf, " %s=%s", n->outputs[i].name, or_dash(n->outputs[i].text));
		if (n->outputs[i].artifact)
			value_write_json(buf, n->outputs[i].artifact);
	}
	buf_printf(buf, "%s%s%s%s%s\n", n->hit ? " hit" : "", n->hooked ? " hooked" : "", n->removed ? " removed" : "", n->waits ? " waits " : "",
		   n->waits ? n->waits : "");
}

static void
write_head(struct buf *buf, const struct workflow *w)
{
	buf_printf(buf, "%s %s %s@%s %s %s %lld-%lld%s %s%s%s%s\n", w->namespace_, w->name, w->uid, w->version, phase_name(w->phase),
		   or_dash(w->message), (long long)w->started_ms, (long long)w->ended_ms, w->suspended ? " suspended" : "",
		   or_dash(w->shutdown), w->offloaded ? " offloaded" : "", w->deleted ? " deleted" : "", w->completed ? " completed" : "");
}

static int
feed(struct workflow_model *model, const char *text, size_t len, size_t piece, struct buf *changed, struct error *err)
{
	const size_t *places;
	size_t n;
	bool head;

	workflow_model_begin(model);
	for (size_t i = 0; i < len; i += piece)
		workflow_model_feed(model, text + i, len - i < piece ? len - i : piece);
	if (workflow_model_end(model, &places, &n, &head, err))
		return -1;
	for (size_t i = 0; i < n; i++)
		buf_printf(changed, "%s ", workflow_model_node(model, places[i])->id);
	buf_puts(changed, head ? "head" : "");
	return 0;
}

#define POD "{\"id\":\"w-1\",\"name\":\"w.a(0)\",\"displayName\":\"a(0)\",\"type\":\"Pod\",\"templateName\":\"a\",\"boundaryID\":\"w\"," \
	"\"phase\":\"Failed\",\"message\":\"main: Error (exit code 3)\",\"startedAt\":\"2026-01-01T00:00:01Z\",\"finishedAt\":" \
	"\"2026-01-01T00:00:02.5Z\",\"hostNodeName\":\"n1\",\"resourcesDuration\":{\"cpu\":99999999999999999999},\"outputs\":{\"exitCode\":\"3\"," \
	"\"parameters\":[{\"name\":\"p\",\"value\":\"a\\u0000b\",\"valueFrom\":{\"path\":\"/p\"}},{\"name\":\"q\",\"value\":7}],\"artifacts\":" \
	"[{\"name\":\"x\",\"s3\":{\"key\":\"k/x.tgz\",\"n\":[1,true]}}],\"result\":\"out\"}}"
#define HEAD "{\"kind\":\"Workflow\",\"metadata\":{\"name\":\"w\",\"namespace\":\"ns\",\"uid\":\"u1\",\"resourceVersion\":\"5\",\"managedFields\":[{" \
	"\"a\":1}]},\"spec\":{\"templates\":[{}]},\"status\":{\"phase\":\"Running\",\"startedAt\":\"2026-01-01T00:00:00Z\",\"finishedAt\":null,"

static void
test_one(void)
{
	static const char text[] = HEAD "\"nodes\":{\"w\":{\"id\":\"w\",\"name\":\"w\",\"displayName\":\"w\",\"type\":\"DAG\",\"phase\":\"Running\","
		"\"children\":[\"w-1\"],\"outputs\":{}},\"w-1\":" POD ",\"w-2\":{\"type\":\"Pod\",\"synchronizationStatus\":{\"waiting\":\"ns/Mutex/m\"},"
		"\"memoizationStatus\":{\"hit\":true},\"nodeFlag\":{\"hooked\":true}}}}}";
	static const char want[] = "ns w u1@5 Running - 1767225600000-0 -\n"
		"w w type 1 Running w/-/ - 0-0 exit -1 on - >w-1\n"
		"w-1 w.a(0) type 0 Failed a(0)/a/w main: Error (exit code 3) 1767225601000-1767225602500 exit 3 on n1 p=a\uFFFDb q=7 "
		"x=-{\"name\":\"x\",\"s3\":{\"key\":\"k/x.tgz\",\"n\":[1,true]}} result=out\n"
		"w-2 w-2 type 0 Pending w-2/-/ - 0-0 exit -1 on - hit hooked waits ns/Mutex/m\n";

	for (size_t piece = 1; piece < sizeof text; piece = piece * 3) {
		struct workflow_model *model = workflow_model_new();
		struct buf got = { 0 }, changed = { 0 };
		struct error err = { 0 };

		is_int(feed(model, text, sizeof text - 1, piece, &changed, &err), 0, "taken over in pieces of %zu: %s", piece, err.text);
		write_head(&got, workflow_model_head(model));
		for (size_t i = 0; i < workflow_model_count(model); i++)
			write_node(&got, workflow_model_node(model, i));
		is_str(buf_text(&got), want, "what is known");
		is_str(buf_text(&changed), "w w-1 w-2 head", "all of it is news");
		buf_clear(&changed);
		feed(model, text, sizeof text - 1, piece, &changed, &err);
		is_str(buf_text(&changed), "", "the second time nothing is");
		buf_release(&got);
		buf_release(&changed);
		workflow_model_free(model);
	}
}

/* ---- one object after the other ---- */

static void
pack(struct buf *ret, const char *text, int bits)
{
	CLEANUP(buf_release) struct buf zip = { 0 };
	z_stream z = { 0 };
	size_t len = strlen(text);
	char *out;

	if (deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		BUG("zlib does not begin");
	z.next_in = (unsigned char *)(uintptr_t)text;
	z.avail_in = (uInt)len;
	z.avail_out = (uInt)deflateBound(&z, len) + 64;
	out = buf_space(&zip, z.avail_out);
	z.next_out = (unsigned char *)out;
	deflate(&z, Z_FINISH);
	buf_commit(&zip, z.total_out);
	deflateEnd(&z);
	base64_encode(ret, zip.data, zip.len);
}

enum form { PLAIN, PACKED };

static void
write_object(struct buf *buf, const char *uid, const char *status, const char *nodes, enum form form)
{
	buf_printf(buf, "{\"metadata\":{\"name\":\"w\",\"uid\":\"%s\"},\"status\":{%s", uid, status);
	if (nodes && form == PLAIN)
		buf_printf(buf, "%s\"nodes\":%s", *status ? "," : "", nodes);
	if (nodes && form == PACKED) {
		buf_printf(buf, "%s\"compressedNodes\":\"", *status ? "," : "");
		pack(buf, nodes, 16 + MAX_WBITS);
		buf_putc(buf, '"');
	}
	buf_puts(buf, "}}");
}

static void
test_sequence(enum form form)
{
	static const struct {
		const char *uid, *status, *nodes, *want; /* ids that are told, then the phases of all */
	} steps[] = {
		{ "u", "\"phase\":\"Running\"", "{\"a\":{\"phase\":\"Running\"},\"b\":{}}", "a b head | a Running, b Pending" },
		{ "u", "\"phase\":\"Running\"", "{\"b\":{},\"a\":{\"phase\":\"Running\"}}", " | a Running, b Pending" },
		{ "u", "\"phase\":\"Running\"", "{\"a\":{\"phase\":\"Failed\"},\"b\":{},\"c\":{\"phase\":\"Omitted\"}}",
		  "a c | a Failed, b Pending, c Omitted" },
		{ "u", "\"phase\":\"Failed\"", "{\"a\":{\"phase\":\"Failed\"},\"b\":{},\"c\":{\"phase\":\"Omitted\"}}",
		  "head | a Failed, b Pending, c Omitted" },
		{ "u", "\"phase\":\"Running\"", "{\"b\":{\"phase\":\"Running\"}}", "b a c head | a Pending gone, b Running, c Pending gone" },
		{ "u", "\"phase\":\"Running\"", "{\"b\":{\"phase\":\"Running\"}}", " | a Pending gone, b Running, c Pending gone" },
		{ "u", "\"phase\":\"Running\"", "{\"a\":{\"phase\":\"Failed\"},\"b\":{\"phase\":\"Running\"}}",
		  "a | a Failed, b Running, c Pending gone" },
		{ "u", "\"phase\":\"Running\",\"offloadNodeStatusVersion\":\"fnv:1\"", NULL, "head | a Failed, b Running, c Pending gone" },
		{ "u", "\"phase\":\"Running\"", NULL, "a b head | a Pending gone, b Pending gone, c Pending gone" },
		{ "u", "\"phase\":\"Running\"", "{\"a\":{\"phase\":\"Failed\"},\"b\":{}}", "a b | a Failed, b Pending, c Pending gone" },
		{ "v", "\"phase\":\"Running\"", "{\"d\":{},\"b\":{}}", "b d head | b Pending, d Pending" },
	};
	struct workflow_model *model = workflow_model_new();

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct buf text = { 0 }, got = { 0 };
		struct error err = { 0 };

		write_object(&text, steps[i].uid, steps[i].status, steps[i].nodes, form);
		is_int(feed(model, text.data, text.len, 7, &got, &err), 0, "object %zu%s: %s", i, form == PACKED ? ", packed" : "", err.text);
		buf_puts(&got, buf_text(&got)[0] && buf_text(&got)[got.len - 1] == ' ' ? "|" : " |");
		for (size_t k = 0; k < workflow_model_count(model); k++) {
			const struct workflow_node *node = workflow_model_node(model, k);

			buf_printf(&got, "%s %s %s%s", k ? "," : "", node->id, phase_name(node->phase), node->removed ? " gone" : "");
			is_int((int64_t)workflow_model_find(model, node->id), (int64_t)k, "it is found at its place");
		}
		is_str(buf_text(&got), steps[i].want, "news of object %zu", i);
		buf_release(&text);
		buf_release(&got);
	}
	workflow_model_gone(model);
	ok(workflow_model_head(model)->deleted, "the object is gone");
	is_int((int64_t)workflow_model_find(model, "a"), -1, "what another workflow had is not found");
	workflow_model_free(model);
}

static void
test_completed(void)
{
	static const struct {
		const char *text;
		bool completed;
	} cases[] = {
		{ "{\"metadata\":{\"name\":\"w\"},\"status\":{\"phase\":\"Running\"}}", false },
		{ "{\"metadata\":{\"name\":\"w\"}}", false },
		{ "{\"metadata\":{\"name\":\"w\"},\"status\":{\"phase\":\"Error\"}}", true },
		{ "{\"metadata\":{\"name\":\"w\"},\"status\":{\"phase\":\"Failed\",\"taskResultsCompletionStatus\":{\"a\":true,\"b\":false}}}", false },
		{ "{\"metadata\":{\"name\":\"w\"},\"status\":{\"phase\":\"Failed\",\"taskResultsCompletionStatus\":{\"a\":true}}}", true },
		{ "{\"metadata\":{\"name\":\"w\",\"labels\":{\"workflows.argoproj.io/completed\":\"true\"}},\"status\":{\"phase\":\"Failed\","
		  "\"taskResultsCompletionStatus\":{\"b\":false}}}", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct workflow_model *model = workflow_model_new();
		struct buf changed = { 0 };
		struct error err;

		feed(model, cases[i].text, strlen(cases[i].text), 1000, &changed, &err);
		is_int(workflow_model_head(model)->completed, cases[i].completed, "completed: %s", cases[i].text);
		buf_release(&changed);
		workflow_model_free(model);
	}
}

/* ---- what is refused ---- */

static void
test_refused(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "not JSON: the text ends at byte 0, before the value does" },
		{ "[]", "not a Workflow: a list where none can be" },
		{ "\"w\"", "not a Workflow: no object" },
		{ "3", "not a Workflow: no object" },
		{ "{}", "not a Workflow: it has no name" },
		{ "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"w\"}}", "not a Workflow: its kind is `Pod`" },
		{ "{\"metadata\":{\"name\":{\"a\":1}}}", "not a Workflow: an object where none can be" },
		{ "{\"metadata\":{\"name\":\"w\"},\"status\":{\"nodes\":[]}}", "not a Workflow: a list where none can be" },
		{ "{\"metadata\":{\"name\":\"w\"},\"status\":{\"nodes\":{\"a\":3}}}", "not a Workflow: node `a` is no object" },
		{ "{\"metadata\":{\"name\":\"w\"},\"status\":{\"nodes\":{\"a\":{\"x\":1,\"x\":2}}}}", "node `a`: not a value: the key `x` stands twice" },
		{ "{\"metadata\":{\"name\":\"w\"},\"status\":{\"nodes\":{\"a\":{}", "not JSON: the text ends at byte 50, before the value does" },
		{ "{\"metadata\":{\"name\":\"w\"},\"status\":{\"compressedNodes\":\"!\"}}", "the compressed nodes are no base64" },
		{ "{\"metadata\":{\"name\":\"w\"},\"status\":{\"compressedNodes\":\"KLUv/SAA\"}}",
		  "the nodes are compressed with zstd, which is not read here: Argo's own way is gzip" },
		{ "{\"metadata\":{\"name\":\"w\"},\"status\":{\"compressedNodes\":\"CwKAZm9v\"}}",
		  "the nodes are compressed with something that is neither gzip nor zstd (it may be brotli), which is not read here" },
		{ "{\"metadata\":{\"name\":\"w\"},\"status\":{\"compressedNodes\":\"H4sIAAAA\"}}", "the compressed nodes end too early" },
		{ "{\"metadata\":{\"name\":\"w\"},\"status\":{\"compressedNodes\":\"H4sJAAAAAAAAAA==\"}}",
		  "the compressed nodes are no gzip: unknown compression method" },
	};
	struct workflow_model *model = workflow_model_new();
	struct buf changed = { 0 }, before = { 0 };
	struct error err;
	static const char good[] = HEAD "\"nodes\":{\"w-1\":" POD "}}}";

	feed(model, good, strlen(good), 10, &changed, &err);
	write_node(&before, workflow_model_node(model, 0));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf after = { 0 };

		err.text[0] = '\0';
		is_int(feed(model, cases[i].text, strlen(cases[i].text), 3, &changed, &err), -1, "refused: %s", cases[i].text);
		is_str(err.text, cases[i].want, "and why");
		write_node(&after, workflow_model_node(model, 0));
		is_str(buf_text(&after), buf_text(&before), "the model is as it was");
		buf_release(&after);
	}
	buf_clear(&changed);
	workflow_model_begin(model);
	workflow_model_feed(model, good, 30);
	workflow_model_drop(model);
	feed(model, good, strlen(good), 10, &changed, &err);
	is_str(buf_text(&changed), "", "and then nothing is news");
	buf_release(&changed);
	buf_release(&before);
	workflow_model_free(model);
}

/* Text that grows a thousandfold. */
static void
test_bomb(void)
{
	struct workflow_model *model = workflow_model_new();
	struct buf blanks = { 0 }, text = { 0 }, changed = { 0 };
	struct error err;

	buf_putc(&blanks, '{');
	buf_repeat(&blanks, ' ', WORKFLOW_BYTES_MAX);
	buf_putc(&blanks, '}');
	write_object(&text, "u", "", blanks.data, PACKED);
	is_int(feed(model, text.data, text.len, 4096, &changed, &err), -1, "%zu bytes that become %d MiB", text.len,
	       WORKFLOW_BYTES_MAX / 1024 / 1024);
	is_str(err.text, "the nodes are longer than 128 MiB", "are refused");
	buf_release(&blanks);
	buf_release(&text);
	buf_release(&changed);
	workflow_model_free(model);
}

/* ---- any sequence of objects ---- */

static uint64_t
next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return *seed >> 33;
}

static void
random_nodes(struct buf *buf, uint64_t *seed)
{
	const char *comma = "{";

	for (int i = 0; i < 12; i++) {
		if (next(seed) % 4 == 0)
			continue;
		buf_printf(buf, "%s\"n%d\":{\"name\":\"w.%d\",\"phase\":\"%s\",\"message\":\"%llu\"}", comma, i, i,
			   phase_name((enum phase)(next(seed) % PHASE_COUNT)), (unsigned long long)(next(seed) % 3));
		comma = ",";
	}
	buf_puts(buf, *comma == '{' ? "{}" : "}");
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All living nodes, in the order of their ids. */
static void
write_living(struct buf *buf, const struct workflow_model *model)
{
	char *lines[16];
	size_t n = 0;

	for (size_t i = 0; i < workflow_model_count(model); i++) {
		struct buf line = { 0 };

		if (workflow_model_node(model, i)->removed)
			continue;
		write_node(&line, workflow_model_node(model, i));
		lines[n++] = buf_detach(&line, NULL);
	}
	qsort(lines, n, sizeof *lines, compare);
	for (size_t i = 0; i < n; i++) {
		buf_puts(buf, lines[i]);
		free(lines[i]);
	}
}

static void
test_any_sequence(void)
{
	struct workflow_model *model = workflow_model_new();
	uint64_t seed = 7;
	int wrong = 0;

	for (int i = 0; i < 400 && !wrong; i++) {
		struct workflow_model *fresh = workflow_model_new();
		struct buf nodes = { 0 }, text = { 0 }, changed = { 0 }, got = { 0 }, want = { 0 };
		struct error err;

		random_nodes(&nodes, &seed);
		write_object(&text, next(&seed) % 40 ? "u" : "v", "", nodes.data, next(&seed) % 2 ? PLAIN : PACKED);
		feed(model, text.data, text.len, 1 + next(&seed) % 300, &changed, &err);
		feed(fresh, text.data, text.len, text.len, &changed, &err);
		write_living(&got, model);
		write_living(&want, fresh);
		if (strcmp(buf_text(&got), buf_text(&want)) != 0)
			wrong += !is_str(buf_text(&got), buf_text(&want), "object %d", i);
		buf_release(&nodes);
		buf_release(&text);
		buf_release(&changed);
		buf_release(&got);
		buf_release(&want);
		workflow_model_free(fresh);
	}
	is_int(wrong, 0, "after any sequence it is what the last object alone gives");
	workflow_model_free(model);
}

int
main(void)
{
	test_one();
	test_sequence(PLAIN);
	test_sequence(PACKED);
	test_completed();
	test_refused();
	test_bomb();
	test_any_sequence();
	return done_testing();
}
