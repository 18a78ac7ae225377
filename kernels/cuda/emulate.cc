#include "config.h"

#include "kernels/cuda/emulate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/cuda/emulate_fiber.h"

enum {
	THREADS_MAX = 1024, /* of a block */
	WARP = 32,
	COPIES_MAX = 256, /* that a thread has in flight */
	SHARED_PLAIN = 48 * 1024, /* dynamic shared memory that needs no leave */
	SHARED_MAX = 227 * 1024, /* of a block, on sm_80 163 KiB and on sm_90 227 */
	KERNELS_MAX = 64,
	POISON = 0xFF, /* four of them are a NaN, and two are one of bfloat16 */
};

enum thread_state { READY, AT_BARRIER, IN_MEETING, DONE };

struct copy {
	void *to;
	const void *from;
	bool valid;
	unsigned group;
};

struct thread {
	enum thread_state state;
	uint3 index;
	const char *file; /* of the barrier it waits at */
	int line;
	struct emulate_meeting *meeting;
	struct copy copies[COPIES_MAX];
	unsigned n_copies, group;
	struct fiber fiber;
};

/* One launch after the other, on one host thread: the state is one. */
static struct {
	enum emulate_order order;
	struct emulate_counts counts;
	bool failed;
	char failure[512];
	struct {
		const void *kernel;
		int bytes;
	} allowed[KERNELS_MAX];

	struct thread threads[THREADS_MAX];
	unsigned meeting[THREADS_MAX / WARP]; /* lanes of each warp that are in a meeting */
	unsigned n, current, waiting, done; /* of the block that runs */
	bool inside; /* a thread runs, not the host */
	unsigned long block; /* counts all blocks of all launches */
	struct emulate_place place;
	void *shared;
	void (*body)(void *);
	void *arg;
} now;

/* ---- threads ---- */

static struct thread *
self(void)
{
	return &now.threads[now.current];
}

/* Only the first one counts. Called by a thread, which does not go on. */
void
emulate_fail(const char *format, ...)
{
	if (!now.failed) {
		va_list args;

		now.failed = true;
		va_start(args, format);
		vsnprintf(now.failure, sizeof(now.failure), format, args);
		va_end(args);
	}
	if (now.inside) {
		self()->state = DONE;
		fiber_leave(&self()->fiber);
	}
}

const char *
emulate_base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

static void
release_barrier(void)
{
	now.waiting = 0;
	now.counts.barriers++;
	for (unsigned i = 0; i < now.n; i++)
		now.threads[i].state = READY;
}

void
emulate_syncthreads(const char *file, int line)
{
	struct thread *me = self();

	if (now.done)
		emulate_fail("%s:%d: thread %u waits at a barrier, and others have ended without it", emulate_base_name(file), line, now.current);
	for (unsigned i = 0; now.waiting && i < now.n; i++) {
		const struct thread *t = &now.threads[i];

		if (t->state == AT_BARRIER && (t->line != line || strcmp(t->file, file) != 0))
			emulate_fail("threads %u and %u are at different barriers, %s:%d and %s:%d", i, now.current, emulate_base_name(t->file), t->line,
				emulate_base_name(file), line);
		if (t->state == AT_BARRIER)
			break;
	}
	me->file = file;
	me->line = line;
	me->state = AT_BARRIER;
	if (++now.waiting == now.n)
		release_barrier();
	else
		fiber_pause(&me->fiber);
}

/* ---- warps ---- */

unsigned
emulate_lane(void)
{
	return now.current % WARP;
}

static bool
same_meeting(const struct emulate_meeting *a, const struct emulate_meeting *b)
{
	return a->run == b->run && a->mask == b->mask && a->line == b->line && (a->file == b->file || strcmp(a->file, b->file) == 0);
}

