/* Failures of a cluster in plain words, each with the next thing to try. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "runtime/cluster/kube.h"

static void say(char *ret, const char *format, ...) PRINTF_LIKE(2, 3);

static void
say(char *ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret, KUBE_TEXT_MAX, format, args);
	va_end(args);
}

const char *
kube_plain(struct arena *arena, const char *text, size_t max)
{
	size_t len = strlen(text);
	char *copy;

	if (len > max) {
		for (len = max; len && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
			;
		copy = arena_printf(arena, "%.*s…", (int)len, text);
	} else {
		copy = arena_strdup(arena, text);
	}
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = ' ';
	return copy;
}

/* "the context `x` in `path`", or the pod's account. */
static const char *
place(const struct kubeconfig *config)
{
	return *config->context ? arena_printf(config->arena, "the context `%.100s` in `%.300s`", config->context, config->from) :
				  "the pod's service account";
}

/* ---- no answer ---- */

static void
say_time(char *ret)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[32];

	gmtime_r(&now, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &tm);
	say(ret, "this machine's clock says %s", text);
}

void
kube_explain_outcome(const struct kubeconfig *config, enum http_outcome outcome, const struct error *err, struct kube_failure *ret)
{
	const char *server = config->server, *why = err->text;

	*ret = (struct kube_failure){ .kind = KUBE_UNREACHABLE };
	switch (outcome) {
	case HTTP_ANSWERED:
		BUG("an answer is no failure");
	case HTTP_STOPPED_BY_USER:
		ret->kind = KUBE_STOPPED;
		say(ret->what, "the request to `%s` was interrupted", server);
		return;
	case HTTP_NO_LIBRARY:
		say(ret->what, "clusters cannot be reached: %s", why);
		say(ret->help, "install libcurl 7.77 or later (on Debian and Ubuntu the package `libcurl4`)");
		return;
	case HTTP_NO_NAME:
		say(ret->what, "the host of `%s` is not known: %s", server, why);
		say(ret->help, "check `server` of %s; a private cluster's name may be known only within its network or VPN", place(config));
		return;
	case HTTP_NO_CONNECTION:
		say(ret->what, "nothing answers at `%s`: %s", server, why);
		say(ret->help, "does the cluster run, and does a way lead there from this network (VPN, firewall, `proxy-url`)? The address is that of %s",
			place(config));
		return;
	case HTTP_NOT_TLS:
		say(ret->what, "what answers at `%s` does not speak TLS as an API server does: %s", server, why);
		say(ret->help, "check the port of `server` in %s: it must be the API server's own (443 or 6443 mostly), not that of a web page", place(config));
		return;
	case HTTP_CERTIFICATE_EXPIRED:
		say(ret->what, "the certificate of `%s` has expired", server);
		say(ret->help, "whoever runs the cluster must renew it (with kubeadm: `kubeadm certs renew all`); unless this machine's clock is wrong");
		say_time(ret->note);
		return;
	case HTTP_CERTIFICATE_EARLY:
		say(ret->what, "the certificate of `%s` is not valid yet", server);
		say(ret->help, "set this machine's clock right, or the cluster's, whichever is wrong");
		say_time(ret->note);
		return;
	case HTTP_UNKNOWN_AUTHORITY:
		say(ret->what, "the certificate of `%s` is from an authority that %s does not name", server, place(config));
		say(ret->help, "write the kubeconfig anew, for `certificate-authority-data` must be this cluster's; a proxy that looks into TLS has an "
			"authority of its own, which can be put there");
		return;
	case HTTP_OTHER_NAME:
		say(ret->what, "the certificate of `%s` is for another host: %s", server, why);
		say(ret->help, "give the cluster of %s the address that the certificate names, or its name as `tls-server-name`", place(config));
		return;
	case HTTP_BAD_CERTIFICATE:
		say(ret->what, "the certificate of `%s` cannot be trusted: %s", server, why);
		say(ret->help, "see what the server sends: `openssl s_client -showcerts -connect HOST:PORT`");
		return;
	case HTTP_BAD_CLIENT:
		ret->kind = KUBE_UNKNOWN_USER;
		say(ret->what, "a certificate or key of %s cannot be used: %s", place(config), why);
		say(ret->help, "write the kubeconfig anew; a key must be without a password, and belong to its certificate");
		return;
	case HTTP_CUT:
		say(ret->what, "the connection to `%s` ended before the answer did: %s", server, why);
		say(ret->help, "try again; if it stays so, a proxy, a load balancer or the API server itself ends connections");
		return;
	case HTTP_LATE:
		say(ret->what, "`%s` did not answer in time: %s", server, why);
		say(ret->help, "try again; if it stays so, the API server is overloaded, or something on the way swallows the answer");
		return;
	case HTTP_TOO_LARGE:
		say(ret->what, "the answer of `%s` is too large: %s", server, why);
		say(ret->help, "this is no answer of an API server to such a question: check `server` of %s", place(config));
		ret->kind = KUBE_WRONG_SERVER;
		return;
	}
	BUG("outcome %d", (int)outcome);
}

