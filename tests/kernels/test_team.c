/* Pieces of work among threads: each is done once before the caller goes on, whoever sleeps, wakes or has not come yet. */
#include "config.h"

#include <sched.h>

#include "kernels/team.h"
#include "tests/tap.h"

enum { PIECES = 63, JOBS = 20000, REST_EVERY = 500, YIELDS = 3000 };

struct job {
	int done[PIECES];
	int wrong; /* workers that there are not */
	int n;
};

static void
do_piece(void *context, size_t piece, int worker)
{
	struct job *job = context;

	job->done[piece]++;
	if (worker < 0 || worker >= job->n)
		job->wrong = 1;
}

static void
test_size(int threads)
{
	struct team *team = team_new(threads);
	int bad = 0;

	for (size_t i = 0; i < JOBS; i++) {
		struct job job = { .n = team_size(team) };
		size_t n = i % (PIECES + 1);

		/* Long enough for the others to fall asleep. */
		for (int k = 0; i % REST_EVERY == 0 && k < YIELDS; k++)
			sched_yield();
		team_run(team, n, do_piece, &job);
		for (size_t piece = 0; piece < PIECES; piece++)
			bad += job.done[piece] != (piece < n);
		bad += job.wrong;
	}
	is_int(bad, 0, "%d threads: each piece once, by one of them", threads);
	team_free(team);
}

int
main(void)
{
	test_size(1);
	test_size(2);
	test_size(5);
	team_free(NULL);
	return done_testing();
}
