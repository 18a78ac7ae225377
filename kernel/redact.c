#include "config.h"

#include "kernel/redact.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/macros.h"
#include "kernel/file.h"
#include "runtime/cluster/kubeconfig.h"

extern char **environ;

enum { KNOWN_MAX = 10000, SECRET_MAX = 64 * 1024, DEPTH_MAX = 4, TOKEN_MIN = 12 };

struct redaction {
	struct {
		char **items;
		size_t n, cap;
	} known; /* the longest first */
};

/* ---- what is known to be secret ---- */

void
redaction_add(struct redaction *redaction, const char *secret)
{
	size_t len = secret ? strlen(secret) : 0, at = 0;

	while (len && isspace((unsigned char)secret[len - 1]))
		len--;
	if (len < REDACT_KNOWN_MIN || redaction->known.n >= KNOWN_MAX)
		return;
	vec_push(&redaction->known, NULL);
	while (redaction->known.items[at] && strlen(redaction->known.items[at]) >= len)
		at++;
	memmove(&redaction->known.items[at + 1], &redaction->known.items[at], (redaction->known.n - 1 - at) * sizeof(char *));
	redaction->known.items[at] = xstrndup(secret, len);
}

/* Does the name of a variable or field say that its value is secret? */
static bool
names_secret(const char *name, size_t len)
{
	static const char *const words[] = { "token", "secret", "passw", "credential", "api_key", "apikey", "private", "access_key", "client_key",
					     "authorization", "cookie", "auth_data" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		for (size_t at = 0; at + strlen(words[i]) <= len; at++)
			if (!strncasecmp(name + at, words[i], strlen(words[i])))
				return true;
	return false;
}

/* A variable that holds a path is none. */
static void
add_variables(struct redaction *redaction)
{
	for (char **at = environ; *at; at++) {
		const char *equals = strchr(*at, '=');

		if (equals && (names_secret(*at, (size_t)(equals - *at)) || !strncmp(*at, "AWS_SESSION", 11)) && equals[1] != '/')
			redaction_add(redaction, equals + 1);
	}
}

static void
add_files(struct redaction *redaction, const char *folder, int depth)
{
	DIR *dir = depth ? opendir(folder) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		CLEANUP(buf_release) struct buf path = { 0 }, text = { .max = SECRET_MAX };
		struct stat st;

		if (entry->d_name[0] == '.')
			continue;
		buf_printf(&path, "%s/%s", folder, entry->d_name);
		if (stat(buf_text(&path), &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			add_files(redaction, buf_text(&path), depth - 1);
		else if (S_ISREG(st.st_mode) && file_read(buf_text(&path), SECRET_MAX, &text, NULL) == 0)
			redaction_add(redaction, buf_text(&text));
	}
	if (dir)
		closedir(dir);
}

static void
add_kubeconfig(struct redaction *redaction)
{
	const struct kubeconfig_request request = { 0 };
	struct kubeconfig config;
	CLEANUP(buf_release) struct buf text = { .max = SECRET_MAX };

	if (kubeconfig_load(&config, &request, NULL) == 0) {
		redaction_add(redaction, config.token);
		redaction_add(redaction, config.password);
		redaction_add(redaction, config.key.text);
		if (config.token_file && file_read(config.token_file, SECRET_MAX, &text, NULL) == 0)
			redaction_add(redaction, buf_text(&text));
		for (size_t i = 0; i < config.exec.n_env; i++)
			redaction_add(redaction, strchr(config.exec.env[i], '=') ? strchr(config.exec.env[i], '=') + 1 : NULL);
	}
	kubeconfig_release(&config);
}

struct redaction *
redaction_new(void)
{
	struct redaction *redaction = xcalloc(1, sizeof *redaction);
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	CLEANUP(buf_release) struct buf folder = { 0 };

	if (config && *config)
		buf_printf(&folder, "%s/lateen/secrets", config);
	else if (home && *home)
		buf_printf(&folder, "%s/.config/lateen/secrets", home);
	add_variables(redaction);
	if (folder.len)
		add_files(redaction, buf_text(&folder), DEPTH_MAX);
	add_kubeconfig(redaction);
	return redaction;
}

void
redaction_free(struct redaction *redaction)
{
	if (!redaction)
		return;
	for (size_t i = 0; i < redaction->known.n; i++) {
		explicit_bzero(redaction->known.items[i], strlen(redaction->known.items[i]));
		free(redaction->known.items[i]);
	}
	vec_release(&redaction->known);
	free(redaction);
}

/* ---- what looks like a secret ---- */

static bool
is_token_char(char c)
{
	return isalnum((unsigned char)c) || strchr("-_.+/=~", c);
}

static size_t
token_length(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] && is_token_char(text[n]))
		n++;
	return n;
}

