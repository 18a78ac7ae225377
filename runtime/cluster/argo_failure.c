/* Refusals of the Argo server in plain words, each with the next thing to try. Its errors are {"code": a number of gRPC's, "message"};
 * https://grpc.github.io/grpc/core/md_doc_statuscodes.html has the numbers. */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "runtime/cluster/argo.h"

enum { MESSAGE_MAX = 600 }; /* bytes of the server's own words in a message */

enum grpc_code { GRPC_INVALID = 3, GRPC_NOT_FOUND = 5, GRPC_EXISTS = 6, GRPC_DENIED = 7, GRPC_PRECONDITION = 9, GRPC_ABORTED = 10,
	GRPC_NOT_THERE = 12, GRPC_UNAVAILABLE = 14, GRPC_WHO = 16 };

static int64_t
number_of(const struct value *dict, const char *key)
{
	const struct value *number = value_get(dict, key);

	return number && number->kind == VALUE_INTEGER ? number->integer : 0;
}

static enum api_failure_kind
kind_of(int64_t code, long status, const char *message)
{
	switch (code) {
	case GRPC_NOT_FOUND:
		return API_NOT_FOUND;
	case GRPC_DENIED:
		return API_FORBIDDEN;
	case GRPC_WHO:
		return API_UNKNOWN_USER;
	case GRPC_INVALID:
	case GRPC_EXISTS:
	case GRPC_PRECONDITION:
	case GRPC_ABORTED:
	case GRPC_NOT_THERE:
		return API_REFUSED;
	case GRPC_UNAVAILABLE:
		return API_TROUBLE;
	default:
		break;
	}
	/* Much that is no trouble of the server's comes as "internal": what Kubernetes has said to it, and its own rules. */
	if (strstr(message, " not found"))
		return API_NOT_FOUND;
	if (strstr(message, " is forbidden: "))
		return API_FORBIDDEN;
	if (!strncmp(message, "Cannot ", 7) || !strncmp(message, "cannot ", 7) || strstr(message, "To retry a succeeded workflow"))
		return API_REFUSED;
	if (status == 401)
		return API_UNKNOWN_USER;
	if (status == 403)
		return API_FORBIDDEN;
	if (status == 404)
		return API_NOT_FOUND;
	return status >= 500 || status == 429 ? API_TROUBLE : API_REFUSED;
}

static void
fill_help(const struct api_request *request, struct api_failure *ret)
{
	struct buf grant = { 0 };

	switch (ret->kind) {
	case API_UNKNOWN_USER:
		api_say(ret->help, "give it a token that is good there: `token env(\"ARGO_TOKEN\")`; `argo auth token` prints one");
		return;
	case API_FORBIDDEN:
		if (request && request->right.verb) {
			api_write_grant(&grant, &request->right);
			api_say(ret->help, "%s: to the account of your token, or the server's own", buf_text(&grant));
			buf_release(&grant);
		} else {
			api_say(ret->help, "the account of your token lacks a right in that namespace: ask whoever runs the cluster");
		}
		return;
	case API_NOT_FOUND:
		api_say(ret->help, "it may have been deleted, or be in another namespace; see what is there in the server's pages");
		return;
	case API_TROUBLE:
		api_say(ret->help, ret->status == 429 ? "try again in a minute" :
			"the Argo server has trouble of its own, or with its cluster: `kubectl logs -n argo deploy/argo-server`");
		return;
	default:
		api_say(ret->help, "what was sent does not fit this Argo server");
	}
}

void
argo_explain_error(const struct api *api, const struct value *error, struct arena *arena, struct api_failure *ret)
{
	const char *text = value_text(value_get(error, "message")), *message = text ? api_plain(arena, text, MESSAGE_MAX) : "";
	int64_t code = number_of(error, "grpc_code");

	*ret = (struct api_failure){ .status = (long)number_of(error, "http_code"), .answer = error };
	ret->kind = kind_of(code ? code : number_of(error, "code"), ret->status, message);
	api_say(ret->what, "`%s` broke off: %s", api->server, *message ? message : "it does not say why");
	fill_help(NULL, ret);
}

static bool
is_page(const struct http_reply *reply)
{
	return !strncasecmp(reply->content_type, "text/html", 9);
}

/* Its own errors have a number; what stands before it, its gate, and the part of it that has artifacts answer in plain words. */
static bool
is_argo(const struct api_request *request, const struct http_reply *reply, const struct value *answer)
{
	const struct value *code = value_get(answer, "code");

	if (reply->status < 400)
		return false;
	if (reply->status >= 502 && reply->status <= 504)
		return true;
	if (answer)
		return code && code->kind == VALUE_INTEGER;
	if (!strncmp(request->path, "/artifact-files/", 16) && !is_page(reply))
		return true;
	return (reply->status == 401 || reply->status == 403 || reply->status == 429 || reply->status >= 500) && !is_page(reply);
}

void
argo_explain(struct api *api, const struct api_request *request, const struct http_reply *reply, const struct value *answer,
	     struct arena *arena, struct api_failure *ret)
{
	const char *text = value_text(value_get(answer, "message")), *message;

	if (!is_argo(request, reply, answer)) {
		api_explain_wrong(api, reply, answer, ret);
		return;
	}
	message = api_plain(arena, text ? text : answer || is_page(reply) ? "" : buf_text(&reply->body), MESSAGE_MAX);
	ret->kind = kind_of(number_of(answer, "code"), reply->status, message);
	if (ret->kind == API_UNKNOWN_USER) {
		api_say(ret->what, "`%s` does not accept who you are (%ld)", api->server, reply->status);
		if (*message)
			api_say(ret->note, "it says: %s", message);
		else
			api_note_skew(reply, ret->note);
	} else {
		api_say(ret->what, "`%s` answered %ld%s%s", api->server, reply->status, *message ? ": " : "", message);
	}
	fill_help(request, ret);
}
