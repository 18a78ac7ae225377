/* Where steps keep what they make, and the credentials for it. Their text is never asked for: the commands have a place for it. */
#include "config.h"

#include <string.h>

#include "base/value.h"
#include "runtime/cluster/needs.h"
#include "runtime/cluster/prepare_private.h"

/* ---- secrets ---- */

static void
add_secret(struct preparing *p, const struct needs *needs, size_t at)
{
	const struct need *need = &needs->things.items[at];
	const struct prepare_object object = { "/api/v1", "secrets", p->namespace_, need->name };
	struct prepare_item *item = prepare_add(p, PREPARE_THERE, arena_printf(p->arena, "the Secret `%s`", need->name));
	struct buf command = { 0 };

	buf_printf(&command, "kubectl create secret generic %s -n %s", need->name, p->namespace_);
	for (size_t i = at; i < needs->things.n; i++) {
		const struct need *other = &needs->things.items[i];

		if (other->kind == NEED_SECRET && other->key && !strcmp(other->name, need->name))
			buf_printf(&command, " --from-file=%s=FILE", other->key);
	}
	if (!p->no_namespace && prepare_is_there(p, &object)) {
		item->state = PREPARE_THERE;
	} else if (p->no_namespace || p->failure->kind == API_NOT_FOUND) {
		item->state = PREPARE_YOURS;
		item->note = "its text is yours: write it into a file, and delete that afterwards";
		item->command = arena_strdup(p->arena, buf_text(&command));
	} else {
		prepare_blame(p, item, PREPARE_UNSEEN);
	}
	buf_release(&command);
}

static bool
is_first(const struct needs *needs, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (needs->things.items[i].kind == NEED_SECRET && !strcmp(needs->things.items[i].name, needs->things.items[at].name))
			return false;
	return true;
}

void
prepare_secrets(struct preparing *p)
{
	struct prepare_item *item;
	struct needs needs;

	if (p->request->workflow) {
		needs_find(&needs, p->arena, p->request->workflow);
		for (size_t i = 0; i < needs.things.n && !p->stopped; i++)
			if (needs.things.items[i].kind == NEED_SECRET && is_first(&needs, i))
				add_secret(p, &needs, i);
		needs_release(&needs);
		return;
	}
	item = prepare_add(p, PREPARE_YOURS, "Secrets for tokens and credentials that steps use");
	item->note = "a pipeline names them, `secret(\"NAME\", \"KEY\")`; `check P on TARGET` says which of its are missing";
	item->command = arena_printf(p->arena, "kubectl create secret generic NAME -n %s --from-file=KEY=FILE", p->namespace_);
}

/* ---- the artifact repository ---- */

/* Any text that speaks of a store; Argo's own words. */
static bool
store_in(const struct value *data)
{
	static const char *const words[] = { "s3:", "gcs:", "azure:", "oss:", "hdfs:", "artifactory:" };

	for (size_t i = 0; data && data->kind == VALUE_DICT && i < data->dict.n; i++) {
		const char *text = value_text(data->dict.items[i]);

		for (size_t w = 0; text && w < ARRAY_LEN(words); w++)
			if (strstr(text, words[w]))
				return true;
	}
	return false;
}

/* "bucket: b" or its value in the text, for the note. */
static const char *
bucket_in(struct preparing *p, const struct value *data)
{
	for (size_t i = 0; data && data->kind == VALUE_DICT && i < data->dict.n; i++) {
		const char *text = value_text(data->dict.items[i]), *at = text ? strstr(text, "bucket:") : NULL;
		size_t len;

		if (!at)
			continue;
		at += strlen("bucket:");
		at += strspn(at, " \"'");
		len = strcspn(at, " \"'\r\n,}");
		if (len && len < 200)
			return arena_printf(p->arena, "the bucket `%s`", api_plain(p->arena, arena_strndup(p->arena, at, len), 200));
	}
	return NULL;
}

void
prepare_bucket(struct preparing *p)
{
	const struct prepare_object places[] = { { "/api/v1", "configmaps", p->namespace_, "artifact-repositories" },
		{ "/api/v1", "configmaps", p->namespace_, "workflow-controller-configmap" },
		{ "/api/v1", "configmaps", "argo", "workflow-controller-configmap" },
		{ "/api/v1", "configmaps", "kubeflow", "workflow-controller-configmap" } };
	struct prepare_item *item = prepare_add(p, PREPARE_YOURS, "an artifact repository: a bucket for the files that steps pass on");
	bool unseen = false;

	for (size_t i = 0; i < ARRAY_LEN(places) && !p->stopped; i++) {
		const struct value *object, *data;

		if (i > 1 && !strcmp(places[i].namespace_, p->namespace_))
			continue;
		if (p->no_namespace && i < 2)
			continue;
		object = prepare_get(p, &places[i]);
		data = value_get(object, "data");
		unseen = unseen || (!object && p->failure->kind != API_NOT_FOUND);
		if (!store_in(data))
			continue;
		item->state = PREPARE_THERE;
		item->note = bucket_in(p, data);
		return;
	}
	if (unseen) {
		prepare_blame(p, item, PREPARE_UNSEEN);
		item->note = "whether one is configured is not known: the controller's config map may not be read";
	} else {
		item->note = "the config map `artifact-repositories` tells Argo of it: "
			     "https://argo-workflows.readthedocs.io, \"Configuring Your Artifact Repository\"";
	}
	if (p->is_gke)
		item->command = arena_printf(p->arena, "gcloud storage buckets create gs://BUCKET --project=%s --location=%s", p->gke.project, p->gke.region);
}
