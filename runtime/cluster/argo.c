#include "config.h"

#include "runtime/cluster/argo.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/base64.h"
#include "runtime/secrets.h"

struct argo {
	struct api api;
	struct argo_options options;
	struct api_words words;
	struct arena *arena; /* of words, and of user and password */
	struct buf token; /* as it was read last, with its word */
	char *user, *password; /* of a Basic one */
};

static void
forget(struct argo *argo)
{
	if (argo->token.data)
		explicit_bzero(argo->token.data, argo->token.cap);
	buf_release(&argo->token);
	if (argo->user)
		explicit_bzero(argo->user, strlen(argo->user));
	if (argo->password)
		explicit_bzero(argo->password, strlen(argo->password));
	free(argo->user);
	free(argo->password);
	argo->user = argo->password = NULL;
}

/* ---- who we are ---- */

static int
read_token(struct argo *argo, struct error *err)
{
	const char *variable = getenv("ARGO_TOKEN");
	int rc;

	forget(argo);
	if (!argo->options.token) {
		buf_puts(&argo->token, variable ? variable : "");
		return 0;
	}
	rc = secret_read(argo->options.token, &argo->token, err);
	if (rc > 0)
		return error_set(err, "the token of %s is not there", argo->words.place);
	return rc ? error_prefix(err, "the token of %s cannot be read", argo->words.place) : 0;
}

/* base64 of "user:password" */
static int
use_basic(struct argo *argo, const char *text, struct http_request *ret, struct error *err)
{
	struct arena *scratch = arena_new();
	size_t len;
	char *both = base64_decode(scratch, text, strlen(text), &len), *colon = both ? strchr(both, ':') : NULL;

	if (colon) {
		argo->user = xstrndup(both, (size_t)(colon - both));
		argo->password = xstrdup(colon + 1);
	}
	if (both)
		explicit_bzero(both, len);
	arena_free(scratch);
	if (!colon)
		return error_set(err, "the token of %s says `Basic`, and holds no user and password", argo->words.place);
	ret->user = argo->user;
	ret->password = argo->password;
	return 0;
}

/* Only what says who we are; the address and whom to trust are the server's own. */
static int
use_kube(struct argo *argo, bool renew, struct http_request *ret, struct error *err)
{
	struct api *kube = kube_api(argo->options.kube);
	struct http_request signed_ = { 0 };

	if (kube->ops->sign(kube, renew, &signed_, err))
		return -1;
	ret->token = signed_.token;
	ret->user = signed_.user;
	ret->password = signed_.password;
	return 0;
}

static int
sign(struct api *api, bool renew, struct http_request *ret, struct error *err)
{
	struct argo *argo = (struct argo *)api;
	const char *token;

	ret->authority = argo->options.authority;
	ret->insecure = argo->options.insecure;
	if (read_token(argo, err))
		return -1;
	token = buf_text(&argo->token);
	if (!*token)
		return argo->options.kube ? use_kube(argo, renew, ret, err) : 0;
	if (!strncmp(token, "Basic ", 6))
		return use_basic(argo, token + 6, ret, err);
	if (!strncmp(token, "Bearer ", 7))
		token += 7;
	if (!kubeconfig_is_token(token))
		return error_set(err, "the token of %s is none: it holds blanks, line ends or other characters that a token has not", argo->words.place);
	ret->token = token;
	return 0;
}

static bool
renewable(const struct api *api)
{
	const struct argo *argo = (const struct argo *)api;

	return !argo->token.len && argo->options.kube && api_renewable(kube_api(argo->options.kube));
}

static const struct api_ops ops = { .sign = sign, .renewable = renewable, .explain = argo_explain };

/* ---- the client ---- */

static void
fill_words(struct argo *argo)
{
	const char *place = argo->options.place ? argo->options.place : "the cluster";

	argo->words = (struct api_words){
		.name = "the API of the Argo server",
		.server = "the Argo server",
		.a_server = "an Argo server",
		.address = arena_printf(argo->arena, "`argo` of %s", place),
		.place = place,
		.port = "the Argo server's own (2746 mostly)",
		.others = "the Kubernetes API or of Kubeflow Pipelines",
		.reach = "does the Argo server run, and does a way lead there from this network (VPN, firewall, a `kubectl port-forward` that must go on)?",
		.sign_in = "give it a token: `token env(\"ARGO_TOKEN\")`; `argo auth token` prints one",
		.expired = "whoever runs the Argo server must renew it; unless this machine's clock is wrong",
		.authority = "the Argo server makes a certificate by itself unless it is given one: give it one of an authority that is known, or, on a "
			"network of your own, write `insecure`",
		.other_name = "use the address that the certificate names; one that the Argo server made by itself names none: `insecure`",
		.bad_client = "write the kubeconfig anew; a key must be without a password, and belong to its certificate",
	};
}

struct argo *
argo_new(const struct argo_options *options, struct http *http)
{
	struct argo *argo = xcalloc(1, sizeof *argo);

	argo->options = *options;
	argo->arena = arena_new();
	fill_words(argo);
	argo->api = (struct api){ .ops = &ops, .http = http, .server = options->url, .words = &argo->words, .stop = options->stop,
		.context = options->context };
	return argo;
}

void
argo_free(struct argo *argo)
{
	if (!argo)
		return;
	forget(argo);
	arena_free(argo->arena);
	free(argo);
}

struct api *
argo_api(struct argo *argo)
{
	return &argo->api;
}

const struct argo_options *
argo_options(const struct argo *argo)
{
	return &argo->options;
}
