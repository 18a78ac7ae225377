/* What proves who we are, fresh for each request: a token file is read again (the kubelet and others renew it), a plugin's answer
 * is kept until shortly before it expires. */
#ifndef RUNTIME_CLUSTER_CREDENTIALS_H
#define RUNTIME_CLUSTER_CREDENTIALS_H

#include <stdint.h>

#include "runtime/cluster/exec_plugin.h"

enum { CREDENTIALS_EARLY = 30 }; /* seconds before its end that a plugin's answer is asked for again */

struct credentials {
	const struct kubeconfig *config;
	struct exec_plugin_limits limits;
	struct arena *arena; /* of what the plugin or the token file said last */
	const char *token;
	struct http_pem certificate, key;
	bool known; /* the plugin has answered */
	int64_t expires; /* seconds since 1970; 0: it does not say */
};

void credentials_init(struct credentials *credentials, const struct kubeconfig *config, const struct exec_plugin_limits *limits);
void credentials_release(struct credentials *credentials);
/* Fills the request's token, user, certificate and key, which stay until the next call. `renew`: the server did not take the last ones. */
int credentials_fill(struct credentials *credentials, bool renew, struct http_request *ret, struct error *err);
/* Could they be others the next time? */
bool credentials_renewable(const struct credentials *credentials);

#endif
