#include "config.h"

#include "runtime/cluster/curl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static int
find_functions(struct curl_library *curl)
{
	struct {
		const char *name;
		void *function; /* where the pointer goes */
	} table[] = {
		{ "curl_global_init", &curl->global_init }, { "curl_global_cleanup", &curl->global_cleanup },
		{ "curl_easy_init", &curl->init }, { "curl_easy_cleanup", &curl->cleanup },
		{ "curl_easy_setopt", &curl->setopt }, { "curl_easy_getinfo", &curl->getinfo },
		{ "curl_easy_perform", &curl->perform }, { "curl_easy_pause", &curl->pause },
		{ "curl_easy_send", &curl->send }, { "curl_easy_recv", &curl->recv },
		{ "curl_easy_strerror", &curl->strerror }, { "curl_slist_append", &curl->list_append },
		{ "curl_slist_free_all", &curl->list_free }, { "curl_multi_init", &curl->multi_init },
		{ "curl_multi_cleanup", &curl->multi_cleanup }, { "curl_multi_add_handle", &curl->multi_add },
		{ "curl_multi_remove_handle", &curl->multi_remove }, { "curl_multi_perform", &curl->multi_perform },
		{ "curl_multi_poll", &curl->multi_poll }, { "curl_multi_info_read", &curl->multi_info_read },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		void *symbol = dlsym(curl->library, table[i].name);

		if (!symbol)
			return -1;
		/* POSIX lets an object pointer hold a function's; C has no cast for it. */
		memcpy(table[i].function, &symbol, sizeof symbol);
	}
	return 0;
}

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
	bool begun;

	*ret = (struct curl_library){ .library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL) };
	if (!ret->library)
		return error_set(err, "libcurl.so.4 cannot be opened: %s", dlerror());
	lock_counting(true);
	begun = !find_functions(ret) && !ret->global_init(CURL_GLOBAL_DEFAULT);
	lock_counting(false);
	if (begun)
		return 0;
	dlclose(ret->library);
	return error_set(err, "libcurl.so.4 is not the library it should be");
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
