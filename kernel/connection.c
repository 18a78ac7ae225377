#include "config.h"

#include "kernel/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "base/macros.h"

const char *const CONNECTION_PORT_NAMES[N_CHANNELS] = {
	[CHANNEL_SHELL] = "shell_port",
	[CHANNEL_IOPUB] = "iopub_port",
	[CHANNEL_STDIN] = "stdin_port",
	[CHANNEL_CONTROL] = "control_port",
	[CHANNEL_HB] = "hb_port",
};

/* Text that may be absent (*ret stays NULL) but must be text. JEP 66's null means absent. */
static int
read_text(const json_t *file, const char *name, char **ret, struct error *err)
{
	const json_t *field = json_object_get(file, name);

	if (!field || json_is_null(field))
		return 0;
	if (!json_is_string(field))
		return error_set(err, "`%s` is not a string", name);
	*ret = xstrdup(json_string_value(field));
	return 0;
}

static int
read_port(const json_t *file, const char *name, int *ret, struct error *err)
{
	const json_t *field = json_object_get(file, name);
	json_int_t port = -1;
	char *end;

	if (json_is_integer(field))
		port = json_integer_value(field);
	else if (json_is_string(field) && json_string_length(field)) {
		port = strtol(json_string_value(field), &end, 10);
		if (*end)
			port = -1;
	}
	if (!field)
		return error_set(err, "`%s` is missing", name);
	if (port < 0 || port > 65535)
		return error_set(err, "`%s` is not a port (0 to 65535)", name);
	*ret = (int)port;
	return 0;
}

static int
check_curve(const struct connection *c, struct error *err)
{
	if (!c->curve_public != !c->curve_secret)
		return error_set(err, "`curve_publickey` and `curve_secretkey` belong together; one is missing");
	if (c->curve_public && (strlen(c->curve_public) != CONNECTION_CURVE_KEY ||
				       strlen(c->curve_secret) != CONNECTION_CURVE_KEY))
		return error_set(err, "a curve key must have %d characters", CONNECTION_CURVE_KEY);
	return 0;
}

static int
read_transport(struct connection *c, const json_t *file, struct error *err)
{
	CLEANUP(freep) char *transport = NULL;

	if (read_text(file, "transport", &transport, err) < 0)
		return -1;
	if (transport && strcmp(transport, "tcp") != 0 && strcmp(transport, "ipc") != 0)
		return error_set(err, "transport `%.64s` is not known; tcp and ipc are", transport);
	c->ipc = transport && !strcmp(transport, "ipc");
	return 0;
}

static int
read_registration(struct connection *c, const json_t *file, struct error *err)
{
	c->kind = CONNECTION_REGISTER;
	if (c->ipc)
		return error_set(err, "registration works over tcp only");
	if (read_text(file, "kernel_id", &c->kernel_id, err) < 0 ||
		read_text(file, "registration_ip", &c->registration_ip, err) < 0 ||
		read_port(file, "registration_port", &c->registration_port, err) < 0)
		return -1;
	if (!c->kernel_id)
		return error_set(err, "`kernel_id` is missing");
	if (!c->registration_ip)
		c->registration_ip = xstrdup(c->ip);
	return c->registration_port ? 0 : error_set(err, "`registration_port` is 0");
}

static int
read_fields(struct connection *c, const json_t *file, struct error *err)
{
	if (read_transport(c, file, err) < 0 || read_text(file, "ip", &c->ip, err) < 0 ||
		read_text(file, "key", &c->key, err) < 0 || read_text(file, "signature_scheme", &c->scheme, err) < 0 ||
		read_text(file, "kernel_name", &c->kernel_name, err) < 0 ||
		read_text(file, "curve_publickey", &c->curve_public, err) < 0 ||
		read_text(file, "curve_secretkey", &c->curve_secret, err) < 0 || check_curve(c, err) < 0)
		return -1;
	if (!c->ip)
		c->ip = xstrdup(c->ipc ? "kernel-ipc" : "127.0.0.1");
	if (!c->key)
		return error_set(err, "`key` is missing (an empty one turns signing off)");
	if (!c->scheme || !*c->scheme) {
		free(c->scheme);
		c->scheme = xstrdup("hmac-sha256");
	}
	if (json_object_get(file, "registration_port"))
		return read_registration(c, file, err);
	for (size_t i = 0; i < N_CHANNELS; i++)
		if (read_port(file, CONNECTION_PORT_NAMES[i], &c->ports[i], err) < 0)
			return -1;
	return 0;
}

