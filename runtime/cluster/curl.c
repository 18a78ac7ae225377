#include "config.h"

#include "runtime/cluster/curl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/library.h"

/* The one lock that libcurl wants of its users: before 7.84 it counts who has begun with it without one of its own. */
static void
lock_counting(bool lock)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	if (lock)
		pthread_mutex_lock(&mutex);
	else
		pthread_mutex_unlock(&mutex);
}

int
curl_library_open(struct curl_library *ret, struct error *err)
{
	const struct library_function functions[] = {
		{ "curl_global_init", &ret->global_init }, { "curl_global_cleanup", &ret->global_cleanup },
		{ "curl_easy_init", &ret->init }, { "curl_easy_cleanup", &ret->cleanup },
		{ "curl_easy_setopt", &ret->setopt }, { "curl_easy_getinfo", &ret->getinfo },
		{ "curl_easy_perform", &ret->perform }, { "curl_easy_pause", &ret->pause },
		{ "curl_easy_send", &ret->send }, { "curl_easy_recv", &ret->recv },
		{ "curl_easy_strerror", &ret->strerror }, { "curl_slist_append", &ret->list_append },
		{ "curl_slist_free_all", &ret->list_free }, { "curl_multi_init", &ret->multi_init },
		{ "curl_multi_cleanup", &ret->multi_cleanup }, { "curl_multi_add_handle", &ret->multi_add },
		{ "curl_multi_remove_handle", &ret->multi_remove }, { "curl_multi_perform", &ret->multi_perform },
		{ "curl_multi_poll", &ret->multi_poll }, { "curl_multi_info_read", &ret->multi_info_read },
	};
	bool begun;

	ret->library = library_open("libcurl.so.4", functions, ARRAY_LEN(functions), err);
	if (!ret->library)
		return -1;
	lock_counting(true);
	begun = !ret->global_init(CURL_GLOBAL_DEFAULT);
	lock_counting(false);
	if (begun)
		return 0;
	dlclose(ret->library);
	return error_set(err, "libcurl.so.4 does not start");
}

void
curl_library_close(struct curl_library *curl)
{
	lock_counting(true);
	curl->global_cleanup();
	lock_counting(false);
	/* The library stays: what it drew in has exit handlers that must still be there. */
	*curl = (struct curl_library){ 0 };
}
