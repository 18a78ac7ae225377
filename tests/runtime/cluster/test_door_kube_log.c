/* The log of a pod over recorded streams: as one piece, cut at every byte, rotated, gone. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/door_kube_private.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"

#define POD "/api/v1/namespaces/ml/pods/p-1/log?container=main&timestamps=true"
#define LOG "< 200 text/plain\n@wait 0\n" /* a line that begins with a time would be taken for a header */
#define AT "2026-01-02T03:04:"

struct hearing {
	struct buf text;
	bool ended;
	char failure[API_TEXT_MAX];
};

static void
came(void *context, const char *bytes, size_t n)
{
	struct hearing *h = context;

	buf_add(&h->text, bytes, n);
}

static void
ended(void *context, const struct api_failure *failure)
{
	struct hearing *h = context;

	h->ended = true;
	snprintf(h->failure, sizeof(h->failure), "%s", failure ? failure->what : "");
}

static bool
has_ended(void *context)
{
	return ((struct hearing *)context)->ended;
}

struct bench {
	struct recorded recorded;
	struct kubeconfig config;
	struct kube *kube;
	struct door door;
	struct hearing hearing;
};

static void
open_bench(struct bench *b, const char *text)
{
	const struct exec_plugin_limits limits = { 0 };

	*b = (struct bench){ .config = { .arena = arena_new(), .context = "prod", .from = "~/.kube/config", .server = "https://10.0.0.1:6443",
		.namespace_ = "ml", .token = "t" } };
	recorded_init(&b->recorded, text);
	b->kube = kube_new(&b->config, &b->recorded.http, &limits);
	b->door = (struct door){ .http = &b->recorded.http, .kube = b->kube, .namespace_ = "ml" };
}

static void
close_bench(struct bench *b)
{
	kube_free(b->kube);
	recorded_release(&b->recorded);
	arena_free(b->config.arena);
	buf_release(&b->hearing.text);
}

static void
listen(struct bench *b, struct door_log_request request)
{
	const struct door_log_listener listener = { came, ended, &b->hearing };
	struct door_log *log;

	request.run = (struct door_run){ .name = "w", .id = "uid", .namespace_ = "ml" };
	request.node = "w-1";
	request.pod = "p-1";
	request.container = "main";
	log = door_kube_log(&b->door, &request, &listener);
	if (!recorded_run(&b->recorded, 3600 * 1000, has_ended, &b->hearing))
		door_kube_unlog(&b->door, log);
}

static void
hear(const char *text, struct door_log_request request, const char *want, const char *failure, const char *why)
{
	struct bench b;

	open_bench(&b, text);
	listen(&b, request);
	is_str(buf_text(&b.hearing.text), want, "%s", why);
	is_str(b.hearing.ended ? b.hearing.failure : "it goes on", failure, "%s: how it ends", why);
	ok(recorded_is_done(&b.recorded), "%s: all was asked: %s", why, buf_text(&b.recorded.log));
	close_bench(&b);
}

static const struct door_log_request follow = { .follow = true }, once = { 0 }, timed = { .follow = true, .timestamps = true };

static void
test_whole(void)
{
	static const char text[] =
		"> GET " POD "&follow=true\n" LOG AT "05.000000001Z one\n@wait 3000\n" AT "08.5Z two\n" AT "09Z \n"
		AT "09.1Z time=\"2026-01-02T03:04:09.1Z\" level=info msg=\"sub-process exited\" argo=true error=\"<nil>\"\n"
		"> GET " POD "&follow=true&sinceTime=2026-01-02T03%3A04%3A08Z\n" LOG AT "08.5Z two\n" AT "09Z \n"
		AT "09.1Z time=\"2026-01-02T03:04:09.1Z\" level=info msg=\"sub-process exited\" argo=true error=\"<nil>\"\n";

	hear(text, follow, "one\ntwo\n\n", "", "a log, without the executor's line");
	hear(text, timed, AT "05.000000001Z one\n" AT "08.5Z two\n" AT "09Z \n", "", "with times");
	hear("> GET " POD "\n" LOG AT "05Z no end time=2026-01-02T03:04:09.1Z level=info msg=\"sub-process exited\" argo=true error=\"<nil>\"\n", once,
	     "no end ", "", "a last line without an end");
	hear("> GET " POD "\n" LOG AT "05Z Error: exit status 1\n" AT "05Z time=\"2026-01-02T03:04:09.1Z\" level=info msg=\"sub-process exited\" argo=true"
	     "\n" AT "05Z Error: exit status 3\n", once, "Error: exit status 1\n", "", "the executor's last word");
	/* Before Argo 3.7 the time ended otherwise; and what it says as it begins is no end, so the program's own words stay. */
	hear("> GET " POD "\n" LOG AT "05Z time=\"2026-01-02T03:04:05 UTC\" level=info msg=\"capturing logs\" argo=true\n"
		AT "05Z Error: exit status 1\n" AT "05Z x time=\"2026-01-02T03:04:09 UTC\" level=info msg=\"sub-process exited\" argo=true error=\"<nil>\"\n",
		once, "Error: exit status 1\nx ", "", "what the executor says as it begins");
	hear("> GET " POD "\n" LOG AT "05Z argo=true is what I say\n", once, "argo=true is what I say\n", "", "a line of its own");
	hear("> GET " POD "\n" LOG "", once, "", "", "an empty one");
}

