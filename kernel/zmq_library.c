#include "config.h"

#include "kernel/zmq_library.h"

#include <pthread.h>
#include <zmq.h>

#include "base/library.h"

/* What we use of it: result, name, parameters, arguments. The compiler compares them with <zmq.h>. */
#define FUNCTIONS(F) \
	F(int, zmq_bind, (void *socket, const char *endpoint), (socket, endpoint)) \
	F(int, zmq_close, (void *socket), (socket)) \
	F(int, zmq_connect, (void *socket, const char *endpoint), (socket, endpoint)) \
	F(void *, zmq_ctx_new, (void), ()) \
	F(int, zmq_ctx_set, (void *context, int option, int value), (context, option, value)) \
	F(int, zmq_ctx_shutdown, (void *context), (context)) \
	F(int, zmq_ctx_term, (void *context), (context)) \
	F(int, zmq_getsockopt, (void *socket, int option, void *value, size_t *len), (socket, option, value, len)) \
	F(int, zmq_has, (const char *capability), (capability)) \
	F(int, zmq_msg_close, (zmq_msg_t *msg), (msg)) \
	F(void *, zmq_msg_data, (zmq_msg_t *msg), (msg)) \
	F(int, zmq_msg_init, (zmq_msg_t *msg), (msg)) \
	F(int, zmq_msg_more, (const zmq_msg_t *msg), (msg)) \
	F(int, zmq_msg_move, (zmq_msg_t *to, zmq_msg_t *from), (to, from)) \
	F(int, zmq_msg_recv, (zmq_msg_t *msg, void *socket, int flags), (msg, socket, flags)) \
	F(size_t, zmq_msg_size, (const zmq_msg_t *msg), (msg)) \
	F(int, zmq_poll, (zmq_pollitem_t *items, int n, long timeout), (items, n, timeout)) \
	F(int, zmq_send, (void *socket, const void *bytes, size_t len, int flags), (socket, bytes, len, flags)) \
	F(int, zmq_setsockopt, (void *socket, int option, const void *value, size_t len), (socket, option, value, len)) \
	F(void *, zmq_socket, (void *context, int type), (context, type)) \
	F(const char *, zmq_strerror, (int code), (code))

#define MEMBER(type, name, parameters, arguments) __typeof__(name) *name;
#define ENTRY(type, name, parameters, arguments) { #name, &library.name },
#define FORWARD(type, name, parameters, arguments) \
	type name parameters { return library.name arguments; }

/* As the loader's own table: the process has one libzmq. */
static struct {
	void *handle; /* NULL: not open */
	__typeof__(zmq_version) *zmq_version;
	FUNCTIONS(MEMBER)
} library;

int
zmq_library_open(struct error *err)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	const struct library_function functions[] = { FUNCTIONS(ENTRY) { "zmq_version", &library.zmq_version } };
	int rc;

	pthread_mutex_lock(&mutex);
	if (!library.handle)
		library.handle = library_open("libzmq.so.5", functions, ARRAY_LEN(functions), err);
	rc = library.handle ? 0 : -1;
	pthread_mutex_unlock(&mutex);
	return rc;
}

FUNCTIONS(FORWARD)

void
zmq_version(int *major, int *minor, int *patch)
{
	library.zmq_version(major, minor, patch);
}
