/* What `use` names, read: paths, https URLs, and the library that ships with Lateen.
 *
 * A path is relative to the folder of the file that holds the `use`; in a cell, on standard input and in the library to the
 * working folder. In a text that came from a URL it is relative to that URL. Only plain files are read, no pipes or devices;
 * nothing is longer than SOURCE_MAX.
 *
 * A URL is asked for each time, and what it gave is kept (kernel/url_cache.h): when there is no network, the last copy
 * serves. With a sha256 the text is looked for among the kept ones first, and is never asked for twice. The sha256 may be that
 * of the bytes or, as Kubeflow counts it, of the text with CRLF as LF; another text is an error.
 *
 * "std:" is the standard library. */
#ifndef KERNEL_RESOLVER_H
#define KERNEL_RESOLVER_H

#include "dsl/scope.h"

struct resolver_options {
	const char *cache_folder; /* NULL: url_cache_default() */
	const char *ca_file; /* certificates to trust; NULL: SSL_CERT_FILE, else the system's */
	long timeout_ms; /* for a URL; 0: HTTP_TIMEOUT */
	/* Asked while a URL is loaded; true ends that. May be NULL. */
	bool (*stop)(void *context);
	void *context;
};

struct resolver *resolver_new(void);
struct resolver *resolver_new_with(const struct resolver_options *options); /* copies the texts */
void resolver_free(struct resolver *resolver); /* NULL is fine */

#endif
