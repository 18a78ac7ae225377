#include "config.h"

#include "dsl/diag.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/macros.h"

static const struct diag_info INFOS[] = {
#define DIAG(code, severity, title, explanation) { #code, severity, title, explanation },
#include "dsl/errors.def"
#undef DIAG
};

const struct diag_info *
diag_info(enum diag_code code)
{
	if ((size_t)code >= ARRAY_LEN(INFOS))
		BUG("diagnostic code %d", (int)code);
	return &INFOS[code];
}

const struct diag_info *
diag_info_by_name(const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(INFOS); i++)
		if (!strcasecmp(INFOS[i].code, code))
			return &INFOS[i];
	return NULL;
}

void
diags_init(struct diags *diags)
{
	*diags = (struct diags){ .arena = arena_new() };
}

void
diags_release(struct diags *diags)
{
	for (size_t i = 0; i < diags->n_sources; i++)
		source_unref(diags->sources[i]);
	free(diags->sources);
	free(diags->items);
	arena_free(diags->arena);
	*diags = (struct diags){ 0 };
}

/* Sources are few, and the latest is nearly always the one asked for. */
static void
hold_source(struct diags *diags, struct source *source)
{
	if (!source)
		return;
	for (size_t i = diags->n_sources; i > 0; i--)
		if (diags->sources[i - 1] == source)
			return;
	vec_reserve((void **)&diags->sources, &diags->cap_sources, diags->n_sources + 1, sizeof(*diags->sources));
	diags->sources[diags->n_sources++] = source_ref(source);
}

static void
count(struct diags *diags, enum severity severity)
{
	if (severity == SEVERITY_ERROR)
		diags->n_errors++;
	else
		diags->n_warnings++;
}

/* Past the ceiling one problem behind the last is handed out again and again, and nothing is written into it. */
static struct diag *
spare(struct diags *diags)
{
	return diags->items[DIAGS_MAX];
}

static bool
is_spare(const struct diags *diags, const struct diag *diag)
{
	return diags->n == DIAGS_MAX && diag == diags->items[DIAGS_MAX];
}

static struct diag *
add(struct diags *diags, enum diag_code code, struct span span)
{
	struct diag *diag = arena_new_struct(diags->arena, struct diag);

	if (!diags->items) {
		vec_reserve((void **)&diags->items, &diags->cap, DIAGS_MAX + 1, sizeof(struct diag *));
		diags->items[DIAGS_MAX] = arena_new_struct(diags->arena, struct diag);
	}
	diag->code = code;
	diag->severity = diag_info(code)->severity;
	diag->span = span;
	hold_source(diags, span.source);
	diags->items[diags->n++] = diag;
	return diag;
}

struct diag *
diags_add(struct diags *diags, enum diag_code code, struct span span, const char *format, ...)
{
	struct diag *diag;
	va_list args;

	count(diags, diag_info(code)->severity);
	if (diags->n == DIAGS_MAX)
		return spare(diags);
	diag = add(diags, code, span);
	va_start(args, format);
	diag->message = arena_vprintf(diags->arena, format, args);
	va_end(args);
	return diag;
}

/* Room for one more item of an array that lives in the arena. */
static void *
grow(struct arena *arena, void *items, size_t n, size_t *cap, size_t item_size)
{
	void *more;

	if (n < *cap)
		return items;
	*cap = *cap ? *cap * 2 : 2;
	more = arena_alloc(arena, *cap * item_size);
	if (n)
		memcpy(more, items, n * item_size);
	return more;
}

void
diag_primary(struct diags *diags, struct diag *diag, const char *format, ...)
{
	va_list args;

	if (is_spare(diags, diag))
		return;
	va_start(args, format);
	diag->label = arena_vprintf(diags->arena, format, args);
	va_end(args);
}

void
diag_label(struct diags *diags, struct diag *diag, struct span span, const char *format, ...)
{
	va_list args;

	if (is_spare(diags, diag))
		return;
	hold_source(diags, span.source);
	diag->labels = grow(diags->arena, diag->labels, diag->n_labels, &diag->cap_labels, sizeof(*diag->labels));
	va_start(args, format);
	diag->labels[diag->n_labels++] =
		(struct diag_label){ .span = span, .text = arena_vprintf(diags->arena, format, args) };
	va_end(args);
}

void
diag_note(struct diags *diags, struct diag *diag, const char *format, ...)
{
	va_list args;

	if (is_spare(diags, diag))
		return;
	diag->notes = grow(diags->arena, diag->notes, diag->n_notes, &diag->cap_notes, sizeof(*diag->notes));
	va_start(args, format);
	diag->notes[diag->n_notes++] = arena_vprintf(diags->arena, format, args);
	va_end(args);
}

void
diag_help(struct diags *diags, struct diag *diag, const char *format, ...)
{
	va_list args;

	if (is_spare(diags, diag))
		return;
	diag->helps = grow(diags->arena, diag->helps, diag->n_helps, &diag->cap_helps, sizeof(*diag->helps));
	va_start(args, format);
	diag->helps[diag->n_helps++] = arena_vprintf(diags->arena, format, args);
	va_end(args);
}

void
diag_fix(struct diags *diags, struct diag *diag, struct span span, enum certainty certainty, const char *replacement)
{
	if (is_spare(diags, diag))
		return;
	hold_source(diags, span.source);
	diag->fixes = grow(diags->arena, diag->fixes, diag->n_fixes, &diag->cap_fixes, sizeof(*diag->fixes));
	diag->fixes[diag->n_fixes++] = (struct diag_fix){
		.span = span,
		.replacement = arena_strdup(diags->arena, replacement),
		.certainty = certainty,
	};
}

struct ranked {
	struct diag *diag;
	size_t source; /* in the order in which sources were first named; those of no place come first */
	size_t index;
};

static size_t
source_rank(const struct diags *diags, const struct source *source)
{
	for (size_t i = 0; i < diags->n_sources; i++)
		if (diags->sources[i] == source)
			return i + 1;
	return 0;
}

static int
by_place(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	if (x->diag->span.start != y->diag->span.start)
		return x->diag->span.start < y->diag->span.start ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

void
diags_sort(struct diags *diags)
{
	struct ranked *ranked = xcalloc(diags->n + 1, sizeof(*ranked));

	for (size_t i = 0; i < diags->n; i++)
		ranked[i] = (struct ranked){ diags->items[i], source_rank(diags, diags->items[i]->span.source), i };
	qsort(ranked, diags->n, sizeof(*ranked), by_place);
	for (size_t i = 0; i < diags->n; i++)
		diags->items[i] = ranked[i].diag;
	free(ranked);
}
