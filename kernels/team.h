/* Threads that share the pieces of one operation. Who does a piece is chance; which pieces there are is the caller's, so results do
 * not depend on how many threads there are. */
#ifndef KERNELS_TEAM_H
#define KERNELS_TEAM_H

#include <stddef.h>

struct team;

/* Piece number `piece`, by worker 0 to n - 1. */
typedef void (*team_work)(void *context, size_t piece, int worker);

/* n - 1 threads beside the caller's; fewer where the system gives no more. NULL: no memory. */
struct team *team_new(int n);
void team_free(struct team *team);
int team_size(const struct team *team);
/* All pieces, done when it returns. One caller at a time. */
void team_run(struct team *team, size_t pieces, team_work work, void *context);

#endif
