/* A service account's key: what is signed with it, verified with its public half; and what is asked of Google with that. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/value.h"
#include "runtime/cluster/base64.h"
#include "runtime/cluster/google_token.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"

static char *
pem_of(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *text;
	long len;

	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		BUG("the key cannot be written");
	len = BIO_get_mem_data(bio, &bytes);
	text = xstrndup(bytes, (size_t)len);
	BIO_free(bio);
	return text;
}

/* Bytes of base64 for URLs, without padding. */
static char *
decode(struct arena *arena, const char *text, size_t len, size_t *ret_len)
{
	char *copy = arena_strndup(arena, text, len);

	for (char *c = copy; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	return base64_decode(arena, copy, len, ret_len);
}

static bool
is_signed_by(EVP_PKEY *key, const char *text, size_t len, const char *signature, size_t signature_len)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good = md && EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestVerify(md, (const unsigned char *)signature, signature_len, (const unsigned char *)text, len) == 1;

	EVP_MD_CTX_free(md);
	return good;
}

static void
check_token(EVP_PKEY *key, const char *token, const char *header, const char *claims)
{
	struct arena *arena = arena_new();
	const char *first = strchr(token, '.'), *second = first ? strchr(first + 1, '.') : NULL;
	char *signature;
	size_t len = 0;

	if (!ok(second != NULL, "it has three parts"))
		BUG("%s", token);
	is_str(decode(arena, token, (size_t)(first - token), &len), header, "its header");
	is_str(decode(arena, first + 1, (size_t)(second - first - 1), &len), claims, "its claims");
	signature = decode(arena, second + 1, strlen(second + 1), &len);
	ok(signature && is_signed_by(key, token, (size_t)(second - token), signature, len), "its signature is the key's");
	ok(signature && !is_signed_by(key, token, (size_t)(second - token) - 1, signature, len), "of this text and no other");
	arena_free(arena);
}

/* The assertion in a form that was sent. */
static const char *
assertion_of(const char *log)
{
	const char *at = strstr(log, "&assertion=");

	return at ? at + strlen("&assertion=") : "";
}

static void
test_exchange(EVP_PKEY *key, const char *path, const char *audience, const char *replies, const char *claims)
{
	struct google_login login = { .file = path };
	struct recorded recorded;
	struct buf token = { 0 }, assertion = { 0 };
	struct error err = { "" };
	int64_t expires = 0;

	recorded_init(&recorded, replies);
	recorded.log_bodies = true;
	if (!ok(!google_token(&login, &recorded.http, audience, &token, &expires, &err), "%s token", audience ? "an identity" : "an access"))
		tap_note("%s", err.text);
	is_str(buf_text(&token), "the.token.itself", "is what Google answers");
	ok(expires > RECORDED_START, "and has an end");
	buf_puts(&assertion, assertion_of(buf_text(&recorded.log)));
	assertion.data[strcspn(assertion.data, "\n")] = '\0';
	check_token(key, buf_text(&assertion), "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k-1\"}", claims);
	recorded_release(&recorded);
	buf_release(&token);
	buf_release(&assertion);
}

static void
write_account(const char *path, const char *pem)
{
	struct buf text = { 0 };
	FILE *file = fopen(path, "w");

	buf_puts(&text, "{\"type\":\"service_account\",\"client_email\":\"a@b.iam.gserviceaccount.com\",\"private_key_id\":\"k-1\",\"private_key\":");
	value_write_json_string(&text, pem, strlen(pem));
	buf_puts(&text, ",\"token_uri\":\"https://oauth2.googleapis.com/token\"}");
	if (!file || fputs(buf_text(&text), file) < 0 || fclose(file))
		BUG("cannot write `%s`", path);
	buf_release(&text);
}

int
main(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	char *pem = key ? pem_of(key) : NULL, *folder = test_temp_dir(), path[512];
	struct buf token = { 0 };
	struct error err = { "" };

	if (!pem)
		BUG("no key");
	ok(!google_sign(pem, NULL, "{\"a\":\"é?>\"}", &token, &err), "claims are signed");
	check_token(key, buf_text(&token), "{\"alg\":\"RS256\",\"typ\":\"JWT\"}", "{\"a\":\"é?>\"}");
	ok(google_sign("no key", NULL, "{}", &token, &err) < 0, "no key: %s", err.text);
	snprintf(path, sizeof path, "%s/key.json", folder);
	write_account(path, pem);
	test_exchange(key, path, NULL, "> POST /token\n< 200 application/json\n{\"access_token\": \"the.token.itself\", \"expires_in\": 3599}\n",
		"{\"iss\":\"a@b.iam.gserviceaccount.com\",\"sub\":\"a@b.iam.gserviceaccount.com\",\"aud\":\"https://oauth2.googleapis.com/token\","
		"\"scope\":\"https://www.googleapis.com/auth/cloud-platform\",\"iat\":1760000000,\"exp\":1760003600}");
	test_exchange(key, path, "123.apps", "> POST /token\n< 200 application/json\n{\"id_token\": \"the.token.itself\"}\n",
		"{\"iss\":\"a@b.iam.gserviceaccount.com\",\"sub\":\"a@b.iam.gserviceaccount.com\",\"aud\":\"https://oauth2.googleapis.com/token\","
		"\"target_audience\":\"123.apps\",\"iat\":1760000000,\"exp\":1760003600}");
	buf_release(&token);
	test_remove_tree(folder);
	free(folder);
	free(pem);
	EVP_PKEY_free(key);
	return done_testing();
}
