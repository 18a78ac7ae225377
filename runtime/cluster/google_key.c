/* JSON Web Tokens (RFC 7519) with RS256 (RFC 7518, 3.3), by which a service account proves that it has its key. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/value.h"
#include "runtime/cluster/base64.h"
#include "runtime/cluster/google_token.h"

/* Base64 for URLs, without padding. */
static void
write_base64url(struct buf *buf, const void *bytes, size_t len)
{
	size_t from = buf->len;

	base64_encode(buf, bytes, len);
	while (buf->len > from && buf->data[buf->len - 1] == '=')
		buf->data[--buf->len] = '\0';
	for (size_t i = from; i < buf->len; i++)
		buf->data[i] = buf->data[i] == '+' ? '-' : buf->data[i] == '/' ? '_' : buf->data[i];
}

/* A key with a password is none that Google gives, and nobody is asked for one. */
static int
no_password(char *text, int size, int writing, void *context)
{
	(void)text;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static EVP_PKEY *
read_key(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

	BIO_free(bio);
	if (key && EVP_PKEY_base_id(key) != EVP_PKEY_RSA) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

static int
add_signature(EVP_PKEY *key, const char *text, size_t len, struct buf *ret)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char *signature = NULL;
	size_t size = 0;
	int rc = -1;

	if (md && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(md, NULL, &size, (const unsigned char *)text, len) == 1) {
		signature = xcalloc(1, size);
		if (EVP_DigestSign(md, signature, &size, (const unsigned char *)text, len) == 1) {
			write_base64url(ret, signature, size);
			rc = 0;
		}
	}
	free(signature);
	EVP_MD_CTX_free(md);
	return rc;
}

int
google_sign(const char *key_text, const char *key_id, const char *claims, struct buf *ret, struct error *err)
{
	EVP_PKEY *key = read_key(key_text);
	struct buf header = { 0 }, text = { 0 };
	int rc;

	if (!key) {
		ERR_clear_error();
		return error_set(err, "its private key cannot be read");
	}
	buf_puts(&header, "{\"alg\":\"RS256\",\"typ\":\"JWT\"");
	if (key_id) {
		buf_puts(&header, ",\"kid\":");
		value_write_json_string(&header, key_id, strlen(key_id));
	}
	buf_putc(&header, '}');
	write_base64url(&text, buf_text(&header), header.len);
	buf_putc(&text, '.');
	write_base64url(&text, claims, strlen(claims));
	buf_add(ret, buf_text(&text), text.len);
	buf_putc(ret, '.');
	rc = add_signature(key, buf_text(&text), text.len, ret);
	EVP_PKEY_free(key);
	ERR_clear_error();
	buf_release(&header);
	buf_release(&text);
	return rc ? error_set(err, "its private key cannot be used") : 0;
}
