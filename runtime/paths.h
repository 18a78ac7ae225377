/* Small helpers on files and folders. */
#ifndef RUNTIME_PATHS_H
#define RUNTIME_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

/* Makes the folder and those above it; those that are there are fine. */
int paths_make(const char *folder, struct error *err);
/* Removes the file, or the folder and what is in it, without following links. Missing is fine. */
void paths_remove(const char *path);
/* A new file that holds the bytes; an old one is replaced. */
int paths_write(const char *path, const char *bytes, size_t len, int mode, struct error *err);
/* The whole file, at most max bytes, NUL behind it; NULL with *err set. */
const char *paths_read(struct arena *arena, const char *path, size_t max, size_t *ret_len, struct error *err);
/* The program that the name means with that search path: absolute, or NULL. A name with a slash is relative to the folder. */
const char *paths_program(struct arena *arena, const char *name, const char *search, const char *folder);
/* The path as seen from the folder. */
const char *paths_absolute(struct arena *arena, const char *path, const char *folder);
/* The text with whatever is no letter, digit, `-`, `_`, `[`, `]` or inner `.` as `_`: a name for a file. */
const char *paths_safe(struct arena *arena, const char *text);

#endif