int
connection_parse(struct connection *ret, const char *text, size_t len, struct error *err)
{
	json_t *file = message_parse("the file", (struct slice){ text, len }, err);
	int rc;

	*ret = (struct connection){ 0 };
	if (!file)
		return -1;
	ret->file = file;
	rc = read_fields(ret, file, err);
	if (rc < 0)
		connection_release(ret);
	return rc;
}

int
connection_read(struct connection *ret, const char *path, bool *ret_missing, struct error *err)
{
	CLEANUP(freep) char *text = NULL;
	FILE *file = fopen(path, "re");
	size_t len;
	int rc;

	*ret = (struct connection){ 0 };
	*ret_missing = !file && errno == ENOENT;
	if (*ret_missing)
		return 0;
	if (!file)
		return error_errno(err, errno, "cannot open connection file `%s`", path);
	text = xmalloc(CONNECTION_FILE_MAX + 1);
	len = fread(text, 1, CONNECTION_FILE_MAX + 1, file);
	rc = ferror(file) ? error_set(err, "reading failed") : 0;
	fclose(file);
	if (!rc && len > CONNECTION_FILE_MAX)
		rc = error_set(err, "more than %d bytes", CONNECTION_FILE_MAX);
	if (!rc)
		rc = connection_parse(ret, text, len, err);
	return rc < 0 ? error_prefix(err, "connection file `%s`", path) : 0;
}

void
connection_new(struct connection *ret)
{
	char key[37];
	uuid_t uuid;

	uuid_generate_random(uuid);
	uuid_unparse_lower(uuid, key);
	*ret = (struct connection){
		.ip = xstrdup("127.0.0.1"),
		.key = xstrdup(key),
		.scheme = xstrdup("hmac-sha256"),
	};
}

void
connection_release(struct connection *c)
{
	char **texts[] = { &c->ip, &c->key, &c->scheme, &c->kernel_name, &c->curve_public, &c->curve_secret, &c->kernel_id,
		&c->registration_ip };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		freep(texts[i]);
	json_decref(c->file);
	*c = (struct connection){ 0 };
}

static void
put_text(json_t *file, const char *name, const char *text)
{
	if (text)
		json_object_set_new(file, name, json_string(text));
}

/* Fields that others put into the file stay there. */
static json_t *
to_json(const struct connection *c)
{
	json_t *file = c->file ? json_copy(c->file) : json_object();

	for (size_t i = 0; i < N_CHANNELS; i++)
		json_object_set_new(file, CONNECTION_PORT_NAMES[i], json_integer(c->ports[i]));
	put_text(file, "transport", c->ipc ? "ipc" : "tcp");
	put_text(file, "ip", c->ip);
	put_text(file, "key", c->key);
	put_text(file, "signature_scheme", c->scheme);
	put_text(file, "kernel_name", c->kernel_name);
	put_text(file, "curve_publickey", c->curve_public);
	put_text(file, "curve_secretkey", c->curve_secret);
	return file;
}

/* mkstemp makes the file with mode 0600. */
int
connection_write(const struct connection *connection, const char *path, struct error *err)
{
	CLEANUP(buf_release) struct buf temp = { 0 };
	json_t *json = to_json(connection);
	bool good;
	int fd;

	buf_printf(&temp, "%s.XXXXXX", path);
	fd = mkostemp(temp.data, O_CLOEXEC);
	good = fd >= 0 && json_dumpfd(json, fd, JSON_INDENT(2)) == 0;
	if (fd >= 0)
		good = close(fd) == 0 && good;
	good = good && rename(temp.data, path) == 0;
	json_decref(json);
	if (good)
		return 0;
	error_errno(err, errno, "cannot write connection file `%s`", path);
	if (fd >= 0)
		unlink(temp.data);
	return -1;
}

int
connection_endpoint(const struct connection *c, int port, char ret[CONNECTION_ENDPOINT_MAX], struct error *err)
{
	bool v6 = !c->ipc && strchr(c->ip, ':') && c->ip[0] != '[';
	int n;

	if (c->ipc)
		n = snprintf(ret, CONNECTION_ENDPOINT_MAX, "ipc://%s-%d", c->ip, port);
	else if (port)
		n = snprintf(ret, CONNECTION_ENDPOINT_MAX, "tcp://%s%s%s:%d", v6 ? "[" : "", c->ip, v6 ? "]" : "", port);
	else
		n = snprintf(ret, CONNECTION_ENDPOINT_MAX, "tcp://%s%s%s:*", v6 ? "[" : "", c->ip, v6 ? "]" : "");
	if (n >= CONNECTION_ENDPOINT_MAX)
		return error_set(err, "`ip` has more than %d bytes", CONNECTION_ENDPOINT_MAX - 32);
	return 0;
}
