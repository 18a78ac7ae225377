#include "config.h"

#include "dsl/check.h"

#include <string.h>

/* A key of `over` hides the same key of `under`. */
static const struct setting_pair *
merge_pairs(struct arena *arena, const struct setting_pair *under, size_t n_under, const struct setting_pair *over, size_t n_over,
	    size_t *ret_n)
{
	struct setting_pair *all;
	size_t n = 0;

	*ret_n = n_under ? n_under : n_over;
	if (!n_under || !n_over)
		return n_under ? under : over;
	all = arena_alloc(arena, (n_under + n_over) * sizeof(*all));
	for (size_t i = 0; i < n_under; i++) {
		bool hidden = false;

		for (size_t j = 0; j < n_over; j++)
			hidden = hidden || !strcmp(under[i].key, over[j].key);
		if (!hidden)
			all[n++] = under[i];
	}
	for (size_t j = 0; j < n_over; j++)
		all[n++] = over[j];
	*ret_n = n;
	return all;
}

static void
merge_secret_env(struct arena *arena, struct settings *s, const struct settings *over)
{
	struct setting_secret *all = arena_alloc(arena, (s->n_secret_env + over->n_secret_env + 1) * sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < s->n_secret_env; i++) {
		bool hidden = false;

		for (size_t j = 0; j < over->n_secret_env; j++)
			hidden = hidden || !strcmp(s->secret_env[i].variable, over->secret_env[j].variable);
		if (!hidden)
			all[n++] = s->secret_env[i];
	}
	for (size_t j = 0; j < over->n_secret_env; j++)
		all[n++] = over->secret_env[j];
	s->secret_env = all;
	s->n_secret_env = n;
}

static void
merge_tolerations(struct arena *arena, struct settings *s, const struct settings *over)
{
	struct toleration *all = arena_alloc(arena, (s->n_tolerations + over->n_tolerations + 1) * sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < s->n_tolerations; i++)
		all[n++] = s->tolerations[i];
	for (size_t i = 0; i < over->n_tolerations; i++)
		all[n++] = over->tolerations[i];
	s->tolerations = all;
	s->n_tolerations = n;
}

static void
merge_simple(struct settings *s, const struct settings *over)
{
	if (over->gpu)
		s->gpu = over->gpu;
	if (over->cpu)
		s->cpu = over->cpu;
	if (over->memory)
		s->memory = over->memory;
	if (over->retry.set)
		s->retry = over->retry;
	if (over->timeout)
		s->timeout = over->timeout;
	if (over->preemptible != PREEMPTIBLE_NO)
		s->preemptible = over->preemptible;
	if (over->cache != CACHE_UNSET) {
		s->cache = over->cache;
		s->cache_seconds = over->cache_seconds;
	}
	if (over->display)
		s->display = over->display;
	if (over->patch)
		s->patch = over->patch;
}

const struct settings *
settings_merge(struct arena *arena, const struct settings *under, const struct settings *over)
{
	static const struct settings none;
	struct settings *s;

	if (!over)
		return under ? under : &none;
	if (!under)
		return over;
	s = arena_new_struct(arena, struct settings);
	*s = *under;
	merge_simple(s, over);
	s->env = merge_pairs(arena, s->env, s->n_env, over->env, over->n_env, &s->n_env);
	s->labels = merge_pairs(arena, s->labels, s->n_labels, over->labels, over->n_labels, &s->n_labels);
	s->annotations = merge_pairs(arena, s->annotations, s->n_annotations, over->annotations, over->n_annotations,
		&s->n_annotations);
	s->node_selector = merge_pairs(arena, s->node_selector, s->n_node_selector, over->node_selector, over->n_node_selector,
		&s->n_node_selector);
	merge_secret_env(arena, s, over);
	merge_tolerations(arena, s, over);
	return s;
}