/* A token of a kind that its beginning tells. */
static size_t
known_kind(const char *text, size_t len)
{
	static const char *const begins[] = { "eyJ", "ghp_", "gho_", "ghs_", "ghu_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "ya29.", "AIza",
					      "AKIA", "ASIA", "sk-", "hf_", "pypi-", "dckr_pat_", "k8s-aws-v1." };
	size_t n = token_length(text, len);

	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (n >= TOKEN_MIN && n > strlen(begins[i]) && !strncmp(text, begins[i], strlen(begins[i])))
			return n;
	return 0;
}

static size_t
pem_length(const char *text, size_t len)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ";
	const char *stop;

	if (len < sizeof begin || strncmp(text, begin, sizeof begin - 1) != 0)
		return 0;
	stop = memmem(text, len, end, sizeof end - 1);
	if (!stop)
		return len;
	stop += sizeof end - 1;
	stop += strcspn(stop, "-");
	return (size_t)(stop - text) + strspn(stop, "-");
}

/* Behind `//`: the name and password of an address, with its `@`. */
static size_t
user_length(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && !strchr(" \t\r\n/\"'<>@", text[n]))
		n++;
	return n < len && text[n] == '@' ? n : 0;
}

/* "Bearer x", "Basic x": the scheme's length with its blank. */
static size_t
scheme_length(const char *text, size_t len)
{
	static const char *const schemes[] = { "Bearer ", "Basic " };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (len > strlen(schemes[i]) && !strncasecmp(text, schemes[i], strlen(schemes[i])))
			return strlen(schemes[i]);
	return 0;
}

/* A word that names a secret, and `=` or `:` behind it: the length until the value. */
static size_t
field_length(const char *text, size_t len)
{
	size_t n = 0, word;

	while (n < len && (isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == '-'))
		n++;
	word = n;
	if (!word || !names_secret(text, word))
		return 0;
	while (n < len && (text[n] == '"' || text[n] == '\'' || text[n] == ' '))
		n++;
	if (n >= len || (text[n] != '=' && text[n] != ':'))
		return 0;
	for (n++; n < len && (text[n] == '"' || text[n] == '\'' || text[n] == ' ');)
		n++;
	return n;
}

static size_t
known_length(const struct redaction *redaction, const char *text, size_t len)
{
	for (size_t i = 0; i < redaction->known.n; i++) {
		size_t n = strlen(redaction->known.items[i]);

		if (n <= len && !memcmp(text, redaction->known.items[i], n))
			return n;
	}
	return 0;
}

void
redact(const struct redaction *redaction, const char *text, size_t len, struct buf *ret)
{
	size_t at = 0;

	while (at < len) {
		const char *here = text + at;
		size_t left = len - at, keep = 0, drop = known_length(redaction, here, left);
		bool begins = !at || !isalnum((unsigned char)here[-1]);

		if (!drop)
			drop = pem_length(here, left);
		if (!drop && begins)
			drop = known_kind(here, left);
		if (!drop && left > 2 && !strncmp(here, "//", 2)) {
			keep = 2;
			drop = user_length(here + keep, left - keep);
		}
		if (!drop && begins && (keep = scheme_length(here, left)))
			drop = token_length(here + keep, left - keep);
		if (!drop && begins && (keep = field_length(here, left)))
			drop = scheme_length(here + keep, left - keep) ? 0 : token_length(here + keep, left - keep);
		if (!drop) {
			buf_putc(ret, *here);
			at++;
			continue;
		}
		buf_add(ret, here, keep);
		buf_puts(ret, REDACTED);
		at += keep + drop;
	}
}
