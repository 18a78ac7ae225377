/* Bytes in, verified envelopes out. The expected signatures are those of Python's hmac module. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/proto.h"
#include "kernel/replay.h"
#include "tests/tap.h"

#define TEXT(s) { s, sizeof(s) - 1 }

static const struct slice parts[4] = { TEXT("{\"a\":1}"), TEXT("{}"), TEXT("{}"), TEXT("{\"code\":\"x\"}") };

static const struct {
	const char *scheme, *key, *signature;
} signatures[] = {
	{ "hmac-sha256", "secret", "a429a57c76bba89b4949b7629a9be2c46105a15cef7dc5002a0a4d085cb144c4" },
	{ "hmac-sha512", "secret",
		"8b681145f90be187f4c37b1fc907c54541b3501f7c747b82a0bbf6325248599f"
		"7729806c5cb11ba8f012d1b31a7947956379cf62637b50c6c4eee3ab015da78c" },
	{ "hmac-sha256", "", "" },
};

static void
test_signatures(void)
{
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
		const char *key = signatures[i].key;
		struct proto *proto = proto_new(signatures[i].scheme, key, strlen(key), NULL);
		char hex[PROTO_SIGNATURE_MAX + 1];

		is_int((int64_t)proto_sign(proto, parts, 4, hex), (int64_t)strlen(signatures[i].signature), "length of a signature");
		is_str(hex, signatures[i].signature, "%s with key `%s`", signatures[i].scheme, key);
		proto_free(proto);
	}
}

static void
test_schemes(void)
{
	static const char *const unknown[] = { "", "sha256", "hmac-md5", "hmac-sha256 ", "HMAC-SHA256", "hmac-sha1" };
	struct error err;

	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		ok(!proto_new(unknown[i], "k", 1, &err), "scheme `%s` is refused", unknown[i]);
		contains(err.text, "hmac-sha256", "and the error says which are known");
	}
}

/* A message of `n_idents` identities and `n_buffers` buffers, signed. */
static size_t
compose(struct proto *proto, size_t n_idents, size_t n_buffers, struct slice *ret, char *signature)
{
	size_t n = 0;

	for (size_t i = 0; i < n_idents; i++)
		ret[n++] = (struct slice)TEXT("ident");
	ret[n++] = PROTO_DELIMITER;
	ret[n++] = (struct slice){ signature, proto_sign(proto, parts, 4, signature) };
	for (size_t i = 0; i < 4; i++)
		ret[n++] = parts[i];
	for (size_t i = 0; i < n_buffers; i++)
		ret[n++] = (struct slice)TEXT("buffer");
	return n;
}

static void
test_envelope(void)
{
	struct proto *proto = proto_new("hmac-sha256", "k", 1, NULL);
	struct slice frames[32];
	char signature[PROTO_SIGNATURE_MAX + 1];
	size_t n = compose(proto, 2, 3, frames, signature);
	struct envelope envelope;
	struct error err = { "" };

	is_int(proto_open(proto, frames, n, &envelope, &err), 0, "a good message opens");
	is_int((int64_t)envelope.n_idents, 2, "identities");
	is_int((int64_t)envelope.n_buffers, 3, "buffers");
	is_mem(envelope.header.data, envelope.header.len, parts[0].data, parts[0].len, "header");
	is_mem(envelope.content.data, envelope.content.len, parts[3].data, parts[3].len, "content");
	is_int(proto_open(proto, frames, n, &envelope, &err), -1, "but once");
	is_str(err.text, "a message came twice", "and the error says so");
	proto_free(proto);
}

/* Every prefix of a message, and a message with every byte of what is signed or signs changed. */
static void
test_damage(void)
{
	struct proto *proto = proto_new("hmac-sha256", "k", 1, NULL);
	struct slice frames[32];
	char signature[PROTO_SIGNATURE_MAX + 1];
	size_t n = compose(proto, 1, 0, frames, signature);
	struct envelope envelope;
	int accepted = 0;

	for (size_t i = 0; i < n; i++)
		accepted += proto_open(proto, frames, i, &envelope, NULL) == 0;
	for (size_t at = 2; at < n; at++)
		for (size_t i = 0; i < frames[at].len; i++) {
			struct slice good = frames[at];
			char *bad = xstrndup(good.data, good.len);

			bad[i] ^= 1;
			frames[at].data = bad;
			accepted += proto_open(proto, frames, n, &envelope, NULL) == 0;
			frames[at] = good;
			free(bad);
		}
	is_int(accepted, 0, "no damaged message opens");
	is_int(proto_open(proto, frames, n, &envelope, NULL), 0, "the whole one does");
	proto_free(proto);
}

static void
test_limits(void)
{
	struct proto *proto = proto_new("hmac-sha256", "", 0, NULL);
	size_t n_huge = PROTO_FRAMES_MAX + 1;
	struct slice *huge = xcalloc(n_huge, sizeof *huge);
	char *big = xcalloc(PROTO_CONTENT_MAX + 1, 1);
	struct slice frames[32];
	char signature[PROTO_SIGNATURE_MAX + 1];
	struct envelope envelope;
	struct error err;
	size_t n = compose(proto, PROTO_IDENTS_MAX, 0, frames, signature);

	is_int(proto_open(proto, frames, n, &envelope, &err), 0, "%d identities are allowed", PROTO_IDENTS_MAX);
	n = compose(proto, PROTO_IDENTS_MAX + 1, 0, frames, signature);
	is_int(proto_open(proto, frames, n, &envelope, &err), -1, "one more is not");
	contains(err.text, "no delimiter", "says why");
	memcpy(huge, frames + PROTO_IDENTS_MAX + 1, 6 * sizeof *huge);
	is_int(proto_open(proto, huge, PROTO_FRAMES_MAX, &envelope, &err), 0, "%d frames are allowed", PROTO_FRAMES_MAX);
	is_int(proto_open(proto, huge, n_huge, &envelope, &err), -1, "one more is not");
	contains(err.text, "frames", "says why");
	huge[2] = (struct slice){ big, PROTO_HEADER_MAX + 1 };
	is_int(proto_open(proto, huge, 6, &envelope, &err), -1, "a header has its limit");
	huge[2] = parts[0];
	huge[5] = (struct slice){ big, PROTO_CONTENT_MAX + 1 };
	is_int(proto_open(proto, huge, 6, &envelope, &err), -1, "a content has its limit");
	contains(err.text, "16777217 bytes", "says which");
	free(big);
	free(huge);
	proto_free(proto);
}

static void
test_replay(void)
{
	struct replay replay;
	int fresh = 0, repeated = 0;

	replay_init(&replay, 100);
	for (uint64_t i = 0; i < 1000; i++) {
		fresh += replay_note(&replay, i * 0x9e3779b97f4a7c15u);
		for (uint64_t back = 0; back < 100 && back <= i; back++)
			repeated += !replay_note(&replay, (i - back) * 0x9e3779b97f4a7c15u);
	}
	is_int(fresh, 1000, "new values are new");
	is_int(repeated, 1000 * 100 - 99 * 100 / 2, "the last 100 are known");
	ok(replay_note(&replay, 0x9e3779b97f4a7c15u), "what is long past is forgotten");
	replay_release(&replay);
}

int
main(void)
{
	test_signatures();
	test_schemes();
	test_envelope();
	test_damage();
	test_limits();
	test_replay();
	return done_testing();
}
