/* What a watch or a list of an API in Kubernetes' manner sends, taken apart as it comes:
 *
 *     {"type": "MODIFIED", "object": {…}}            a watch: one after the other
 *     {"result": {"type": …, "object": {…}}}         Argo's server; in place of it perhaps {"error": {…}}, told as type ERROR
 *     {"items": [{…}, …], "metadata": {…}}           a list
 *
 * The bytes of each object are handed on as they are, in the pieces in which they come, so an object of any size needs no memory
 * here. What is between is looked at only as far as needed to find them; whether an object is good JSON is for who reads it.
 * Keys that are not known are passed over, in any order. */
#ifndef RUNTIME_CLUSTER_FRAMES_H
#define RUNTIME_CLUSTER_FRAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum {
	FRAMES_TEXT_MAX = 256, /* bytes with NUL of what is kept; a longer text counts as none */
	FRAMES_DEPTH_MAX = 1000,
	FRAMES_TRACKED = 6, /* levels in which something is looked for */
};

/* What is said of an object; "" where it is not said, or not yet. */
struct frame {
	char type[FRAMES_TEXT_MAX]; /* of a list's items "" */
	char name[FRAMES_TEXT_MAX], uid[FRAMES_TEXT_MAX], version[FRAMES_TEXT_MAX]; /* of the object's metadata */
};

struct frames_sink {
	void (*begin)(void *context, const struct frame *frame); /* an object; its type may be not known yet */
	void (*feed)(void *context, const char *bytes, size_t n);
	void (*end)(void *context, const struct frame *frame); /* all is known now */
	void (*listed)(void *context, const char *version); /* a list is whole */
	void *context;
};

enum frames_role { FRAMES_SKIP, FRAMES_FRAME, FRAMES_OBJECT, FRAMES_METADATA, FRAMES_ITEMS, FRAMES_LIST_METADATA };

/* Members are its own. */
struct frames {
	struct frames_sink sink;
	struct frame frame;
	char list_version[FRAMES_TEXT_MAX];
	size_t depth;
	enum frames_role roles[FRAMES_TRACKED]; /* by depth */
	size_t skip; /* the depth from which on nothing matters; 0: none */
	size_t object; /* depth of the object that is being handed on; 0: none */
	bool in_string, escaped;
	bool after_colon; /* the next string is a value, not a key */
	char key[32];
	char *kept; /* where the string goes that is being read; NULL: it does not matter */
	size_t kept_len, kept_max;
	bool has_object; /* the frame has, which ends with it */
	bool stopped;
};

void frames_init(struct frames *frames, const struct frames_sink *sink);
/* -1 with *err set when it can be no such thing; nothing more may be fed then. */
int frames_feed(struct frames *frames, const char *bytes, size_t n, struct error *err);
/* Calls the sink no more, also within a call of it. */
void frames_stop(struct frames *frames);
/* Between two frames. */
bool frames_is_whole(const struct frames *frames);

#endif