/* Whether all lanes of the mask have come to the same; those that never can are told. */
static bool
gather(const struct emulate_meeting *m, struct emulate_meeting *ret[WARP])
{
	struct thread *warp = &now.threads[now.current - emulate_lane()];
	bool all = true;

	for (unsigned lane = 0; lane < WARP; lane++) {
		const struct thread *t = &warp[lane];
		struct emulate_meeting *other = lane == emulate_lane() || t->state == IN_MEETING ? t->meeting : NULL;

		ret[lane] = NULL;
		if (!(m->mask >> lane & 1))
			continue;
		if (now.current - emulate_lane() + lane >= now.n)
			emulate_fail("%s:%d: %s concerns lane %u, which this block has not", emulate_base_name(m->file), m->line, m->what, lane);
		if (t->state == DONE)
			emulate_fail("%s:%d: %s waits for lane %u, which has ended", emulate_base_name(m->file), m->line, m->what, lane);
		if (t->state == AT_BARRIER)
			emulate_fail("%s:%d: %s waits for lane %u, which is at the barrier of %s:%d", emulate_base_name(m->file), m->line,
				m->what, lane, emulate_base_name(t->file), t->line);
		if (other && other->mask >> emulate_lane() & 1 && !same_meeting(m, other))
			emulate_fail("%s:%d: lane %u is in %s of mask %08X, and lane %u in %s of mask %08X at %s:%d", emulate_base_name(m->file),
				m->line, emulate_lane(), m->what, m->mask, lane, other->what, other->mask, emulate_base_name(other->file),
				other->line);
		if (!other || !same_meeting(m, other))
			all = false;
		ret[lane] = other;
	}
	return all;
}

/* Most lanes find that others are missing, and need not look at each. */
void
emulate_meet(struct emulate_meeting *m)
{
	unsigned lane = emulate_lane(), *here = &now.meeting[now.current / WARP];
	struct thread *me = self(), *warp = me - lane;
	struct emulate_meeting *lanes[WARP];

	if (!(m->mask >> lane & 1))
		emulate_fail("%s:%d: %s is called by lane %u, which its mask %08X does not hold", emulate_base_name(m->file), m->line, m->what,
			lane, m->mask);
	me->meeting = m;
	*here |= 1u << lane;
	if ((*here & m->mask) == m->mask && gather(m, lanes)) {
		m->run(lanes, m->mask);
		*here &= ~m->mask;
		for (unsigned i = 0; i < WARP; i++)
			if (m->mask >> i & 1)
				warp[i].state = READY;
		return;
	}
	me->state = IN_MEETING;
	fiber_pause(&me->fiber);
}

void
emulate_nothing(struct emulate_meeting *const lanes[32], unsigned mask)
{
	(void)lanes;
	(void)mask;
}

void
emulate_shuffle(struct emulate_meeting *const lanes[32], unsigned mask)
{
	for (unsigned lane = 0; lane < WARP; lane++) {
		if (!(mask >> lane & 1))
			continue;
		if (!(mask >> lanes[lane]->source & 1))
			emulate_fail("%s:%d: lane %u reads lane %u, which is not in the mask %08X", emulate_base_name(lanes[lane]->file), lanes[lane]->line,
				lane, lanes[lane]->source, mask);
		memcpy(lanes[lane]->out, lanes[lanes[lane]->source]->in, lanes[lane]->size);
	}
}

void
emulate_ballot(struct emulate_meeting *const lanes[32], unsigned mask)
{
	unsigned votes = 0;

	for (unsigned lane = 0; lane < WARP; lane++)
		if (mask >> lane & 1 && *(const int *)lanes[lane]->in)
			votes |= 1u << lane;
	for (unsigned lane = 0; lane < WARP; lane++)
		if (mask >> lane & 1)
			*(unsigned *)lanes[lane]->out = votes;
}

/* ---- shared memory ---- */

const struct emulate_place *
emulate_here(void)
{
	return &now.place;
}

void *
dynamic_shared(void)
{
	return now.shared;
}

void
emulate_shared(void *at, size_t bytes, unsigned long *block)
{
	if (*block == now.block)
		return;
	*block = now.block;
	memset(at, POISON, bytes);
}

