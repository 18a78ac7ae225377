#include "config.h"

#include "runtime/cluster/session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/cluster/api.h"
#include "runtime/cluster/html_form.h"
#include "runtime/cluster/url.h"

/* What a sign-in has come to. */
struct session {
	const struct session_request *request;
	struct http *http;
	struct cookies *cookies;
	struct arena *arena;
	const char *url; /* of what is asked for next */
	struct buf form; /* what is sent there; empty: it is a GET */
	bool posts, filled;
	int64_t deadline;
};

enum step { STEP_FAILED = -1, STEP_DONE, STEP_ON };

bool
session_is_sign_in(const struct http_reply *reply)
{
	return (reply->status >= 300 && reply->status < 400) || reply->status == 401 ||
	       (!strncasecmp(reply->content_type, "text/html", 9) && (reply->status < 300 || reply->status == 403));
}

/* ---- what is sent ---- */

static void
add_field(struct session *s, const char *name, const char *value)
{
	if (s->form.len)
		buf_putc(&s->form, '&');
	api_write_escaped(&s->form, name);
	buf_putc(&s->form, '=');
	api_write_escaped(&s->form, value);
}

static void
forget_form(struct session *s)
{
	if (s->form.data)
		explicit_bzero(s->form.data, s->form.cap);
	buf_clear(&s->form);
	s->posts = false;
}

static int
go_to(struct session *s, const char *link, struct error *err)
{
	const char *url = url_resolve(s->arena, s->url, link);

	if (!url)
		return error_set(err, "`%s` redirects to what is no address", url_host(s->arena, s->url));
	if (url_is_secure(s->request->url) && !url_is_secure(url))
		return error_set(err, "`%s` redirects the sign-in to an address without TLS, where a password must not go", url_host(s->arena, s->url));
	if (!url_same_site(s->request->url, url))
		return error_set(err, "`%s` redirects the sign-in to another site, `%s`, which the password is not for",
			url_host(s->arena, s->url), url_host(s->arena, url));
	s->url = url;
	return 0;
}

