/* What forward.c (the listener) and forward_link.c (one connection) share. */
#ifndef RUNTIME_CLUSTER_FORWARD_PRIVATE_H
#define RUNTIME_CLUSTER_FORWARD_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "runtime/cluster/forward.h"
#include "runtime/cluster/http_curl_private.h"
#include "runtime/cluster/websocket.h"

enum { FORWARD_PIECE = 32 * 1024 /* bytes that are read at a time */ };

/* One connection: a thread. */
struct forward_link {
	struct forward *forward;
	pthread_t thread;
	int local; /* the socket that was accepted */
	atomic_bool done;
};

struct forward {
	char *namespace_, *pod, *path;
	int port;
	struct curl_library curl;
	int listener, stop_fd; /* stop_fd is readable once it shall end */
	atomic_bool stopping;
	pthread_t thread;
	pthread_mutex_t signing; /* over kube */
	struct kube *kube;
	pthread_mutex_t lock; /* over state */
	struct forward_state state;
	VEC(struct forward_link *) links; /* the listener's thread alone */
};

/* What a link is made of while it carries. */
struct forward_carrying {
	struct forward_link *link;
	struct forward *forward;
	struct http_curl_request request;
	int remote; /* libcurl's socket */
	struct websocket websocket;
	struct buf in; /* from the server, not yet taken apart */
	struct buf up, sending; /* frames for the server; `sending` stays as it is until it is gone, for TLS wants it so */
	size_t sent; /* of `sending` */
	struct buf down; /* for the local side */
	struct buf said; /* on the channel of errors */
	size_t heads[2]; /* bytes of the port's number that each channel has brought */
	int channel; /* of the message that goes on; -1: it is none that we know */
	bool local_ended, local_broken, remote_ended;
	int64_t heard; /* ticks, of the last byte from the pod */
	struct error err; /* of the WebSocket; "": none */
};

/* Starts a thread that takes no signals. 0, or an errno. */
int forward_thread(pthread_t *ret, void *(*run)(void *), void *data);
/* Makes the way to the pod and opens the WebSocket; notes the failure if it cannot. */
bool forward_connect(struct forward_carrying *c);
void forward_disconnect(struct forward_carrying *c); /* at any time */
/* Carries one connection until its end; the thread of a link. */
void *forward_link_run(void *link);
void forward_note_failure(struct forward *forward, const struct api_failure *failure);
void forward_count_links(struct forward *forward, int more); /* 1 or -1 */
void forward_count(struct forward *forward, size_t sent, size_t received);

#endif
