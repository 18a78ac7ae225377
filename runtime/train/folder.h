/* Folders that are there whole or not at all: one is written beside its place, `.tmp` behind its name, and renamed once all of it is on disk, so
 * that a crash or a full disk at any time leaves what was there before. */
#ifndef RUNTIME_TRAIN_FOLDER_H
#define RUNTIME_TRAIN_FOLDER_H

#include "base/buf.h"
#include "base/error.h"

struct folder {
	struct buf path, made; /* its place, and where it is written until then */
};

/* Makes an empty folder to write into, and those above it; one that was left unfinished is removed. On failure nothing is to be released. */
int folder_begin(struct folder *folder, const char *path, struct error *err);
/* Puts it in its place: nothing may be there, or an empty folder. On failure nothing of it is left. Releases it in any case. */
int folder_finish(struct folder *folder, struct error *err);
/* The same, in the place of what is there. */
int folder_replace(struct folder *folder, struct error *err);
/* Leaves nothing of it. */
void folder_abandon(struct folder *folder);

/* A file in a folder, on disk when it returns. */
int folder_write(const char *folder, const char *name, const void *bytes, size_t len, struct error *err);

#endif
