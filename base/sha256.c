#include "config.h"

#include "base/sha256.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/buf.h"

void
sha256_hex(const void *bytes, size_t len, char ret[SHA256_HEX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!EVP_Digest(bytes, len, hash, &n, EVP_sha256(), NULL) || n != (SHA256_HEX - 1) / 2)
		BUG("no SHA-256 in libcrypto");
	for (unsigned i = 0; i < n; i++) {
		ret[2 * i] = digits[hash[i] >> 4];
		ret[2 * i + 1] = digits[hash[i] & 15];
	}
	ret[2 * n] = '\0';
}

void
sha256_hex_of_text(const char *text, size_t len, char ret[SHA256_HEX])
{
	CLEANUP(buf_release) struct buf plain = { 0 };
	size_t start = 0;

	for (size_t i = 0; i + 1 < len; i++) {
		if (text[i] != '\r' || text[i + 1] != '\n')
			continue;
		buf_add(&plain, text + start, i - start);
		start = i + 1;
	}
	buf_add(&plain, text + start, len - start);
	sha256_hex(buf_text(&plain), plain.len, ret);
}

bool
sha256_is_hex(const char *text)
{
	return strlen(text) == SHA256_HEX - 1 && strspn(text, "0123456789abcdef") == SHA256_HEX - 1;
}
