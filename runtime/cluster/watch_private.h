/* What the files of watch.h share: the core that keeps a list and a watch going, and what is done with the objects. */
#ifndef RUNTIME_CLUSTER_WATCH_PRIVATE_H
#define RUNTIME_CLUSTER_WATCH_PRIVATE_H

#include "runtime/cluster/api_stream.h"
#include "runtime/cluster/frames.h"
#include "runtime/cluster/watch.h"

/* A kind of watch. None is called once the watch was freed. */
struct watch_ops {
	void (*begin)(struct watch *watch); /* an object, or perhaps a bookmark */
	void (*feed)(struct watch *watch, const char *bytes, size_t n);
	void (*drop)(struct watch *watch); /* the one begun is not whole, or is none */
	/* It is whole. -1 with *err set when it cannot be read. */
	int (*take)(struct watch *watch, enum watch_change change, const struct frame *frame, struct error *err);
	void (*fresh)(struct watch *watch); /* a list begins */
	void (*listed)(struct watch *watch); /* it is whole */
	void (*reached)(struct watch *watch, const struct api_failure *failure);
	void (*failed)(struct watch *watch, const struct api_failure *failure);
	void (*release)(struct watch *watch); /* its own */
	size_t max; /* bytes of an object with what is around it */
};

/* Kinds begin with it. */
struct watch {
	const struct watch_ops *ops;
	struct api *api;
	struct arena *arena; /* of the source */
	struct watch_source source;
	struct api_stream *stream;
	struct http_timer *timer; /* until the next try */
	struct frames frames;
	struct buf line; /* of text/event-stream: its beginning */
	bool in_data; /* its rest belongs to a frame */
	struct buf small; /* what came of an object that may be an ERROR */
	char version[FRAMES_TEXT_MAX]; /* to go on from; "": a list is needed */
	bool listing, is_listed;
	size_t unended; /* bytes since the last object or frame was whole */
	bool open_object; /* begun, neither taken nor dropped */
	bool reached; /* it has worked once */
	bool lost; /* that was told, with … */
	enum api_failure_kind lost_kind;
	long lost_status;
	bool progress; /* something came on this connection */
	int64_t since; /* when it was opened */
	unsigned tries; /* in a row without progress */
	unsigned garbled; /* in a row */
	bool gone_on; /* the rest of what this connection brings does not count */
	bool dead; /* freed by a listener */
	unsigned busy; /* within calls that need it */
};

void watch_begin(struct watch *watch, const struct watch_ops *ops, struct api *api, const struct watch_source *source);
/* Nothing more is to be told. */
void watch_stop(struct watch *watch);
void watch_fail(struct watch *watch, const struct api_failure *failure);

#endif
