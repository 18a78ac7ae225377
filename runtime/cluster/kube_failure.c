/* Refusals of the Kubernetes API in plain words, each with the next thing to try. */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "runtime/cluster/kube.h"

static void
explain_401(const struct kubeconfig *config, const struct api *api, struct api_failure *ret)
{
	const char *place = api->words->place;

	ret->kind = API_UNKNOWN_USER;
	api_say(ret->what, "`%s` does not accept who you are (401)", api->server);
	if (config->exec.command && !config->token)
		api_say(ret->help, "sign in again: the credentials come from `%.200s`, so run it, or your cloud's own sign-in, in a terminal",
			config->exec.command);
	else if (config->token_file)
		api_say(ret->help, "the token in `%.400s` is not valid, or no longer: get a new one", config->token_file);
	else if (config->token)
		api_say(ret->help, "the token of %s is not valid, or no longer: get a new one and write it there", place);
	else if (config->certificate.text)
		api_say(ret->help, "the client certificate of %s may have expired, or be of another cluster: write the kubeconfig anew", place);
	else
		api_say(ret->help, "%s names no credentials: give its user a token, a client certificate or an exec plugin", place);
}

static void
explain_403(const struct kubeconfig *config, const struct api *api, const struct api_request *request, const char *message,
	    struct api_failure *ret)
{
	const struct api_right *right = &request->right;
	struct buf grant = { 0 };

	if (strstr(message, "\"system:anonymous\"")) {
		explain_401(config, api, ret);
		api_say(ret->what, "`%s` does not know who you are: to it you are `system:anonymous`", api->server);
		return;
	}
	/* RBAC says who cannot do what; quotas and admission policies use the same status. */
	if (*message && !strstr(message, " cannot ")) {
		ret->kind = API_REFUSED;
		api_say(ret->what, "`%s` refuses it (403): %s", api->server, message);
		api_say(ret->help, "a quota or a policy of the cluster stands against it: ask whoever runs the cluster");
		return;
	}
	ret->kind = API_FORBIDDEN;
	if (*message)
		api_say(ret->note, "`%s` says: %s", api->server, message);
	if (!right->verb) {
		api_say(ret->what, "`%s` does not let you do this (403)", api->server);
		api_say(ret->help, "ask whoever runs the cluster for the right");
		return;
	}
	api_say(ret->what, "you may not `%s` %s%s%s in %s%s%s (403)", right->verb, right->resource, *right->group ? "." : "", right->group,
		right->namespace_ ? "the namespace `" : "this cluster", right->namespace_ ? right->namespace_ : "", right->namespace_ ? "`" : "");
	api_write_grant(&grant, right);
	api_say(ret->help, "%s", buf_text(&grant));
	buf_release(&grant);
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
kube_explain(struct api *api, const struct api_request *request, const struct http_reply *reply, const struct value *answer,
	     struct arena *arena, struct api_failure *ret)
{
	const struct kubeconfig *config = kube_config((struct kube *)api);
	const char *text = value_text(value_get(answer, "message")), *message = text ? api_plain(arena, text, 600) : "";

	if (!is_kubernetes(reply, answer)) {
		api_explain_wrong(api, reply, answer, ret);
		return;
	}
	switch (reply->status) {
	case 401:
		explain_401(config, api, ret);
		api_note_skew(reply, ret->note);
		return;
	case 403:
		explain_403(config, api, request, message, ret);
		return;
	case 404:
		ret->kind = API_NOT_FOUND;
		api_say(ret->what, "`%s` says: %s", api->server, *message ? message : "404 page not found");
		api_say(ret->help, "see what is there: `kubectl get %s`", request->right.resource ? request->right.resource : "all");
		return;
	case 429:
		ret->kind = API_TROUBLE;
		api_say(ret->what, "`%s` has too much to do (429)", api->server);
		api_say(ret->help, "try again in a minute");
		return;
	default:
		ret->kind = reply->status >= 500 ? API_TROUBLE : API_REFUSED;
		api_say(ret->what, "`%s` answered %ld%s%s", api->server, reply->status, *message ? ": " : "", message);
		api_say(ret->help, ret->kind == API_TROUBLE ?
			"the API server has trouble of its own; try again, or look at `kubectl get --raw /readyz?verbose`" :
			"what was sent does not fit this cluster");
	}
}
