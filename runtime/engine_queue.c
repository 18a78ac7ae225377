#include "config.h"

#include <string.h>

#include "runtime/engine_private.h"

static bool
earlier(const struct timer *a, const struct timer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void
swap(struct timer *a, struct timer *b)
{
	struct timer old = *a;

	*a = *b;
	*b = old;
}

void
timers_add(struct timers *timers, struct timer timer)
{
	size_t at;

	timer.order = timers->orders++;
	vec_push(&timers->heap, timer);
	for (at = timers->heap.n - 1; at; at = (at - 1) / 2) {
		if (!earlier(&timers->heap.items[at], &timers->heap.items[(at - 1) / 2]))
			break;
		swap(&timers->heap.items[at], &timers->heap.items[(at - 1) / 2]);
	}
}

const struct timer *
timers_first(const struct timers *timers)
{
	return timers->heap.n ? &timers->heap.items[0] : NULL;
}

void
timers_drop_first(struct timers *timers)
{
	struct timer *heap = timers->heap.items;
	size_t n = --timers->heap.n, at = 0;

	heap[0] = heap[n];
	for (;;) {
		size_t least = at;

		for (size_t kid = at * 2 + 1; kid <= at * 2 + 2 && kid < n; kid++)
			if (earlier(&heap[kid], &heap[least]))
				least = kid;
		if (least == at)
			return;
		swap(&heap[at], &heap[least]);
		at = least;
	}
}

void
timers_release(struct timers *timers)
{
	vec_release(&timers->heap);
}

/* Moves what is left to the front once half of the storage is behind the head. */
void
queue_push(struct queue *queue, size_t item)
{
	if (queue->head && queue->head + queue->n == queue->cap && queue->head >= queue->cap / 2) {
		memmove(queue->items, queue->items + queue->head, queue->n * sizeof(*queue->items));
		queue->head = 0;
	}
	vec_reserve((void **)&queue->items, &queue->cap, queue->head + queue->n + 1, sizeof(*queue->items));
	queue->items[queue->head + queue->n++] = item;
}

bool
queue_pop(struct queue *queue, size_t *ret)
{
	if (!queue->n)
		return false;
	*ret = queue->items[queue->head++];
	if (!--queue->n)
		queue->head = 0;
	return true;
}
