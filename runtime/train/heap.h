/* A heap over a growing array (VEC): what is before all others comes out first.
 *
 *     HEAP(name, struct heap, struct item, is_before)
 *
 * makes name_push(heap, item) and name_pop(heap), which wants a heap that is not empty; is_before takes two pointers to items. They are
 * made where they are used, so that comparing costs no call. */
#ifndef RUNTIME_TRAIN_HEAP_H
#define RUNTIME_TRAIN_HEAP_H

#include <stddef.h>

#include "base/macros.h"

#define HEAP(name, heap_type, item_type, is_before) \
	static void name##_push(heap_type *heap, item_type new) \
	{ \
		size_t at = heap->n; \
\
		vec_push(heap, new); \
		for (; at && is_before(&new, &heap->items[(at - 1) / 2]); at = (at - 1) / 2) \
			heap->items[at] = heap->items[(at - 1) / 2]; \
		heap->items[at] = new; \
	} \
\
	static item_type name##_pop(heap_type *heap) \
	{ \
		item_type first = heap->items[0], last = heap->items[--heap->n]; \
		size_t at = 0, child; \
\
		while ((child = 2 * at + 1) < heap->n) { \
			if (child + 1 < heap->n && is_before(&heap->items[child + 1], &heap->items[child])) \
				child++; \
			if (!is_before(&heap->items[child], &last)) \
				break; \
			heap->items[at] = heap->items[child]; \
			at = child; \
		} \
		heap->items[at] = last; \
		return first; \
	}

#endif
