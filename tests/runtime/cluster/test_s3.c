/* Signed URLs against Amazon's published example, and archives as Argo packs artifacts. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "runtime/cluster/s3.h"
#include "runtime/cluster/unpack.h"
#include "tests/tap.h"

static void
test_amazon(void)
{
	/* "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)". */
	const struct s3_object object = { .endpoint = "s3.amazonaws.com", .bucket = "examplebucket", .key = "test.txt",
		.access_key = "AKIAIOSFODNN7EXAMPLE", .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", .good_for = 86400 };
	struct buf url = { 0 };

	s3_write_url(&url, &object, NULL, 1369353600);
	is_str(buf_text(&url), "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
	       "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
	       "&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404", "Amazon's example");
	buf_release(&url);
}

static void
test_others(void)
{
	struct s3_object object = { .endpoint = "minio.argo:80", .insecure = true, .bucket = "b", .key = "a/ü c" };
	const struct s3_way way = { "https://10.0.0.1:6443/proxy", "10.0.0.1:6443" };
	struct buf url = { 0 };

	s3_write_url(&url, &object, NULL, 0);
	is_str(buf_text(&url), "http://minio.argo/b/a/%C3%BC%20c", "without keys nothing is signed; the bucket is in the path");
	buf_clear(&url);
	s3_write_url(&url, &object, &way, 0);
	is_str(buf_text(&url), "https://10.0.0.1:6443/proxy/b/a/%C3%BC%20c", "another way");
	buf_clear(&url);
	object = (struct s3_object){ .endpoint = "s3.eu-west-1.amazonaws.com", .bucket = "dotted.name", .key = "k", .access_key = "A",
		.secret_key = "s", .session_token = "t/=" };
	s3_write_url(&url, &object, NULL, 86400);
	contains(buf_text(&url), "https://s3.eu-west-1.amazonaws.com/dotted.name/k?", "a bucket with dots would not fit the certificate");
	contains(buf_text(&url), "%2F19700102%2Feu-west-1%2Fs3%2F", "the region is the endpoint's");
	contains(buf_text(&url), "&X-Amz-Security-Token=t%2F%3D&X-Amz-SignedHeaders=host", "a session's token");
	buf_release(&url);
}

/* ---- archives ---- */

static void
add_entry(struct buf *tar, const char *name, char type, const char *text, const char *size)
{
	char header[512] = "";
	unsigned len = (unsigned)strlen(text) % 01000000;

	snprintf(header, 100, "%s", name);
	snprintf(header + 124, 12, "%s", size ? size : "");
	if (!size)
		snprintf(header + 124, 12, "%011o", len);
	header[156] = type;
	buf_add(tar, header, sizeof(header));
	buf_add(tar, text, len);
	buf_repeat(tar, '\0', (512 - len % 512) % 512);
}

static void
pack(struct buf *ret, const struct buf *tar)
{
	z_stream z = { .next_in = (Bytef *)tar->data, .avail_in = (uInt)tar->len };

	deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
	z.next_out = (Bytef *)buf_space(ret, tar->len + 1000);
	z.avail_out = (uInt)(tar->len + 1000);
	deflate(&z, Z_FINISH);
	buf_commit(ret, tar->len + 1000 - z.avail_out);
	deflateEnd(&z);
}

static void
try_archive(const struct buf *tar, size_t cut, size_t max, const char *want, const char *why)
{
	struct buf packed = { 0 }, got = { 0 };
	struct error err = { "" };
	int result;

	pack(&packed, tar);
	ok(unpack_is_packed(packed.data, packed.len), "it is gzip");
	result = unpack_file(packed.data, packed.len - cut, max, &got, &err);
	is_str(result ? err.text : buf_text(&got), want, "%s", why);
	buf_release(&packed);
	buf_release(&got);
}

static void
test_archives(void)
{
	struct buf tar = { 0 };

	add_entry(&tar, "d/", '5', "", NULL);
	try_archive(&tar, 0, 100, "there is no file in the archive", "an empty folder");
	add_entry(&tar, "d/x", '0', "hello", NULL);
	buf_repeat(&tar, '\0', 1024);
	try_archive(&tar, 0, 100, "hello", "one file");
	try_archive(&tar, 0, 4, "it is longer than 4 bytes", "a ceiling");
	try_archive(&tar, 12, 100, "the archive is damaged", "one that was cut");
	buf_clear(&tar);
	add_entry(&tar, "a", '0', "1", NULL);
	add_entry(&tar, "b", '\0', "2", NULL);
	try_archive(&tar, 0, 100, "it is a folder of 2 files", "two files");
	buf_clear(&tar);
	add_entry(&tar, "a", '0', "1", "77777777777");
	try_archive(&tar, 0, 100, "the archive is damaged", "a size that lies");
	buf_clear(&tar);
	add_entry(&tar, "a", '0', "1", "99");
	try_archive(&tar, 0, 100, "the archive is damaged", "a size that is none");
	buf_clear(&tar);
	add_entry(&tar, "bomb", '0', "", "0");
	buf_repeat(&tar, 'x', 4 * 1024 * 1024);
	try_archive(&tar, 0, 100, "what it unpacks to is longer than 1048676 bytes", "more than it says");
	buf_release(&tar);
	ok(!unpack_is_packed("plain", 5) && !unpack_is_packed("\x1f", 1), "what is no gzip");
}

int
main(void)
{
	test_amazon();
	test_others();
	test_archives();
	return done_testing();
}