/* ---- an answer that is none ---- */

void
kube_write_grant(struct buf *buf, const struct kube_right *right)
{
	buf_printf(buf, "let whoever runs the cluster grant it: a %s", right->namespace_ ? "Role" : "ClusterRole");
	if (right->namespace_)
		buf_printf(buf, " in the namespace `%s`", right->namespace_);
	buf_printf(buf, " with the rule {apiGroups: [\"%s\"], resources: [\"%s\"], verbs: [\"%s\"]}, bound to you", right->group,
		   right->resource, right->verb);
}

/* The server's clock against ours: tokens and certificates end by them. */
static void
note_skew(const struct http_reply *reply, char *ret)
{
	struct tm tm = { 0 };
	int64_t skew;

	if (!*reply->date || !strptime(reply->date, "%a, %d %b %Y %H:%M:%S", &tm))
		return;
	skew = (int64_t)time(NULL) - (int64_t)timegm(&tm);
	if (skew > KUBE_SKEW || skew < -KUBE_SKEW)
		say(ret, "this machine's clock is %lld seconds %s the server's, which alone can make credentials invalid: set it right",
			(long long)llabs((long long)skew), skew > 0 ? "ahead of" : "behind");
}

static void
explain_401(const struct kubeconfig *config, struct kube_failure *ret)
{
	ret->kind = KUBE_UNKNOWN_USER;
	say(ret->what, "`%s` does not accept who you are (401)", config->server);
	if (config->exec.command && !config->token)
		say(ret->help, "sign in again: the credentials come from `%.200s`, so run it, or your cloud's own sign-in, in a terminal", config->exec.command);
	else if (config->token_file)
		say(ret->help, "the token in `%.400s` is not valid, or no longer: get a new one", config->token_file);
	else if (config->token)
		say(ret->help, "the token of %s is not valid, or no longer: get a new one and write it there", place(config));
	else if (config->certificate.text)
		say(ret->help, "the client certificate of %s may have expired, or be of another cluster: write the kubeconfig anew", place(config));
	else
		say(ret->help, "%s names no credentials: give its user a token, a client certificate or an exec plugin", place(config));
}

