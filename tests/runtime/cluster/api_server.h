/* The TLS server of api_server.py as a child process. */
#ifndef TESTS_RUNTIME_CLUSTER_API_SERVER_H
#define TESTS_RUNTIME_CLUSTER_API_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct api_server {
	pid_t pid;
	int in; /* closing it ends the server */
	int good, old, new, plain; /* ports */
	char *folder;
	char *ca, *other, *certificate, *key; /* PEM; NULL if it did not start */
};

/* False when python3 or openssl are not there. Stop it in either case. Proxies of the environment are forgotten. */
bool api_server_start(struct api_server *ret);
void api_server_stop(struct api_server *server);

#endif
