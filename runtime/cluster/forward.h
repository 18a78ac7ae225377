/* A port on this machine that leads to a port of a pod, as `kubectl port-forward` makes one: listens on 127.0.0.1 and carries each
 * connection over a WebSocket of its own to the API server's `portforward` (protocol v4.channel.k8s.io, which the nodes' own servers
 * have spoken since Kubernetes 1.6 and still do; the newer one, SPDY within WebSocket, is for 1.31 and later only). Whoever asks
 * needs the right to `get` pods/portforward, and from 1.35 on to `create` it, too.
 *
 * It runs in threads of its own from start to free, with its own copy of the credentials. A connection that fails ends; the forward
 * stays until it is freed, and tells in its state what went wrong last. When one side says that it will send no more, the other still
 * may, for FORWARD_LINGER: the protocol has no way to pass that on. */
#ifndef RUNTIME_CLUSTER_FORWARD_H
#define RUNTIME_CLUSTER_FORWARD_H

#include "runtime/cluster/kube.h"

enum {
	FORWARD_LINKS_MAX = 64, /* connections at a time; further ones are closed at once */
	FORWARD_LINGER = 5000, /* milliseconds without a byte from the pod once the local side has ended */
	FORWARD_HELD_MAX = 256 * 1024, /* bytes that wait in either direction of a connection */
};

struct forward;

/* What has become of it until now. */
struct forward_state {
	int port; /* here, on 127.0.0.1 */
	size_t open, opened; /* connections now; in all */
	uint64_t sent, received; /* bytes, to the pod and from it */
	size_t failed; /* connections that did */
	struct api_failure failure; /* of the last one of them */
};

/* Asks for the pod, which must run, and listens. local_port 0: any that is free. Borrows the kube's config. NULL with *ret_failure. */
struct forward *forward_start(struct kube *kube, const char *namespace_, const char *pod, int port, int local_port,
			      struct api_failure *ret_failure);
/* Does not wait. */
void forward_poll(struct forward *forward, struct forward_state *ret);
/* Closes all connections; takes a second at most. NULL is fine. */
void forward_free(struct forward *forward);

#endif
