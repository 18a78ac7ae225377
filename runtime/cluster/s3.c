#include "config.h"

#include "runtime/cluster/s3.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/sha256.h"

#define AMAZON ".amazonaws.com"

enum { DIGEST = 32 };

/* All but letters, digits and "-._~" as %XX; a slash stays in paths. */
static void
escape(struct buf *ret, const char *text, bool path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	for (; *text; text++)
		buf_printf(ret, strchr(plain, *text) || (path && *text == '/') ? "%c" : "%%%02X", (unsigned char)*text);
}

/* As libcurl writes it into the header: without the port that the scheme has anyway. */
static void
write_host(struct buf *ret, const char *endpoint, bool insecure)
{
	const char *usual = insecure ? ":80" : ":443";
	size_t len = strlen(endpoint), n = strlen(usual);

	buf_add(ret, endpoint, len > n && !strcmp(endpoint + len - n, usual) ? len - n : len);
}

/* "s3.eu-west-1.amazonaws.com" has it between its dots. */
static void
write_region(struct buf *ret, const struct s3_object *object)
{
	const char *end = strstr(object->endpoint, AMAZON), *from = object->endpoint;

	if (object->region && *object->region) {
		buf_puts(ret, object->region);
		return;
	}
	for (const char *at = from; end && at < end; at++)
		if (*at == '.')
			from = at + 1;
	if (end && from > object->endpoint && from < end)
		buf_add(ret, from, (size_t)(end - from));
	else
		buf_puts(ret, "us-east-1");
}

static void
sign(unsigned char ret[DIGEST], const unsigned char *key, size_t len, const char *text)
{
	unsigned int n = DIGEST;

	if (!HMAC(EVP_sha256(), key, (int)len, (const unsigned char *)text, strlen(text), ret, &n))
		BUG("no HMAC");
}

/* The key is narrowed down to the day, the region, the service. */
static void
write_signature(struct buf *ret, const struct s3_object *object, const char *day, const char *region, const char *text)
{
	const char *const steps[] = { day, region, "s3", "aws4_request", text };
	unsigned char digest[DIGEST], next[DIGEST];
	struct buf key = { 0 };

	buf_printf(&key, "AWS4%s", object->secret_key);
	sign(digest, (const unsigned char *)buf_text(&key), key.len, steps[0]);
	for (size_t i = 1; i < ARRAY_LEN(steps); i++) {
		sign(next, digest, DIGEST, steps[i]);
		memcpy(digest, next, DIGEST);
	}
	for (size_t i = 0; i < DIGEST; i++)
		buf_printf(ret, "%02x", digest[i]);
	explicit_bzero(key.data, key.len);
	explicit_bzero(digest, sizeof(digest));
	explicit_bzero(next, sizeof(next));
	buf_release(&key);
}

/* In byte order, as the signature wants it. */
static void
write_query(struct buf *ret, const struct s3_object *object, const char *scope, const char *time)
{
	buf_puts(ret, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=");
	escape(ret, object->access_key, false);
	escape(ret, "/", false);
	escape(ret, scope, false);
	buf_printf(ret, "&X-Amz-Date=%s&X-Amz-Expires=%d", time,
		object->good_for ? object->good_for : (int)S3_GOOD_FOR);
	if (object->session_token && *object->session_token) {
		buf_puts(ret, "&X-Amz-Security-Token=");
		escape(ret, object->session_token, false);
	}
	buf_puts(ret, "&X-Amz-SignedHeaders=host");
}

static void
write_signed_query(struct buf *ret, const struct s3_object *object, const char *path, const char *host, int64_t seconds)
{
	struct buf region = { 0 }, scope = { 0 }, query = { 0 }, text = { 0 };
	time_t now = (time_t)seconds;
	struct tm tm = { 0 };
	char time[32], day[16], digest[SHA256_HEX];

	gmtime_r(&now, &tm);
	strftime(time, sizeof(time), "%Y%m%dT%H%M%SZ", &tm);
	strftime(day, sizeof(day), "%Y%m%d", &tm);
	write_region(&region, object);
	buf_printf(&scope, "%s/%s/s3/aws4_request", day, buf_text(&region));
	write_query(&query, object, buf_text(&scope), time);
	buf_printf(&text, "GET\n%s\n%s\nhost:%s\n\nhost\nUNSIGNED-PAYLOAD", path, buf_text(&query), host);
	sha256_hex(buf_text(&text), text.len, digest);
	buf_clear(&text);
	buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", time, buf_text(&scope), digest);
	buf_printf(ret, "?%s&X-Amz-Signature=", buf_text(&query));
	write_signature(ret, object, day, buf_text(&region), buf_text(&text));
	buf_release(&region);
	buf_release(&scope);
	buf_release(&query);
	buf_release(&text);
}

void
s3_write_url(struct buf *ret, const struct s3_object *object, const struct s3_way *way, int64_t seconds)
{
	struct buf host = { 0 }, path = { 0 };
	bool own_host = !way && strstr(object->endpoint, AMAZON) && !strchr(object->bucket, '.');

	/* Amazon wants new buckets in the host; the others know them in the path only. */
	if (own_host)
		buf_printf(&host, "%s.", object->bucket);
	if (way)
		buf_puts(&host, way->host);
	else
		write_host(&host, object->endpoint, object->insecure);
	if (!own_host) {
		buf_putc(&path, '/');
		escape(&path, object->bucket, false);
	}
	buf_putc(&path, '/');
	escape(&path, object->key, true);
	if (way)
		buf_puts(ret, way->base);
	else
		buf_printf(ret, "http%s://%s", object->insecure ? "" : "s", buf_text(&host));
	buf_add(ret, path.data, path.len);
	if (object->access_key && object->secret_key)
		write_signed_query(ret, object, buf_text(&path), buf_text(&host), seconds);
	buf_release(&host);
	buf_release(&path);
}