static enum http_outcome
ask(struct session *s, struct http_reply *ret, struct error *err)
{
	struct buf headers = { .max = COOKIES_BYTES_MAX }, cookie = { 0 };
	int64_t left = s->deadline - s->http->now(s->http);
	struct http_header header = { "Cookie", NULL };
	struct http_request http = { .method = s->posts ? "POST" : "GET", .url = s->url, .accept = "text/html",
		.content_type = "application/x-www-form-urlencoded", .authority = s->request->authority, .insecure = s->request->insecure,
		.max = SESSION_PAGE_MAX, .stop = s->request->stop, .context = s->request->context, .ret_headers = &headers };
	enum http_outcome outcome = HTTP_LATE;

	/* wanting JSON, too, one gets a 401 of a gateway, and no page */
	cookies_write(s->cookies, url_is_secure(s->url), &cookie);
	header.value = buf_text(&cookie);
	if (cookie.len) {
		http.headers = &header;
		http.n_headers = 1;
	}
	if (s->posts) {
		http.body = buf_text(&s->form);
		http.body_len = s->form.len;
	}
	if (left > 0) {
		http.timeout = left < HTTP_EXCHANGE_TIMEOUT ? (long)left : (long)HTTP_EXCHANGE_TIMEOUT;
		outcome = s->http->exchange(s->http, &http, ret, err);
	} else {
		error_set(err, "the sign-in took longer than %d s", SESSION_TIMEOUT / 1000);
	}
	forget_form(s);
	cookies_take(s->cookies, buf_text(&headers));
	/* a Location is longer than what a reply keeps of a header */
	for (const char *line = buf_text(&headers); *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (!strncasecmp(line, "location:", 9))
			header.name = arena_strndup(s->arena, line + 9 + strspn(line + 9, " "), strcspn(line + 9 + strspn(line + 9, " "), "\r\n"));
	if (outcome == HTTP_ANSWERED && ret->status >= 300 && ret->status < 400 && strcmp(header.name, "Cookie") != 0) {
		buf_clear(&ret->body);
		buf_puts(&ret->body, header.name);
	}
	if (cookie.data)
		explicit_bzero(cookie.data, cookie.cap);
	if (headers.data)
		explicit_bzero(headers.data, headers.cap);
	buf_release(&cookie);
	buf_release(&headers);
	return outcome;
}

/* ---- pages ---- */

static const struct html_field *
field_of_type(const struct html_form *form, const char *type)
{
	for (size_t i = 0; i < form->n_fields; i++)
		if (!strcmp(form->fields[i].type, type) && *form->fields[i].name)
			return &form->fields[i];
	return NULL;
}

static bool
has_field(const struct html_form *form, const char *name, const char *value)
{
	for (size_t i = 0; i < form->n_fields; i++)
		if (!strcmp(form->fields[i].name, name) && !strcmp(form->fields[i].value, value))
			return true;
	return false;
}

static const struct html_field *
name_field(const struct html_form *form)
{
	const struct html_field *text = field_of_type(form, "text");

	return text ? text : field_of_type(form, "email");
}

/* The page's own values of the fields that people do not see. */
static void
add_hidden(struct session *s, const struct html_form *form)
{
	for (size_t i = 0; i < form->n_fields; i++)
		if (!strcmp(form->fields[i].type, "hidden") && *form->fields[i].name)
			add_field(s, form->fields[i].name, form->fields[i].value);
}

static enum step
send_form(struct session *s, const struct html_form *form, struct error *err)
{
	if (go_to(s, form->action, err))
		return STEP_FAILED;
	if (!strcmp(form->method, "post")) {
		s->posts = true;
	} else if (s->form.len) {
		s->url = arena_printf(s->arena, "%s%s%s", s->url, strchr(s->url, '?') ? "&" : "?", buf_text(&s->form));
		forget_form(s);
	}
	return STEP_ON;
}

static enum step
fill_in(struct session *s, const struct html_form *form, struct error *err)
{
	const struct html_field *name = name_field(form), *password = field_of_type(form, "password");

	if (s->filled)
		return error_set(err, "`%s` does not take the user name `%.100s` with its password", url_host(s->arena, s->request->url),
			s->request->user);
	if (strcmp(form->method, "post") != 0)
		return error_set(err, "the sign-in page of `%s` would put the password into an address", url_host(s->arena, s->url));
	s->filled = true;
	add_hidden(s, form);
	if (name)
		add_field(s, name->name, s->request->user);
	add_field(s, password->name, s->request->password);
	return send_form(s, form, err);
}

/* What a page wants. dex: the form, or a choice of connectors before it, or an approval after it; oauth2-proxy: a button. */
static enum step
answer_page(struct session *s, const struct http_reply *reply, struct error *err)
{
	struct html_form *forms;
	const char *text = buf_text(&reply->body), *link;
	size_t n = html_read_forms(s->arena, text, reply->body.len, &forms);

	for (size_t i = 0; i < n; i++)
		if (field_of_type(&forms[i], "password"))
			return fill_in(s, &forms[i], err);
	for (size_t i = 0; i < n; i++) {
		if (!has_field(&forms[i], "approval", "approve") && !strstr(forms[i].action, "/oauth2/start"))
			continue;
		add_hidden(s, &forms[i]);
		return send_form(s, &forms[i], err);
	}
	link = s->filled ? NULL : html_find_link(s->arena, text, reply->body.len, "/auth/local");
	if (link)
		return go_to(s, link, err) ? STEP_FAILED : STEP_ON;
	if (reply->status < 300)
		return STEP_DONE;
	return error_set(err, "`%s` answered the sign-in with %ld and a page without a form for a user name and a password",
		url_host(s->arena, s->url), reply->status);
}

static enum step
judge(struct session *s, const struct http_reply *reply, struct error *err)
{
	if (reply->status >= 300 && reply->status < 400)
		return go_to(s, buf_text(&reply->body), err) ? STEP_FAILED : STEP_ON;
	if (!strncasecmp(reply->content_type, "text/html", 9))
		return answer_page(s, reply, err);
	if (reply->status < 300 || (reply->status == 404 && s->filled))
		return STEP_DONE; /* past the gate; what is there matters no more */
	return error_set(err, "`%s` answered the sign-in with %ld", url_host(s->arena, s->url), reply->status);
}

static enum step
walk(struct session *s, struct error *err)
{
	enum step step = STEP_ON;

	for (int hop = 0; step == STEP_ON; hop++) {
		struct http_reply reply = { 0 };

		if (hop == SESSION_HOPS_MAX)
			return error_set(err, "the sign-in at `%s` goes round in circles", url_host(s->arena, s->request->url));
		if (ask(s, &reply, err) == HTTP_ANSWERED)
			step = judge(s, &reply, err);
		else
			step = error_prefix(err, "cannot sign in at `%s`", url_host(s->arena, s->url));
		http_reply_release(&reply);
	}
	return step;
}

int
session_sign_in(const struct session_request *request, struct http *http, struct cookies *ret, struct error *err)
{
	struct session s = { .request = request, .http = http, .cookies = ret, .arena = arena_new(), .url = request->url,
		.deadline = http->now(http) + SESSION_TIMEOUT };
	enum step step;

	cookies_release(ret);
	step = walk(&s, err);
	if (step == STEP_FAILED)
		cookies_release(ret);
	forget_form(&s);
	buf_release(&s.form);
	arena_free(s.arena);
	return step == STEP_FAILED ? -1 : 0;
}
