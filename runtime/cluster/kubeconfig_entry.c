/* The clusters and users of kubeconfig files. */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "runtime/cluster/base64.h"
#include "runtime/cluster/kubeconfig_private.h"
#include "runtime/paths.h"

bool
kubeconfig_is_token(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return *text;
}

const char *
kubeconfig_read_token(struct arena *arena, const char *path, struct error *err)
{
	size_t len;
	const char *text = paths_read(arena, path, KUBECONFIG_TOKEN_MAX, &len, err);
	char *token;

	if (!text)
		return NULL;
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	token = arena_strndup(arena, text, len);
	if (strlen(token) == len && kubeconfig_is_token(token))
		return token;
	error_set(err, "`%s` holds no token: %s", path, len ? "there are characters in it that no token has" : "it is empty");
	return NULL;
}

bool
kubeconfig_check_url(const char *url, const char *what, struct error *err)
{
	const char *host = strstr(url, "://"), *end;

	if (!host) {
		error_set(err, "%s `%.100s` is no URL: write `https://HOST:PORT`", what, url);
		return false;
	}
	host += 3;
	end = host + strcspn(host, "/?#");
	for (const char *c = url; *c; c++) {
		if (*c > ' ' && *c <= '~')
			continue;
		error_set(err, "%s holds a character that belongs in no URL", what);
		return false;
	}
	if (end == host)
		error_set(err, "%s `%.100s` has no host", what, url);
	return end != host;
}

int
kubeconfig_read_pem(struct arena *arena, const char *path, struct http_pem *ret, struct error *err)
{
	ret->text = paths_read(arena, path, KUBECONFIG_PEM_MAX, &ret->len, err);
	if (!ret->text)
		return -1;
	if (strstr(ret->text, "-----BEGIN "))
		return 0;
	ret->text = NULL;
	return error_set(err, "`%s` is no PEM file: there is no `-----BEGIN …` in it", path);
}

/* `KEY-data`, base64 in the file, else `KEY`, the path of a file. */
static int
read_pem(struct kubeconfig *config, const struct kubeconfig_place *place, const char *key, struct http_pem *ret, struct error *err)
{
	const char *data_key = arena_printf(config->arena, "%s-data", key), *data, *path;
	char *text;

	if (kubeconfig_text(place, data_key, &data, err) || kubeconfig_text(place, key, &path, err))
		return -1;
	if (data) {
		text = base64_decode(config->arena, data, strlen(data), &ret->len);
		if (!text || ret->len > KUBECONFIG_PEM_MAX || !strstr(text, "-----BEGIN "))
			return error_set(err, "`%s` of the %s `%s` in `%s` is no PEM text in base64", data_key, place->kind, place->name,
				place->file->path);
		ret->text = text;
		return 0;
	}
	if (!path)
		return 0;
	if (!kubeconfig_read_pem(config->arena, paths_absolute(config->arena, path, place->file->folder), ret, err))
		return 0;
	return error_prefix(err, "`%s` of the %s `%s` in `%s`", key, place->kind, place->name, place->file->path);
}

/* A proxy's URL may hold a user and a password, so it stands in no message. */
static int
check_proxy(const struct kubeconfig_place *place, const char *proxy, struct error *err)
{
	static const char *const schemes[] = { "http://", "https://", "socks5://" };
	struct error ignored;

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (!strncasecmp(proxy, schemes[i], strlen(schemes[i])) && kubeconfig_check_url(proxy, "proxy-url", &ignored))
			return 0;
	return error_set(err, "`proxy-url` of the cluster `%s` in `%s` must begin with http://, https:// or socks5://", place->name,
		place->file->path);
}

static int
check_server(struct kubeconfig *config, const struct kubeconfig_place *place, const char *server, struct error *err)
{
	size_t len = server ? strlen(server) : 0;
	const char *host;

	if (!server)
		return error_set(err, "the cluster `%s` in `%s` has no `server`", place->name, place->file->path);
	if (!strstr(server, "://")) {
		server = arena_printf(config->arena, "https://%s", server);
		len = strlen(server);
	}
	while (len && server[len - 1] == '/')
		len--;
	config->server = arena_strndup(config->arena, server, len);
	host = strstr(config->server, "://");
	if (strncasecmp(server, "https://", 8) && strncasecmp(server, "http://", 7))
		return error_set(err, "the server of the cluster `%s` in `%s` must begin with https://", place->name, place->file->path);
	if (host && memchr(host, '@', strcspn(host + 3, "/?#") + 3))
		return error_set(err, "the server of the cluster `%s` in `%s` must not hold a user name or password", place->name,
			place->file->path);
	if (strpbrk(config->server, "?#"))
		return error_set(err, "the server of the cluster `%s` in `%s` must not hold `?` or `#`", place->name, place->file->path);
	return kubeconfig_check_url(config->server, "the server", err) ? 0 : error_prefix(err, "`%s`", place->file->path);
}

