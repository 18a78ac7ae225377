/* Files that stand in the program itself, so that the program stands alone. share/embed.sh makes the arrays when the
 * tree is built; whoever reads one declares it `extern const struct embedded_file NAME[]`. */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
	const char *name; /* without folders; NULL ends an array */
	const unsigned char *bytes; /* a NUL behind them */
	size_t len;
};

#endif
