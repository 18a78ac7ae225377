#include "config.h"

#include "runtime/cluster/credentials.h"

#include <string.h>
#include <time.h>

#include "base/value.h"

void
credentials_init(struct credentials *credentials, const struct kubeconfig *config, const struct exec_plugin_limits *limits)
{
	*credentials = (struct credentials){ .config = config, .limits = *limits };
}

static void
forget(struct credentials *credentials)
{
	arena_free(credentials->arena);
	credentials->arena = NULL;
	credentials->token = NULL;
	credentials->certificate = credentials->key = (struct http_pem){ 0 };
	credentials->known = false;
	credentials->expires = 0;
}

void
credentials_release(struct credentials *credentials)
{
	forget(credentials);
}

bool
credentials_renewable(const struct credentials *credentials)
{
	return credentials->config->exec.command || credentials->config->token_file;
}

/* "2026-11-26T12:00:00Z", with a fraction or an offset perhaps. 0 if it is no time. */
static int64_t
read_time(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int hours, minutes;
	int64_t time;

	if (!rest)
		return 0;
	time = timegm(&tm);
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (*rest == 'Z' || *rest == 'z')
		return time;
	if ((*rest != '+' && *rest != '-') || strlen(rest) != 6 || rest[3] != ':')
		return 0;
	hours = (rest[1] - '0') * 10 + (rest[2] - '0');
	minutes = (rest[4] - '0') * 10 + (rest[5] - '0');
	return time - (*rest == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
}

static int
take_answer(struct credentials *credentials, const struct buf *answer, struct error *err)
{
	const struct kubeconfig_exec *exec = &credentials->config->exec;
	const struct value *root = value_read_json(credentials->arena, buf_text(answer), answer->len, NULL), *status;
	const char *kind = value_text(value_get(root, "kind")), *version = value_text(value_get(root, "apiVersion"));
	const char *certificate, *key, *expires;

	if (!root || !kind || strcmp(kind, "ExecCredential"))
		return error_set(err, "the program that signs in to this cluster, `%.200s`, did not write an ExecCredential", exec->command);
	if (!version || strcmp(version, exec->version))
		return error_set(err, "the program that signs in to this cluster, `%.200s`, answered in another version than `%s`, which the kubeconfig "
			"says", exec->command, exec->version);
	status = value_get(root, "status");
	credentials->token = value_text(value_get(status, "token"));
	certificate = value_text(value_get(status, "clientCertificateData"));
	key = value_text(value_get(status, "clientKeyData"));
	expires = value_text(value_get(status, "expirationTimestamp"));
	if (certificate && key) {
		credentials->certificate = (struct http_pem){ certificate, strlen(certificate) };
		credentials->key = (struct http_pem){ key, strlen(key) };
	}
	if (!certificate != !key || (!credentials->token && !certificate) ||
	    (credentials->token && !kubeconfig_is_token(credentials->token)))
		return error_set(err, "the program that signs in to this cluster, `%.200s`, gave neither a usable token nor a client certificate with its key",
			exec->command);
	credentials->expires = expires ? read_time(expires) : 0;
	credentials->known = true;
	return 0;
}

static int
ask_plugin(struct credentials *credentials, struct error *err)
{
	struct buf answer = { .max = 2 * EXEC_PLUGIN_ANSWER_MAX };
	int rc;

	forget(credentials);
	credentials->arena = arena_new();
	rc = exec_plugin_run(credentials->config, &credentials->limits, &answer, err);
	if (!rc)
		rc = take_answer(credentials, &answer, err);
	if (answer.data)
		explicit_bzero(answer.data, answer.len);
	buf_release(&answer);
	return rc;
}

static int
read_token_file(struct credentials *credentials, struct error *err)
{
	const struct kubeconfig *config = credentials->config;

	forget(credentials);
	credentials->arena = arena_new();
	credentials->token = kubeconfig_read_token(credentials->arena, config->token_file, err);
	if (credentials->token)
		return 0;
	credentials->token = config->token; /* as kubectl: what was read last goes on */
	return config->token ? 0 : -1;
}

int
credentials_fill(struct credentials *credentials, bool renew, struct http_request *ret, struct error *err)
{
	const struct kubeconfig *config = credentials->config;
	bool old = credentials->expires && time(NULL) >= credentials->expires - CREDENTIALS_EARLY;

	ret->token = config->token;
	ret->user = config->user;
	ret->password = config->password;
	ret->certificate = config->certificate;
	ret->key = config->key;
	if (config->token_file) {
		if (read_token_file(credentials, err))
			return -1;
		ret->token = credentials->token;
	} else if (config->exec.command && !config->token) {
		if ((!credentials->known || old || renew) && ask_plugin(credentials, err))
			return -1;
		ret->token = credentials->token;
		if (credentials->certificate.text) {
			ret->certificate = credentials->certificate;
			ret->key = credentials->key;
		}
	}
	return 0;
}