int
kubeconfig_read_cluster(struct kubeconfig *config, const struct kubeconfig_place *place, struct error *err)
{
	const char *server;

	if (kubeconfig_text(place, "server", &server, err) || check_server(config, place, server, err) ||
	    kubeconfig_text(place, "tls-server-name", &config->server_name, err) ||
	    kubeconfig_text(place, "proxy-url", &config->proxy, err) ||
	    kubeconfig_flag(place, "insecure-skip-tls-verify", &config->insecure, err) ||
	    read_pem(config, place, "certificate-authority", &config->authority, err))
		return -1;
	if (config->server_name && (strpbrk(config->server_name, "/?#@: ") || !kubeconfig_is_token(config->server_name)))
		return error_set(err, "`tls-server-name` of the cluster `%s` in `%s` is no host's name", place->name, place->file->path);
	if (config->proxy && check_proxy(place, config->proxy, err))
		return -1;
	if (config->insecure && config->authority.text)
		return error_set(err, "the cluster `%s` in `%s` has both a certificate authority and `insecure-skip-tls-verify`: remove the latter",
			place->name, place->file->path);
	return 0;
}

/* ---- users ---- */

static int
add_impersonation(struct kubeconfig *config, const struct kubeconfig_place *place, struct error *err)
{
	const char *as, *uid;
	const struct value *groups = value_get(place->entry, "as-groups");
	size_t n_groups = value_count(groups), n = 0;
	struct http_header *headers;

	if (kubeconfig_text(place, "as", &as, err) || kubeconfig_text(place, "as-uid", &uid, err))
		return -1;
	if (n_groups > KUBECONFIG_ARGS_MAX)
		return error_set(err, "the user `%s` in `%s` has more than %d `as-groups`", place->name, place->file->path, KUBECONFIG_ARGS_MAX);
	if (!as && !uid && !n_groups)
		return 0;
	headers = arena_alloc(config->arena, (n_groups + 2) * sizeof *headers);
	if (as)
		headers[n++] = (struct http_header){ "Impersonate-User", as };
	if (uid)
		headers[n++] = (struct http_header){ "Impersonate-Uid", uid };
	for (size_t i = 0; i < n_groups; i++)
		headers[n++] = (struct http_header){ "Impersonate-Group", value_text(groups->list.items[i]) };
	for (size_t i = 0; i < n; i++)
		if (!headers[i].value || !*headers[i].value || strpbrk(headers[i].value, "\r\n"))
			return error_set(err, "`as` of the user `%s` in `%s` must be one line of text", place->name, place->file->path);
	config->headers = headers;
	config->n_headers = n;
	return 0;
}

static int
read_token(struct kubeconfig *config, const struct kubeconfig_place *place, struct error *err)
{
	const char *file;

	if (kubeconfig_text(place, "token", &config->token, err) || kubeconfig_text(place, "tokenFile", &file, err))
		return -1;
	if (file)
		config->token_file = paths_absolute(config->arena, file, place->file->folder);
	if (config->token && !kubeconfig_is_token(config->token))
		return error_set(err, "`token` of the user `%s` in `%s` holds characters that no token has", place->name, place->file->path);
	return 0;
}

int
kubeconfig_read_user(struct kubeconfig *config, const struct kubeconfig_place *place, struct error *err)
{
	const struct value *exec = value_get(place->entry, "exec"), *provider = value_get(place->entry, "auth-provider");

	if (provider && provider->kind != VALUE_NULL)
		return error_set(err, "the user `%s` in `%s` signs in with an `auth-provider`, which Kubernetes has dropped: let your cloud's "
			"tool write the file anew, with an exec plugin", place->name, place->file->path);
	if (read_token(config, place, err) || kubeconfig_text(place, "username", &config->user, err) ||
	    kubeconfig_text(place, "password", &config->password, err) ||
	    read_pem(config, place, "client-certificate", &config->certificate, err) ||
	    read_pem(config, place, "client-key", &config->key, err) || add_impersonation(config, place, err))
		return -1;
	if (!config->certificate.text != !config->key.text)
		return error_set(err, "the user `%s` in `%s` has a client %s and no client %s", place->name, place->file->path,
			config->key.text ? "key" : "certificate", config->key.text ? "certificate" : "key");
	if (exec && exec->kind != VALUE_NULL)
		return kubeconfig_read_exec(config, place, exec, err);
	return 0;
}
