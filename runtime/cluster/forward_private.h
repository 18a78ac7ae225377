/* What forward.c (the listener) and forward_link.c (one connection) share. */
#ifndef RUNTIME_CLUSTER_FORWARD_PRIVATE_H
#define RUNTIME_CLUSTER_FORWARD_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "runtime/cluster/forward.h"
#include "runtime/cluster/http_curl_private.h"

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

/* Starts a thread that takes no signals. 0, or an errno. */
int forward_thread(pthread_t *ret, void *(*run)(void *), void *data);
/* Carries one connection until its end; the thread of a link. */
void *forward_link_run(void *link);
void forward_note_failure(struct forward *forward, const struct api_failure *failure);
void forward_count_links(struct forward *forward, int more); /* 1 or -1 */
void forward_count(struct forward *forward, size_t sent, size_t received);

#endif
