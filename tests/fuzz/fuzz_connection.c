/* A connection file, parsed; what is accepted must give endpoints or a sentence. */
#include "config.h"

#include <stdint.h>

#include "kernel/connection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char endpoint[CONNECTION_ENDPOINT_MAX];
	struct connection connection;
	struct error err;

	if (connection_parse(&connection, (const char *)data, size, &err) < 0)
		return 0;
	for (int i = 0; i < N_CHANNELS; i++)
		if (connection_endpoint(&connection, connection.ports[i], endpoint, &err) < 0)
			break;
	connection_release(&connection);
	return 0;
}
