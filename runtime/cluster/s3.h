/* Objects of S3 and of servers that speak as it does (MinIO, SeaweedFS, moto): a URL that is good for one GET within minutes,
 * signed with Signature Version 4 in its query, as AWS documents it ("Authenticating Requests: Using Query Parameters").
 * Such a URL is a credential itself: it is never shown. */
#ifndef RUNTIME_CLUSTER_S3_H
#define RUNTIME_CLUSTER_S3_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { S3_GOOD_FOR = 300 }; /* seconds */

struct s3_object {
	const char *endpoint; /* "minio.argo:9000", "s3.amazonaws.com" */
	bool insecure; /* http */
	const char *bucket, *key;
	const char *region; /* NULL: that in Amazon's endpoint, else us-east-1 */
	const char *access_key, *secret_key; /* NULL: the object is open to everybody */
	const char *session_token; /* or NULL */
	int good_for; /* seconds; 0: S3_GOOD_FOR */
};

/* Where the request is sent, if not to the endpoint itself. */
struct s3_way {
	const char *base; /* "https://host:port/path", before "/BUCKET/KEY" */
	const char *host; /* that the server will see in the header Host */
};

/* Appends the URL; way NULL: the endpoint. `seconds` is the time since 1970. */
void s3_write_url(struct buf *ret, const struct s3_object *object, const struct s3_way *way, int64_t seconds);

#endif
