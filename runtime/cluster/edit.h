/* Changed copies of values, which are immutable: a Kubernetes object with one member other than it was. What is not changed is
 * shared with the old one, so both must live in the same arena, or the old one longer. */
#ifndef RUNTIME_CLUSTER_EDIT_H
#define RUNTIME_CLUSTER_EDIT_H

#include "base/arena.h"
#include "base/value.h"

/* `dict` with `key` set to `item`, at its old place if it had one; item NULL: without it. NULL or another kind counts as an empty
 * Dict. */
const struct value *edit_set(struct arena *arena, const struct value *dict, const char *key, const struct value *item);
/* The same one level deeper: dict.key.key2. A Dict that would be made only to be empty is not. */
const struct value *edit_set_in(struct arena *arena, const struct value *dict, const char *key, const char *key2,
				const struct value *item);
/* A Dict of the pairs up to the first key that is NULL; pairs whose item is NULL are left out. */
const struct value *edit_dict(struct arena *arena, const char *key, ...);
/* A Dict of Strings, likewise. */
const struct value *edit_texts(struct arena *arena, const char *key, ...);
/* The text at dict.key.key2; NULL if there is none. */
const char *edit_text_in(const struct value *dict, const char *key, const char *key2);

#endif
