/* Which algorithm was found fastest for which product, kept in a file, so that one machine takes the same ones in every process: another
 * algorithm gives other last bits. Lines of words: the key, then what was chosen, 64 bytes as hexadecimal numbers. What is not one is
 * passed over. */
#ifndef KERNELS_CUDA_CHOICES_H
#define KERNELS_CUDA_CHOICES_H

#include <stddef.h>
#include <stdint.h>

enum { CHOICES_KEY_MAX = 256, CHOICES_WORDS = 8 };

struct choices;

/* `machine`: letters, digits, `.` and `-`, of which the file is named; others become `_`. Below $XDG_CACHE_HOME or ~/.cache; where that
 * cannot be written, or LATEEN_CUDA_TUNE is 0, NULL: then nothing is to be chosen by time. */
struct choices *choices_open(const char *machine);
void choices_close(struct choices *c); /* NULL is fine */
/* False: not chosen yet. */
bool choices_find(struct choices *c, const char *key, uint64_t ret[CHOICES_WORDS]);
/* What is kept from now on: `words`, unless another process was first; then what that one chose, put into words. */
void choices_keep(struct choices *c, const char *key, uint64_t words[CHOICES_WORDS]);

#endif
