#include "config.h"

#include "kernel/proto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/replay.h"

#define DELIMITER "<IDS|MSG>"

const struct slice PROTO_DELIMITER = { DELIMITER, sizeof DELIMITER - 1 };

/* Python's names (hashlib) beside OpenSSL's. */
static const struct {
	const char *scheme, *digest;
} schemes[] = {
	{ "hmac-sha224", "SHA224" },
	{ "hmac-sha256", "SHA256" },
	{ "hmac-sha384", "SHA384" },
	{ "hmac-sha512", "SHA512" },
};

struct proto {
	EVP_MAC_CTX *keyed; /* copied for each message; NULL with an empty key */
	pthread_mutex_t lock; /* guards seen */
	struct replay seen;
};

static const char *
digest_of(const char *scheme)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (!strcmp(scheme, schemes[i].scheme))
			return schemes[i].digest;
	return NULL;
}

/* Reading /etc/ssl/openssl.cnf costs a millisecond and could only change what HMAC means. */
static EVP_MAC_CTX *
keyed_context(const char *digest, const char *key, size_t key_len)
{
	char name[16];
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_END };
	EVP_MAC_CTX *ctx = NULL;
	EVP_MAC *mac;

	snprintf(name, sizeof name, "%s", digest);
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (mac)
		ctx = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	if (ctx && EVP_MAC_init(ctx, (const unsigned char *)key, key_len, params))
		return ctx;
	EVP_MAC_CTX_free(ctx);
	return NULL;
}

struct proto *
proto_new(const char *scheme, const char *key, size_t key_len, struct error *err)
{
	const char *digest = digest_of(scheme);
	EVP_MAC_CTX *keyed = NULL;
	struct proto *proto;

	if (!digest) {
		error_set(err, "signature_scheme `%.64s` is not known; hmac-sha256, hmac-sha224, hmac-sha384 and hmac-sha512 are",
			scheme);
		return NULL;
	}
	if (key_len && !(keyed = keyed_context(digest, key, key_len))) {
		error_set(err, "OpenSSL has no HMAC with %s", digest);
		return NULL;
	}
	proto = xcalloc(1, sizeof *proto);
	proto->keyed = keyed;
	pthread_mutex_init(&proto->lock, NULL);
	replay_init(&proto->seen, PROTO_REPLAY_KEPT);
	return proto;
}

void
proto_free(struct proto *proto)
{
	if (!proto)
		return;
	EVP_MAC_CTX_free(proto->keyed);
	pthread_mutex_destroy(&proto->lock);
	replay_release(&proto->seen);
	free(proto);
}

/* Returns the bytes of the MAC. A failure here is a failed allocation, which is fatal everywhere. */
static size_t
compute(const struct proto *proto, const struct slice *parts, size_t n, unsigned char ret[EVP_MAX_MD_SIZE])
{
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(proto->keyed);
	size_t len = 0;
	bool good = ctx != NULL;

	for (size_t i = 0; good && i < n; i++)
		good = EVP_MAC_update(ctx, (const unsigned char *)parts[i].data, parts[i].len);
	if (!good || !EVP_MAC_final(ctx, ret, &len, EVP_MAX_MD_SIZE))
		BUG("HMAC failed");
	EVP_MAC_CTX_free(ctx);
	return len;
}

static size_t
to_hex(const unsigned char *mac, size_t len, char *ret_hex)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		ret_hex[2 * i] = digits[mac[i] >> 4];
		ret_hex[2 * i + 1] = digits[mac[i] & 15];
	}
	ret_hex[2 * len] = '\0';
	return 2 * len;
}

size_t
proto_sign(const struct proto *proto, const struct slice *parts, size_t n, char ret_hex[PROTO_SIGNATURE_MAX + 1])
{
	unsigned char mac[EVP_MAX_MD_SIZE];

	ret_hex[0] = '\0';
	if (!proto->keyed)
		return 0;
	return to_hex(mac, compute(proto, parts, n, mac), ret_hex);
}

/* *ret_print is the MAC's first 64 bits. The length is no secret; the digits are compared in constant time. */
static bool
verify(const struct proto *proto, const struct slice *parts, size_t n, struct slice signature, uint64_t *ret_print)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	char hex[PROTO_SIGNATURE_MAX + 1];
	size_t len = compute(proto, parts, n, mac);

	memcpy(ret_print, mac, sizeof *ret_print);
	return signature.len == to_hex(mac, len, hex) && !CRYPTO_memcmp(hex, signature.data, signature.len);
}

bool
proto_signature_good(const struct proto *proto, const struct slice *parts, size_t n, struct slice signature)
{
	uint64_t print;

	return !proto->keyed || verify(proto, parts, n, signature, &print);
}

static int
check_signature(struct proto *proto, const struct slice *parts, struct slice signature, struct error *err)
{
	uint64_t print;
	bool fresh;

	if (!proto->keyed)
		return 0;
	if (!verify(proto, parts, 4, signature, &print))
		return error_set(err, "a message has a wrong signature");
	pthread_mutex_lock(&proto->lock);
	fresh = replay_note(&proto->seen, print);
	pthread_mutex_unlock(&proto->lock);
	return fresh ? 0 : error_set(err, "a message came twice");
}

/* Index of the delimiter, or n. */
static size_t
find_delimiter(const struct slice *frames, size_t n)
{
	size_t at = 0;

	while (at < n && (frames[at].len != PROTO_DELIMITER.len ||
				 memcmp(frames[at].data, PROTO_DELIMITER.data, PROTO_DELIMITER.len) != 0))
		at++;
	return at;
}

static int
check_sizes(const struct slice *parts, struct error *err)
{
	for (size_t i = 0; i < 4; i++) {
		size_t max = i < 2 ? PROTO_HEADER_MAX : PROTO_CONTENT_MAX;

		if (parts[i].len > max)
			return error_set(err, "a message has a part of %zu bytes; %zu are allowed", parts[i].len, max);
	}
	return 0;
}

int
proto_open(struct proto *proto, const struct slice *frames, size_t n, struct envelope *ret, struct error *err)
{
	size_t at = find_delimiter(frames, n > PROTO_IDENTS_MAX + 1 ? PROTO_IDENTS_MAX + 1 : n);
	const struct slice *parts = frames + at + 2;

	if (n > PROTO_FRAMES_MAX)
		return error_set(err, "a message has more than %d frames", PROTO_FRAMES_MAX);
	if (at >= n || at > PROTO_IDENTS_MAX)
		return error_set(err, "a message has no delimiter behind at most %d identities", PROTO_IDENTS_MAX);
	if (n - at < 6)
		return error_set(err, "a message has %zu frames after its identities; 6 are needed", n - at);
	if (check_sizes(parts, err) < 0 || check_signature(proto, parts, frames[at + 1], err) < 0)
		return -1;
	*ret = (struct envelope){
		.idents = frames,
		.n_idents = at,
		.header = parts[0],
		.parent_header = parts[1],
		.metadata = parts[2],
		.content = parts[3],
		.buffers = parts + 4,
		.n_buffers = n - at - 6,
	};
	return 0;
}