static void
explain_403(const struct kubeconfig *config, const struct kube_request *request, const char *message, struct kube_failure *ret)
{
	struct buf grant = { 0 };

	if (strstr(message, "\"system:anonymous\"")) {
		explain_401(config, ret);
		say(ret->what, "`%s` does not know who you are: to it you are `system:anonymous`", config->server);
		return;
	}
	/* RBAC says who cannot do what; quotas and admission policies use the same status. */
	if (*message && !strstr(message, " cannot ")) {
		ret->kind = KUBE_REFUSED;
		say(ret->what, "`%s` refuses it (403): %s", config->server, message);
		say(ret->help, "a quota or a policy of the cluster stands against it: ask whoever runs the cluster");
		return;
	}
	ret->kind = KUBE_FORBIDDEN;
	say(ret->what, "you may not `%s` %s%s%s in %s%s%s (403)", request->right.verb, request->right.resource, *request->right.group ? "." : "",
		request->right.group, request->right.namespace_ ? "the namespace `" : "this cluster",
		request->right.namespace_ ? request->right.namespace_ : "", request->right.namespace_ ? "`" : "");
	if (*message)
		say(ret->note, "`%s` says: %s", config->server, message);
	kube_write_grant(&grant, &request->right);
	say(ret->help, "%s", buf_text(&grant));
	buf_release(&grant);
}

static void
explain_wrong(const struct kubeconfig *config, const struct http_reply *reply, const struct value *answer, struct kube_failure *ret)
{
	const char *body = buf_text(&reply->body);
	bool page = !strncasecmp(reply->content_type, "text/html", 9);

	ret->kind = KUBE_WRONG_SERVER;
	say(ret->what, "what answers at `%s` is not the Kubernetes API: status %ld with %s", config->server, reply->status,
		answer ? "JSON of another kind" : page ? "a web page" : *body ? "something that is no JSON" : "nothing");
	if (strstr(body, "HTTP request to an HTTPS server"))
		say(ret->help, "write `https://` in `server` of %s", place(config));
	else if (page || (reply->status >= 300 && reply->status < 400))
		say(ret->help, "a sign-in page or a proxy stands before it, or `server` of %s is not the API server's address", place(config));
	else
		say(ret->help, "`server` of %s must be the API server's address, not that of the Argo server (port 2746 mostly) or of Kubeflow Pipelines",
			place(config));
}

/* Kubernetes' own 404 for a group that it does not have is plain text. */
static bool
is_kubernetes(const struct http_reply *reply, const struct value *answer)
{
	const char *kind = value_text(value_get(answer, "kind"));

	if (answer)
		return kind && !strcmp(kind, "Status");
	return (reply->status == 404 && !strncmp(buf_text(&reply->body), "404 page not found", 18)) ||
	       (reply->status >= 500 && strncasecmp(reply->content_type, "text/html", 9) != 0) || reply->status == 429;
}

void
kube_explain_status(const struct kubeconfig *config, const struct kube_request *request, const struct http_reply *reply,
		    const struct value *answer, struct kube_failure *ret)
{
	const char *text = value_text(value_get(answer, "message")), *message = text ? kube_plain(config->arena, text, 600) : "";

	*ret = (struct kube_failure){ .status = reply->status, .answer = answer };
	if (!is_kubernetes(reply, answer)) {
		explain_wrong(config, reply, answer, ret);
		return;
	}
	switch (reply->status) {
	case 401:
		explain_401(config, ret);
		note_skew(reply, ret->note);
		return;
	case 403:
		explain_403(config, request, message, ret);
		return;
	case 404:
		ret->kind = KUBE_NOT_FOUND;
		say(ret->what, "`%s` says: %s", config->server, *message ? message : "404 page not found");
		say(ret->help, "see what is there: `kubectl get %s`", request->right.resource);
		return;
	case 429:
		ret->kind = KUBE_TROUBLE;
		say(ret->what, "`%s` has too much to do (429)", config->server);
		say(ret->help, "try again in a minute");
		return;
	default:
		ret->kind = reply->status >= 500 ? KUBE_TROUBLE : KUBE_REFUSED;
		say(ret->what, "`%s` answered %ld%s%s", config->server, reply->status, *message ? ": " : "", message);
		say(ret->help, ret->kind == KUBE_TROUBLE ? "the API server has trouble of its own; try again, or look at `kubectl get --raw /readyz?verbose`" :
			"what was sent does not fit this cluster");
	}
}
