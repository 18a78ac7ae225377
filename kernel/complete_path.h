/* Completion of file names inside of a string: the half that needs the file system, which the language does not touch. */
#ifndef KERNEL_COMPLETE_PATH_H
#define KERNEL_COMPLETE_PATH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { COMPLETE_PATHS_MAX = 200 };

/* Is the cursor inside of a one-line string? Then *ret_start is where its last path component begins. */
bool complete_in_string(const char *code, size_t cursor, size_t *ret_start);
/* A new array of { text, type: "path" }: the names in the folder that the string names so far, folders with a `/` behind. */
json_t *complete_paths(const char *code, size_t cursor);

#endif
