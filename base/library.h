/* Shared libraries that are opened on first use and not linked: those that draw in many others, or that most machines lack. */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include <stddef.h>

#include "base/error.h"

/* A function to find, and the pointer to it that is to be set. */
struct library_function {
	const char *name;
	void *ret_pointer;
};

/* Opens the library, by its name with version as the loader finds it, and sets all the pointers. NULL with *err set where it or
 * one of its functions is not there. It stays loaded if it is never closed with dlclose. */
void *library_open(const char *name, const struct library_function *functions, size_t n, struct error *err);

#endif
