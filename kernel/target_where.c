/* A cluster as the JSON text that the store keeps: where it is and where the secrets are, never a secret. */
#include "config.h"

#include "kernel/target_private.h"

#include <stddef.h>
#include <string.h>

#include "base/buf.h"

static const struct {
	const char *key;
	size_t offset;
} texts[] = {
	{ "name", offsetof(struct cluster, name) }, { "context", offsetof(struct cluster, context) },
	{ "kubeconfig", offsetof(struct cluster, kubeconfig) }, { "argo", offsetof(struct cluster, argo) },
	{ "kfp", offsetof(struct cluster, kfp) }, { "namespace", offsetof(struct cluster, namespace_) },
	{ "experiment", offsetof(struct cluster, experiment) }, { "page", offsetof(struct cluster, page) },
	{ "user", offsetof(struct cluster, user) }, { "audience", offsetof(struct cluster, audience) },
	{ "client_id", offsetof(struct cluster, client_id) }, { "user_id", offsetof(struct cluster, user_id) },
};

static const char *const kinds[] = { NULL, "argo", "kfp", "auto" };
static const char *const ways[] = { NULL, "plain", "token", "audience", "dex", "iap", "gcp" };

static const char **
member(struct cluster *cluster, size_t i)
{
	return (const char **)(void *)((char *)cluster + texts[i].offset);
}

struct dict {
	const char *keys[32];
	const struct value *items[32];
	size_t n;
};

static void
put(struct dict *dict, const char *key, const struct value *value)
{
	dict->keys[dict->n] = key;
	dict->items[dict->n++] = value;
}

static void
put_secret(struct dict *dict, struct arena *arena, const char *key, const struct secret *secret)
{
	const struct value *parts[2];

	if (!secret)
		return;
	parts[0] = value_string(arena, secret->name);
	parts[1] = secret->source == SECRET_ENV ? &VALUE_OF_NULL : value_string(arena, secret->key);
	put(dict, key, value_list(arena, parts, ARRAY_LEN(parts)));
}

const char *
target_where(const struct cluster *cluster, struct arena *arena)
{
	struct cluster copy = *cluster;
	struct dict dict = { .n = 0 };
	struct buf json = { 0 };
	const char *text;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (*member(&copy, i))
			put(&dict, texts[i].key, value_string(arena, *member(&copy, i)));
	if (kinds[copy.kind])
		put(&dict, "kind", value_string(arena, kinds[copy.kind]));
	if (ways[copy.auth])
		put(&dict, "auth", value_string(arena, ways[copy.auth]));
	put_secret(&dict, arena, "token", copy.token);
	put_secret(&dict, arena, "password", copy.password);
	if (copy.automatic)
		put(&dict, "automatic", value_boolean(true));
	if (copy.in_cluster)
		put(&dict, "in_cluster", value_boolean(true));
	if (copy.insecure)
		put(&dict, "insecure", value_boolean(true));
	value_write_json(&json, value_dict(arena, dict.keys, dict.items, dict.n));
	text = arena_strdup(arena, buf_text(&json));
	buf_release(&json);
	return text;
}

/* ---- reading it back: anybody may have written to the store ---- */

static bool
is_true(const struct value *dict, const char *key)
{
	const struct value *value = value_get(dict, key);

	return value && value->kind == VALUE_BOOLEAN && value->boolean;
}

static const struct secret *
get_secret(struct arena *arena, const struct value *value)
{
	struct secret *secret;
	const char *name, *key;

	if (!value || value->kind != VALUE_LIST || value->list.n != 2 || !value_text(value->list.items[0]))
		return NULL;
	name = value_text(value->list.items[0]);
	key = value_text(value->list.items[1]);
	secret = arena_new_struct(arena, struct secret);
	secret->source = key ? SECRET_STORE : SECRET_ENV;
	secret->name = name;
	secret->key = key;
	return secret;
}

static int
word_of(const struct value *value, const char *const *words, size_t n)
{
	const char *text = value_text(value);

	for (size_t i = 1; text && i < n; i++)
		if (!strcmp(words[i], text))
			return (int)i;
	return 0;
}

const struct cluster *
target_read_where(struct arena *arena, const char *where)
{
	const struct value *dict = value_read_json(arena, where, strlen(where), NULL);
	struct cluster *cluster = arena_new_struct(arena, struct cluster);

	if (!dict || dict->kind != VALUE_DICT)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*member(cluster, i) = value_text(value_get(dict, texts[i].key));
	cluster->kind = (enum cluster_kind)word_of(value_get(dict, "kind"), kinds, ARRAY_LEN(kinds));
	cluster->auth = (enum cluster_auth)word_of(value_get(dict, "auth"), ways, ARRAY_LEN(ways));
	cluster->token = get_secret(arena, value_get(dict, "token"));
	cluster->password = get_secret(arena, value_get(dict, "password"));
	cluster->automatic = is_true(dict, "automatic");
	cluster->in_cluster = is_true(dict, "in_cluster");
	cluster->insecure = is_true(dict, "insecure");
	return cluster->name ? cluster : NULL;
}