void
emulate_copy_async(void *to, const void *from, bool valid, const char *file, int line)
{
	struct thread *me = self();

	if ((uintptr_t)to % 16 || (uintptr_t)from % 16)
		emulate_fail("%s:%d: an asynchronous copy of thread %u is not aligned to 16 bytes", emulate_base_name(file), line, now.current);
	if (me->n_copies == COPIES_MAX)
		emulate_fail("%s:%d: thread %u has more than %d copies in flight", emulate_base_name(file), line, now.current, COPIES_MAX);
	me->copies[me->n_copies++] = { to, from, valid, me->group };
	memset(to, POISON, 16);
}

void
emulate_copy_commit(void)
{
	self()->group++;
}

/* As late as it may happen. */
void
emulate_copy_wait(int left)
{
	struct thread *me = self();
	unsigned kept = 0;

	for (unsigned i = 0; i < me->n_copies; i++) {
		const struct copy c = me->copies[i];

		if (c.group + (unsigned)left >= me->group)
			me->copies[kept++] = c;
		else if (c.valid)
			memcpy(c.to, c.from, 16);
		else
			memset(c.to, 0, 16);
	}
	me->n_copies = kept;
}

/* ---- launches ---- */

static void
run_thread(void)
{
	fiber_entered();
	now.body(now.arg);
	if (self()->n_copies)
		emulate_fail("thread %u ends with copies in flight", now.current);
	if (now.waiting)
		emulate_fail("thread %u ends, and others wait at a barrier", now.current);
	self()->state = DONE;
	now.done++;
	fiber_leave(&self()->fiber);
}

static void
prepare(struct thread *t, unsigned i)
{
	dim3 d = now.place.threads;

	t->state = READY;
	t->index = { i % d.x, i / d.x % d.y, i / d.x / d.y };
	t->meeting = NULL;
	t->n_copies = t->group = 0;
	fiber_start(&t->fiber, run_thread);
}

/* Nobody can go on. */
static void
deadlock(void)
{
	struct emulate_meeting *lanes[WARP];

	for (now.current = 0; now.current < now.n; now.current++)
		if (self()->state == IN_MEETING)
			gather(self()->meeting, lanes);
	for (unsigned i = 0; i < now.n; i++) {
		const struct thread *t = &now.threads[i];

		if (t->state == IN_MEETING)
			emulate_fail("%s:%d: thread %u waits in %s of mask %08X for lanes that do not come", emulate_base_name(t->meeting->file),
				t->meeting->line, i, t->meeting->what, t->meeting->mask);
		if (t->state == AT_BARRIER)
			emulate_fail("%s:%d: thread %u waits at a barrier to which not all come", emulate_base_name(t->file), t->line, i);
	}
}

static unsigned
in_order(unsigned k, unsigned n)
{
	return now.order == EMULATE_FORWARD ? k : n - 1 - k;
}

/* Runs the lanes of a warp until none can go on: as far ahead of the others as a warp can come. False: none could. */
static bool
run_warp(unsigned first, unsigned lanes)
{
	bool ret = false, ran;

	do {
		ran = false;
		for (unsigned k = 0; k < lanes && !now.failed; k++) {
			now.current = first + in_order(k, lanes);
			if (self()->state != READY)
				continue;
			ran = ret = true;
			now.place.thread = self()->index;
			now.inside = true;
			fiber_resume(&self()->fiber);
			now.inside = false;
		}
	} while (ran);
	return ret;
}

static void
run_block(void)
{
	unsigned warps = (now.n + WARP - 1) / WARP;

	now.block++;
	now.counts.blocks++;
	now.waiting = now.done = 0;
	memset(now.meeting, 0, sizeof(now.meeting));
	for (unsigned i = 0; i < now.n; i++)
		prepare(&now.threads[i], i);
	while (now.done < now.n && !now.failed) {
		bool ran = false;

		for (unsigned k = 0; k < warps && !now.failed; k++) {
			unsigned first = in_order(k, warps) * WARP;

			ran |= run_warp(first, now.n - first < WARP ? now.n - first : (unsigned)WARP);
		}
		if (!ran)
			deadlock();
	}
}

