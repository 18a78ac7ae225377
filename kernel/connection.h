/* The connection file: where a kernel listens and with which key, or (JEP 66) where it shall register.
 *
 * Reading checks every field; what it does not know it ignores. Writing is atomic and readable by the owner only. */
#ifndef KERNEL_CONNECTION_H
#define KERNEL_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "kernel/message.h"

enum {
	CONNECTION_FILE_MAX = 64 * 1024, /* bytes */
	CONNECTION_ENDPOINT_MAX = 512, /* bytes of an endpoint; ipc paths are limited to 107 by the system */
	CONNECTION_CURVE_KEY = 40, /* digits of a Z85 key */
};

enum connection_kind { CONNECTION_LISTEN, CONNECTION_REGISTER };

struct connection {
	enum connection_kind kind;
	bool ipc;
	char *ip; /* an address, or the path before "-N" with ipc */
	int ports[N_CHANNELS]; /* 0: any free one */
	char *key, *scheme;
	char *kernel_name; /* or NULL */
	char *curve_public, *curve_secret; /* both or neither */
	json_t *file; /* as it was read, or NULL */
	/* CONNECTION_REGISTER only: */
	char *kernel_id, *registration_ip;
	int registration_port;
};

int connection_parse(struct connection *ret, const char *text, size_t len, struct error *err);
/* *ret_missing says that there is no such file; that is not an error. */
int connection_read(struct connection *ret, const char *path, bool *ret_missing, struct error *err);
/* Loopback, any ports, a new random key. */
void connection_new(struct connection *ret);
int connection_write(const struct connection *connection, const char *path, struct error *err);
void connection_release(struct connection *connection);

/* "tcp://127.0.0.1:5555", "ipc:///run/k-1"; with port 0 and tcp "tcp://127.0.0.1:*". */
int connection_endpoint(
	const struct connection *connection, int port, char ret[CONNECTION_ENDPOINT_MAX], struct error *err);

extern const char *const CONNECTION_PORT_NAMES[N_CHANNELS];

#endif
