#include "config.h"

#include "kernels/team.h"

#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Looks before a thread goes to sleep: about as long as waking it takes. */
enum { LOOKS = 10000, LINE = 64, PIECE_BITS = 32 };

struct worker {
	struct team *team;
	int index;
	pthread_t thread;
};

/* A piece is taken by raising the lower half of `ticket`, while that is below the upper one, the number of pieces. Whoever holds a piece
 * keeps the job from ending, and reads it only then. So a thread that sleeps, or that the system has put aside, holds nobody up. */
struct team {
	int n;
	team_work work; /* of the job; written while no piece is left */
	void *context;
	alignas(LINE) atomic_uint_least64_t ticket;
	alignas(LINE) atomic_size_t done; /* pieces */
	alignas(LINE) atomic_int sleepers;
	atomic_bool waiting; /* the caller sleeps */
	atomic_bool over;
	pthread_mutex_t lock;
	pthread_cond_t wake, finished;
	struct worker *workers; /* n, the first one the caller's */
};

static bool
take_piece(struct team *team, size_t *ret)
{
	uint64_t ticket = atomic_load_explicit(&team->ticket, memory_order_relaxed);

	do {
		*ret = (size_t)(ticket & UINT32_MAX);
		if (*ret >= ticket >> PIECE_BITS)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&team->ticket, &ticket, ticket + 1, memory_order_acquire, memory_order_relaxed));
	return true;
}

static size_t
do_pieces(struct team *team, int worker)
{
	size_t piece, n = 0;

	for (; take_piece(team, &piece); n++)
		team->work(team->context, piece, worker);
	return n;
}

static void
pause_briefly(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

static bool
has_work(struct team *team)
{
	uint64_t ticket = atomic_load(&team->ticket);

	return (ticket & UINT32_MAX) < ticket >> PIECE_BITS || atomic_load(&team->over);
}

/* Until there is a piece, or the team ends. */
static void
await_work(struct team *team)
{
	for (int i = 0; i < LOOKS; i++) {
		if (has_work(team))
			return;
		pause_briefly();
	}
	pthread_mutex_lock(&team->lock);
	atomic_fetch_add(&team->sleepers, 1);
	while (!has_work(team))
		pthread_cond_wait(&team->wake, &team->lock);
	atomic_fetch_sub(&team->sleepers, 1);
	pthread_mutex_unlock(&team->lock);
}

static void *
work(void *context)
{
	struct worker *self = context;
	struct team *team = self->team;

	while (!atomic_load(&team->over)) {
		size_t n = do_pieces(team, self->index);

		if (!n) {
			await_work(team);
			continue;
		}
		atomic_fetch_add(&team->done, n);
		if (atomic_load(&team->waiting)) {
			pthread_mutex_lock(&team->lock);
			pthread_cond_signal(&team->finished);
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
	struct team *team = aligned_alloc(LINE, sizeof(*team));

	if (!team)
		return NULL;
	memset(team, 0, sizeof(*team));
	team->workers = calloc((size_t)n, sizeof(*team->workers));
	if (!team->workers) {
		free(team);
		return NULL;
	}
	pthread_mutex_init(&team->lock, NULL);
	pthread_cond_init(&team->wake, NULL);
	pthread_cond_init(&team->finished, NULL);
	start_threads(team, n);
	return team;
}

static void
wake_all(struct team *team)
{
	pthread_mutex_lock(&team->lock);
	pthread_cond_broadcast(&team->wake);
	pthread_mutex_unlock(&team->lock);
}

void
team_free(struct team *team)
{
	if (!team)
		return;
	atomic_store(&team->over, true);
	wake_all(team);
	for (int i = 1; i < team->n; i++)
		pthread_join(team->workers[i].thread, NULL);
	pthread_mutex_destroy(&team->lock);
	pthread_cond_destroy(&team->wake);
	pthread_cond_destroy(&team->finished);
	free(team->workers);
	free(team);
}

int
team_size(const struct team *team)
{
	return team->n;
}

/* Until the other threads have done `others` pieces. */
static void
await_others(struct team *team, size_t others)
{
	for (int i = 0; i < LOOKS; i++) {
		if (atomic_load_explicit(&team->done, memory_order_acquire) == others)
			return;
		pause_briefly();
	}
	pthread_mutex_lock(&team->lock);
	atomic_store(&team->waiting, true);
	while (atomic_load(&team->done) != others)
		pthread_cond_wait(&team->finished, &team->lock);
	atomic_store(&team->waiting, false);
	pthread_mutex_unlock(&team->lock);
}

void
team_run(struct team *team, size_t pieces, team_work piece, void *context)
{
	if (pieces <= 1 || team->n == 1 || pieces > UINT32_MAX) {
		for (size_t i = 0; i < pieces; i++)
			piece(context, i, 0);
		return;
	}
	team->work = piece;
	team->context = context;
	atomic_store_explicit(&team->done, 0, memory_order_relaxed);
	atomic_store(&team->ticket, (uint64_t)pieces << PIECE_BITS);
	if (atomic_load(&team->sleepers))
		wake_all(team);
	await_others(team, pieces - do_pieces(team, 0));
}