static int
allowed_shared(const void *kernel)
{
	for (unsigned i = 0; i < KERNELS_MAX && now.allowed[i].kernel; i++)
		if (now.allowed[i].kernel == kernel)
			return now.allowed[i].bytes;
	return SHARED_PLAIN;
}

void
emulate_launch(const void *kernel, dim3 grid, dim3 block, size_t shared, void (*body)(void *), void *arg)
{
	size_t blocks = (size_t)grid.x * grid.y * grid.z;

	if (now.failed)
		return;
	now.n = block.x * block.y * block.z;
	if (!now.n || now.n > THREADS_MAX || !blocks || grid.y > 65535 || grid.z > 65535 || grid.x > 2147483647)
		emulate_fail("a launch of %u x %u x %u blocks of %u threads", grid.x, grid.y, grid.z, now.n);
	if (shared > (size_t)allowed_shared(kernel))
		emulate_fail("a launch with %zu bytes of dynamic shared memory, of which the kernel may have %d", shared, allowed_shared(kernel));
	now.counts.launches++;
	now.place.threads = block;
	now.place.blocks = grid;
	now.body = body;
	now.arg = arg;
	for (size_t b = 0; b < blocks && !now.failed; b++) {
		size_t i = now.order == EMULATE_FORWARD ? b : blocks - 1 - b;

		if (posix_memalign(&now.shared, 128, shared ? shared : 1) != 0)
			abort();
		memset(now.shared, POISON, shared);
		now.place.block = { (unsigned)(i % grid.x), (unsigned)(i / grid.x % grid.y), (unsigned)(i / grid.x / grid.y) };
		run_block();
		free(now.shared);
	}
}

/* ---- the host's side ---- */

cudaError_t
emulate_allow_shared(const void *kernel, int bytes)
{
	if (bytes < 0 || bytes > SHARED_MAX)
		return cudaErrorInvalidValue;
	for (unsigned i = 0; i < KERNELS_MAX; i++)
		if (!now.allowed[i].kernel || now.allowed[i].kernel == kernel) {
			now.allowed[i].kernel = kernel;
			now.allowed[i].bytes = bytes;
			return cudaSuccess;
		}
	return cudaErrorInvalidValue;
}

cudaError_t
cudaMalloc(void **ret, size_t bytes)
{
	*ret = malloc(bytes ? bytes : 1);
	if (!*ret)
		return cudaErrorMemoryAllocation;
	memset(*ret, POISON, bytes);
	return cudaSuccess;
}

cudaError_t
cudaFree(void *memory)
{
	free(memory);
	return cudaSuccess;
}

cudaError_t
cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind, cudaStream_t)
{
	if (bytes)
		memcpy(to, from, bytes);
	return cudaSuccess;
}

cudaError_t
cudaMemsetAsync(void *at, int value, size_t bytes, cudaStream_t)
{
	if (bytes)
		memset(at, value, bytes);
	return cudaSuccess;
}

cudaError_t
cudaStreamSynchronize(cudaStream_t)
{
	return cudaPeekAtLastError();
}

cudaError_t
cudaPeekAtLastError(void)
{
	return now.failed ? cudaErrorLaunchFailure : cudaSuccess;
}

/* A failed launch stays failed, as it does on a device. */
cudaError_t
cudaGetLastError(void)
{
	return cudaPeekAtLastError();
}

const char *
cudaGetErrorString(cudaError_t error)
{
	if (error == cudaErrorLaunchFailure)
		return now.failure;
	return error == cudaErrorMemoryAllocation ? "out of memory" : error ? "invalid argument" : "no error";
}

void
emulate_order(enum emulate_order order)
{
	now.order = order;
}

const char *
emulate_failure(void)
{
	return now.failed ? now.failure : NULL;
}

void
emulate_clear(void)
{
	/* Threads that a failure left in the middle never left their frames. */
	for (unsigned i = 0; now.failed && i < THREADS_MAX; i++)
		fiber_wipe(&now.threads[i].fiber);
	now.failed = false;
	now.counts = {};
}

struct emulate_counts *
emulate_counters(void)
{
	return &now.counts;
}
