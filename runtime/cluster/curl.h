/* libcurl, opened on first use: it draws in two dozen libraries, and most sessions never need it. Any number of these may be
 * open, in any threads; one is for one thread at a time, but its functions are libcurl's own and for all. */
#ifndef RUNTIME_CLUSTER_CURL_H
#define RUNTIME_CLUSTER_CURL_H

#include <curl/curl.h>

#include "base/error.h"

/* The header's macros check types around the functions' names; the pointers have them as names of members. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

/* What we use of it. */
struct curl_library {
	void *library;
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_global_cleanup) *global_cleanup;
	__typeof__(curl_easy_init) *init;
	__typeof__(curl_easy_cleanup) *cleanup;
	__typeof__(curl_easy_setopt) *setopt;
	__typeof__(curl_easy_getinfo) *getinfo;
	__typeof__(curl_easy_perform) *perform;
	__typeof__(curl_easy_pause) *pause;
	__typeof__(curl_easy_send) *send;
	__typeof__(curl_easy_recv) *recv;
	__typeof__(curl_easy_strerror) *strerror;
	__typeof__(curl_slist_append) *list_append;
	__typeof__(curl_slist_free_all) *list_free;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_multi_add_handle) *multi_add;
	__typeof__(curl_multi_remove_handle) *multi_remove;
	__typeof__(curl_multi_perform) *multi_perform;
	__typeof__(curl_multi_poll) *multi_poll;
	__typeof__(curl_multi_info_read) *multi_info_read;
};

/* Negative with *err set when it is not there or not what it should be. */
int curl_library_open(struct curl_library *ret, struct error *err);
void curl_library_close(struct curl_library *curl); /* of one that was opened */

#endif
