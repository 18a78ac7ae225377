#include "config.h"

#include "kernels/team.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* Looks at the job's number before a thread goes to sleep: about as long as waking it takes. */
enum { LOOKS = 2000 };

struct job {
	team_work work;
	void *context;
	size_t pieces;
};

struct worker {
	struct team *team;
	int index;
	pthread_t thread;
};

struct team {
	int n;
	pthread_mutex_t lock;
	pthread_cond_t wake, done;
	struct job job; /* written while nobody works */
	atomic_uint number; /* of the job */
	atomic_size_t next; /* piece */
	atomic_int busy; /* threads that may still take a piece */
	bool over;
	struct worker *workers; /* n, the first one the caller's */
};

static void
take_pieces(struct team *team, int worker)
{
	size_t piece;

	while ((piece = atomic_fetch_add_explicit(&team->next, 1, memory_order_relaxed)) < team->job.pieces)
		team->job.work(team->job.context, piece, worker);
}

static void
pause_briefly(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

/* Waits until the job is another than the last; false when the team ends. */
static bool
await_job(struct team *team, unsigned last)
{
	bool over;

	for (int i = 0; i < LOOKS; i++) {
		if (atomic_load_explicit(&team->number, memory_order_acquire) != last)
			break;
		pause_briefly();
	}
	pthread_mutex_lock(&team->lock);
	while (atomic_load_explicit(&team->number, memory_order_acquire) == last)
		pthread_cond_wait(&team->wake, &team->lock);
	over = team->over;
	pthread_mutex_unlock(&team->lock);
	return !over;
}

static void *
work(void *context)
{
	struct worker *self = context;
	struct team *team = self->team;

	for (unsigned last = 0; await_job(team, last); last++) {
		take_pieces(team, self->index);
		if (atomic_fetch_sub_explicit(&team->busy, 1, memory_order_acq_rel) == 1) {
			pthread_mutex_lock(&team->lock);
			pthread_cond_signal(&team->done);
			pthread_mutex_unlock(&team->lock);
		}
	}
	return NULL;
}

/* Signals are for the thread that opened the device. */
static void
start_threads(struct team *team, int n)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (team->n = 1; team->n < n; team->n++) {
		struct worker *worker = &team->workers[team->n];

		*worker = (struct worker){ .team = team, .index = team->n };
		if (pthread_create(&worker->thread, NULL, work, worker))
			break;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct team *
team_new(int n)
{
	struct team *team = calloc(1, sizeof(*team));

	if (!team)
		return NULL;
	team->workers = calloc((size_t)n, sizeof(*team->workers));
	if (!team->workers) {
		free(team);
		return NULL;
	}
	pthread_mutex_init(&team->lock, NULL);
	pthread_cond_init(&team->wake, NULL);
	pthread_cond_init(&team->done, NULL);
	start_threads(team, n);
	return team;
}

static void
announce(struct team *team)
{
	pthread_mutex_lock(&team->lock);
	atomic_fetch_add_explicit(&team->number, 1, memory_order_acq_rel);
	pthread_cond_broadcast(&team->wake);
	pthread_mutex_unlock(&team->lock);
}

void
team_free(struct team *team)
{
	if (!team)
		return;
	team->over = true;
	announce(team);
	for (int i = 1; i < team->n; i++)
		pthread_join(team->workers[i].thread, NULL);
	pthread_mutex_destroy(&team->lock);
	pthread_cond_destroy(&team->wake);
	pthread_cond_destroy(&team->done);
	free(team->workers);
	free(team);
}

int
team_size(const struct team *team)
{
	return team->n;
}

void
team_run(struct team *team, size_t pieces, team_work piece, void *context)
{
	if (pieces <= 1 || team->n == 1) {
		for (size_t i = 0; i < pieces; i++)
			piece(context, i, 0);
		return;
	}
	team->job = (struct job){ piece, context, pieces };
	atomic_store_explicit(&team->next, 0, memory_order_relaxed);
	atomic_store_explicit(&team->busy, team->n - 1, memory_order_relaxed);
	announce(team);
	take_pieces(team, 0);
	for (int i = 0; i < LOOKS && atomic_load_explicit(&team->busy, memory_order_acquire); i++)
		pause_briefly();
	pthread_mutex_lock(&team->lock);
	while (atomic_load_explicit(&team->busy, memory_order_acquire))
		pthread_cond_wait(&team->done, &team->lock);
	pthread_mutex_unlock(&team->lock);
}
