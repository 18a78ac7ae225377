#include "config.h"

#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

void *
library_open(const char *name, const struct library_function *functions, size_t n, struct error *err)
{
	void *library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);

	if (!library) {
		error_set(err, "%s cannot be opened: %s", name, dlerror());
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		void *symbol = dlsym(library, functions[i].name);

		if (!symbol) {
			error_set(err, "%s has no %s: it is not the library it should be", name, functions[i].name);
			dlclose(library);
			return NULL;
		}
		/* POSIX lets an object pointer hold a function's; C has no cast for it. */
		memcpy(functions[i].ret_pointer, &symbol, sizeof symbol);
	}
	return library;
}
