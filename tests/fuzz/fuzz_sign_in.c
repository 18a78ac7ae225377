/* What a sign-in reads of pages and headers that it does not know: forms, links, cookies, redirects. Nothing that leaves here as a
 * header or address holds what must not stand there, and nothing is led to another host. */
#include "config.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "runtime/cluster/cookies.h"
#include "runtime/cluster/html_form.h"
#include "runtime/cluster/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE "https://kubeflow.example.com/dex/auth?x=1#y"

static void
check_plain(const char *text, const char *what)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 127)
			BUG("a control character in %s", what);
}

static void
follow(struct arena *arena, const char *link)
{
	const char *url = url_resolve(arena, BASE, link);

	if (!url)
		return;
	check_plain(url, "an address");
	if (strchr(url, ' ') || strlen(url) > URL_MAX)
		BUG("`%s` is no address", url);
	if (url_same_site(BASE, url) && strncasecmp(url_host(arena, url), "kubeflow.example.com", 20) != 0)
		BUG("`%s` is another site", url);
}

static void
read_page(struct arena *arena, const char *text, size_t size)
{
	struct html_form *forms;
	size_t n = html_read_forms(arena, text, size, &forms);
	const char *link = html_find_link(arena, text, size, "/");

	for (size_t i = 0; i < n; i++) {
		if (forms[i].n_fields > HTML_FIELDS_MAX)
			BUG("%zu fields", forms[i].n_fields);
		follow(arena, forms[i].action);
	}
	if (link)
		follow(arena, link);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	char *text = arena_alloc(arena, size + 1);
	struct cookies cookies = { 0 };
	struct buf header = { 0 };

	if (size)
		memcpy(text, data, size);
	read_page(arena, text, size);
	follow(arena, text);
	cookies_take(&cookies, text);
	cookies_write(&cookies, true, &header);
	check_plain(buf_text(&header), "a header");
	cookies_release(&cookies);
	buf_release(&header);
	arena_free(arena);
	return 0;
}
