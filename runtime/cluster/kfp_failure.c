/* Refusals of Kubeflow Pipelines in plain words, each with the next thing to try. */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "runtime/cluster/kfp.h"

enum { MESSAGE_MAX = 600 }; /* bytes of the server's own words in a message */

/* What the server says so, and what to try then. Its words are matched, for it has no codes for these. */
static const struct {
	const char *said;
	enum api_failure_kind kind;
	const char *help;
} known[] = {
	{ "V1 pipeline specs are not allowed", API_REFUSED,
	  "this Kubeflow takes no Argo workflows any more: whoever runs it can set BLOCK_V1_PIPELINES to \"false\" in the config map "
	  "pipeline-install-config; or run on its cluster by the Kubernetes API, with `context`" },
	{ "is not allowed to run v1 pipelines", API_REFUSED,
	  "whoever runs Kubeflow can add the namespace to V1_ALLOWED_NAMESPACES in the config map pipeline-install-config" },
	{ "there is no user identity header", API_UNKNOWN_USER,
	  "this Kubeflow has several users and wants to know which: sign in at its gateway (`auth`), or say it with `user_id \"…\"`" },
	{ "cannot have an empty namespace in multi-user mode", API_REFUSED, "this Kubeflow has several users: say in which namespace, `namespace \"…\"`" },
	{ "In multi-user mode", API_REFUSED, "this Kubeflow has several users: say in which namespace, `namespace \"…\"`" },
	{ "input parameter length exceed maximum", API_REFUSED, "pass large data as a file (an artifact) or by an address, not as a parameter" },
	{ "no endpoints available for service", API_TROUBLE, "Kubeflow Pipelines does not run there just now: `kubectl get pods -n kubeflow`" },
	{ "error trying to reach service", API_TROUBLE, "Kubeflow Pipelines does not answer the API server just now: `kubectl get pods -n kubeflow`" },
	{ "RBAC: access denied", API_FORBIDDEN, "the cluster's gateway lets nobody pass who has not signed in: say how with `auth`" },
	{ "must be Failed/Error to retry", API_REFUSED, "only a run that has failed can be retried; start it anew" },
	{ "Workflow cannot be retried", API_REFUSED, "only a run that has failed, and of which nothing runs any more, can be retried" },
	{ "as it does not allow retries", API_REFUSED, "only a run that has failed, and of which nothing runs any more, can be retried" },
};

/* The short text is the last of the details; "Internal Server Error" says nothing, and then the long one does. */
static const char *
message_of(const struct value *answer)
{
	const struct value *details = value_get(answer, "details");
	const char *shorter = NULL, *longer = value_text(value_get(answer, "message"));

	if (!longer)
		longer = value_text(value_get(answer, "error_message"));
	if (!longer)
		longer = value_text(value_get(answer, "error"));
	if (details && details->kind == VALUE_LIST && details->list.n)
		shorter = value_text(value_get(details->list.items[0], "message"));
	if (shorter && *shorter && strcmp(shorter, "Internal Server Error") != 0)
		return shorter;
	return longer ? longer : "";
}

/* Its own errors, those of its uploads, and the API server's when it stands between. */
static bool
is_kubeflow(const struct http_reply *reply, const struct value *answer)
{
	const char *kind = value_text(value_get(answer, "kind"));
	const struct value *code = value_get(answer, "code");

	if (reply->status < 400)
		return false;
	if (reply->status >= 502 && reply->status <= 504)
		return true;
	if (answer)
		return (code && code->kind == VALUE_INTEGER) || value_get(answer, "error_message") || (kind && !strcmp(kind, "Status"));
	/* what stands before it */
	return reply->status == 401 || ((reply->status == 400 || reply->status == 403 || reply->status == 429 || reply->status >= 500) &&
		strncasecmp(reply->content_type, "text/html", 9) != 0);
}

static void
explain_unknown(struct api *api, const struct http_reply *reply, const char *message, struct api_failure *ret)
{
	ret->kind = API_UNKNOWN_USER;
	if (reply->status >= 300 && reply->status != 401)
		api_say(ret->what, "`%s` wants to be signed in to (%ld)", api->server, reply->status);
	else
		api_say(ret->what, "`%s` does not accept who you are (%ld)", api->server, reply->status);
	if (*message)
		api_say(ret->note, "it says: %s", message);
	else
		api_note_skew(reply, ret->note);
	api_say(ret->help, "%s", kfp_auth_help(kfp_auth_of((struct kfp *)api)));
}

/* The API server's own refusal to lead on to Kubeflow. */
static bool
explain_proxy(const struct kfp *kfp, const struct value *answer, struct api_failure *ret)
{
	const struct kfp_options *options = kfp_options(kfp);
	const char *kind = value_text(value_get(answer, "kind"));
	const struct api_right right = { "create", "", "services/proxy", options->service_namespace ? options->service_namespace : "kubeflow" };
	struct buf grant = { 0 };

	if (options->login.kind != KFP_AUTH_KUBE || ret->status != 403 || !kind || strcmp(kind, "Status") != 0)
		return false;
	ret->kind = API_FORBIDDEN;
	api_write_grant(&grant, &right);
	api_say(ret->help, "%s; `get` and `delete` likewise", buf_text(&grant));
	buf_release(&grant);
	return true;
}

static bool
explain_known(struct api *api, const char *message, const char *all, struct api_failure *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!strstr(all, known[i].said))
			continue;
		ret->kind = known[i].kind;
		api_say(ret->what, "`%s` answered %ld: %s", api->server, ret->status, message);
		api_say(ret->help, "%s", known[i].help);
		return true;
	}
	return false;
}

void
kfp_explain(struct api *api, const struct api_request *request, const struct http_reply *reply, const struct value *answer,
	    struct arena *arena, struct api_failure *ret)
{
	const char *message = api_plain(arena, message_of(answer), MESSAGE_MAX);
	const char *all = value_text(value_get(answer, "message"));

	(void)request;
	if (!answer && reply->body.len && reply->body.len < MESSAGE_MAX && reply->status >= 400 &&
	    strncasecmp(reply->content_type, "text/html", 9) != 0)
		message = api_plain(arena, buf_text(&reply->body), MESSAGE_MAX);
	if (explain_known(api, message, all ? all : message, ret))
		return;
	if (api_asks_who(api, reply) || (reply->status >= 300 && reply->status < 400)) {
		explain_unknown(api, reply, message, ret);
		return;
	}
	if (!is_kubeflow(reply, answer)) {
		api_explain_wrong(api, reply, answer, ret);
		return;
	}
	api_say(ret->what, "`%s` answered %ld%s%s", api->server, reply->status, *message ? ": " : "", message);
	if (explain_proxy((struct kfp *)api, answer, ret))
		return;
	switch (reply->status) {
	case 403:
		ret->kind = API_FORBIDDEN;
		api_say(ret->help, "ask whoever runs this Kubeflow for the right in that namespace; or check `namespace` and `user_id`");
		return;
	case 404:
		ret->kind = API_NOT_FOUND;
		api_say(ret->help, "it may have been deleted, or be of another Kubeflow; see what is there in its pages");
		return;
	case 429:
		ret->kind = API_TROUBLE;
		api_say(ret->help, "try again in a minute");
		return;
	default:
		ret->kind = reply->status >= 500 ? API_TROUBLE : API_REFUSED;
		api_say(ret->help, ret->kind == API_TROUBLE ?
			"if it is no fault of the workflow, Kubeflow Pipelines has trouble of its own: `kubectl logs -n kubeflow deploy/ml-pipeline`" :
			"what was sent does not fit this Kubeflow");
	}
}