static void
test_since(void)
{
	struct door_log_request request = { .since = AT "05.2Z" };

	hear("> GET " POD "&sinceTime=2026-01-02T03%3A04%3A05Z\n" LOG AT "05.1Z a\n" AT "05.2Z b\n" AT "05.3Z c\n", request, "c\n", "",
	     "only what came after");
	request.follow = true;
	hear("> GET " POD "&follow=true&sinceTime=2026-01-02T03%3A04%3A05Z\n" LOG AT "05.1Z a\n" AT "05.3Z c\n! cut gone\n"
	     "> GET " POD "&follow=true&sinceTime=2026-01-02T03%3A04%3A05Z\n" LOG AT "05.1Z a\n" AT "05.3Z c\n" AT "05.4Z d\n"
	     "> GET " POD "&follow=true&sinceTime=2026-01-02T03%3A04%3A05Z\n" LOG AT "05.1Z a\n" AT "05.3Z c\n" AT "05.4Z d\n", request,
	     "c\nd\n", "", "and cut then");
}

static void
test_trouble(void)
{
	hear("> GET " POD "&follow=true\n< 400 application/json\n{\"kind\":\"Status\",\"message\":\"container \\\"main\\\" in pod \\\"p\\\" is waiting to start: "
	     "PodInitializing\"}\n> GET " POD "&follow=true\n< 503 text/plain\nno\n> GET " POD "&follow=true\n! no-connection refused\n"
	     "> GET " POD "&follow=true\n" LOG AT "05Z x\n> GET " POD "&follow=true&sinceTime=2026-01-02T03%3A04%3A04Z\n< 404 text/plain\nno\n",
	     follow, "x\n", "", "a pod that begins, a server that is away, a pod that goes once its log was whole");
	hear("> GET " POD "\n< 403 application/json\n{\"kind\":\"Status\",\"message\":\"pods \\\"p-1\\\" is forbidden: User \\\"u\\\" cannot get resource\"}\n",
	     follow.follow ? once : follow, "", "you may not `get` pods/log in the namespace `ml` (403)", "a right that is missing");
	hear("> GET " POD "&follow=true\n" LOG AT "05Z x\n! cut gone\n> GET " POD "&follow=true&sinceTime=2026-01-02T03%3A04%3A04Z\n"
	     "< 404 application/json\n{\"kind\":\"Status\"}\n> GET /apis/argoproj.io/v1alpha1/namespaces/ml/workflows/w\n"
	     "< 200 application/json\n{\"metadata\":{\"uid\":\"uid\"},\"status\":{\"nodes\":{\"w-1\":{\"outputs\":{}}}}}\n", follow, "x\n",
	     "the pod is gone, and its log with it", "a pod that was deleted");
	hear("> GET " POD "&follow=true\n" LOG "unable to retrieve container logs for containerd://12\n"
	     "> GET /apis/argoproj.io/v1alpha1/namespaces/ml/workflows/w\n< 200 application/json\n"
	     "{\"metadata\":{\"uid\":\"uid\"},\"status\":{\"nodes\":{\"w-1\":{\"outputs\":{\"artifacts\":[{\"name\":\"main-logs\",\"raw\":{\"data\":\"one\\ntwo\\n\"}}]}}}}}\n",
	     follow, "one\ntwo\n", "", "the kubelet has lost the file, the artifact repository has it");
}

static const char archived_rest[] =
	"> GET " POD "&follow=true\n< 404 application/json\n{\"kind\":\"Status\"}\n> GET /apis/argoproj.io/v1alpha1/namespaces/ml/workflows/w\n"
	"< 200 application/json\n{\"metadata\":{\"uid\":\"uid\"},\"status\":{\"nodes\":{\"w-1\":{\"outputs\":{\"artifacts\":"
	"[{\"name\":\"main-logs\",\"raw\":{\"data\":\"one\\ntwo\\n\"}}]}}}}}\n";

static void
test_have(void)
{
	struct door_log_request request = { .follow = true, .have = 4 };

	hear(archived_rest, request, "two\n", "", "of an archived log what we have is left out");
}

/* The same lines whatever byte the connection is cut at; several lie in one second, two at one time. */
static void
test_cuts(void)
{
	static const char lines[] = AT "05.000000001Z one\n" AT "05.000000001Z one\n" AT "05.7Z two\n" AT "06.1Z three\n" AT "07.1Z four\n" AT "09Z five\n";
	struct buf text = { 0 };
	size_t bad = 0, n = 0;

	/* What the server gives depends on what it is asked for: whatever that is, in any order. */
	for (int second = 3; second < 10; second++) {
		buf_printf(&text, "> GET " POD "&follow=true");
		if (second > 3)
			buf_printf(&text, "&sinceTime=2026-01-02T03%%3A04%%3A%02dZ", second);
		buf_puts(&text, "\n" LOG "");
		for (const char *line = lines; *line; line = strchr(line, '\n') + 1)
			if (strtol(line + strlen(AT), NULL, 10) >= second)
				buf_add(&text, line, strcspn(line, "\n") + 1);
	}
	for (size_t cut = 1; cut < strlen(lines); cut++, n++) {
		struct buf all = { 0 };
		struct bench b;

		/* Each reply may be taken several times. */
		for (int i = 0; i < 3; i++)
			buf_add(&all, text.data, text.len);
		open_bench(&b, buf_text(&all));
		b.recorded.any_order = true;
		b.recorded.cut = cut;
		listen(&b, follow);
		bad += strcmp(buf_text(&b.hearing.text), "one\none\ntwo\nthree\nfour\nfive\n") != 0 || !b.hearing.ended || *b.hearing.failure;
		if (bad == 1)
			is_str(buf_text(&b.hearing.text), "one\none\ntwo\nthree\nfour\nfive\n", "cut at %zu: %s %s", cut, b.hearing.failure, buf_text(&b.recorded.log));
		close_bench(&b);
		buf_release(&all);
	}
	is_int((int64_t)bad, 0, "each line once at any of %zu cuts", n);
	buf_release(&text);
}

int
main(void)
{
	test_whole();
	test_since();
	test_trouble();
	test_have();
	test_cuts();
	return done_testing();
}
