#include "config.h"

#include "tests/dsl/graph_fixtures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

const char *const graph_fixture_names[GRAPH_FIXTURES] = {
	"chain", "diamond", "fan", "layered", "ifs", "loops", "codelab", "two", "long", "bipartite", "one", "empty",
};

/* Small graphs in words: `(` opens a group, `)` closes it, a name is a box, `a>b` an edge (`@0` is the first group after the
 * pipeline itself). */
static const struct {
	const char *name, *text;
} written[] = {
	{ "chain", "a b c d e f a>b b>c c>d d>e e>f" },
	{ "diamond", "a b c d a>b a>c b>d c>d" },
	{ "ifs",
	  "load ( check ( fix again ) ( ( deep ) other ) report ) done "
	  "load>check check>fix fix>again check>@1 check>@2 check>other other>@3 other>deep load>deep "
	  "again>report deep>report report>done load>done" },
	{ "loops",
	  "list common ( get clean ) ( train ( score plot ) best ) merge show "
	  "list>get get>clean common>clean list>@0 clean>merge list>@1 common>train train>score score>plot train>plot "
	  "plot>best common>score best>merge merge>show common>show" },
	{ "codelab", "copydata train serve ( webapp ) copydata>train train>serve train>@0 serve>webapp" },
	{ "two", "a b c d p q r s t a>b a>c b>d c>d p>q p>r q>s r>s r>t q>t" },
	{ "long",
	  "a b c d e f g h x y a>b b>c c>d d>e e>f f>g g>h a>h a>e b>g c>h b>f x>d x>h y>h a>y y>g c>y" },
	{ "bipartite",
	  "a b c d e f p q r s t u a>u a>q a>s b>p b>t c>p c>r c>u d>q d>t d>s e>r e>p e>u f>q f>s f>t f>p b>r d>u" },
	{ "one", "only" },
	{ "empty", "" },
};

struct builder {
	struct arena *arena;
	VEC(struct layout_node) nodes;
	VEC(struct layout_edge) edges;
	uint32_t random;
};

static uint32_t
add_node(struct builder *b, uint32_t parent, int32_t width)
{
	vec_push(&b->nodes, ((struct layout_node){ .parent = parent, .width = width, .height = 56 }));
	return (uint32_t)b->nodes.n - 1;
}

static uint32_t
add_group(struct builder *b, uint32_t parent, int32_t width)
{
	vec_push(&b->nodes, ((struct layout_node){ .parent = parent, .group = true, .width = width, .height = width ? 24 : 0 }));
	return (uint32_t)b->nodes.n - 1;
}

static void
add_edge(struct builder *b, uint32_t from, uint32_t to)
{
	vec_push(&b->edges, ((struct layout_edge){ .from = from, .to = to }));
}

static struct layout *
finish(struct builder *b)
{
	struct layout *layout = arena_new_struct(b->arena, struct layout);

	layout->n_nodes = (uint32_t)b->nodes.n;
	layout->n_edges = (uint32_t)b->edges.n;
	layout->nodes = arena_copy(b->arena, b->nodes.items, b->nodes.n * sizeof *b->nodes.items);
	layout->edges = arena_copy(b->arena, b->edges.items, b->edges.n * sizeof *b->edges.items);
	vec_release(&b->nodes);
	vec_release(&b->edges);
	return layout;
}

/* ---- written ones ---- */

struct name {
	char text[16];
	uint32_t node;
};

static uint32_t
find_name(const struct name *names, size_t n, const char *text, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(names[i].text) == len && !strncmp(names[i].text, text, len))
			return names[i].node;
	BUG("no box `%.*s` in the fixture", (int)len, text);
}

static struct layout *
from_text(struct builder *b, const char *text)
{
	struct name names[64];
	size_t n = 0, groups = 0;
	uint32_t in = 0;

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t len = strcspn(text, " ");
		const char *arrow = memchr(text, '>', len);

		if (*text == '(') {
			in = add_group(b, in, 120);
			snprintf(names[n].text, sizeof names[n].text, "@%zu", groups++);
			names[n++].node = in;
		} else if (*text == ')') {
			in = b->nodes.items[in].parent;
		} else if (arrow) {
			size_t before = (size_t)(arrow - text);

			add_edge(b, find_name(names, n, text, before), find_name(names, n, arrow + 1, len - before - 1));
		} else {
			snprintf(names[n].text, sizeof names[n].text, "%.*s", (int)len, text);
			names[n++].node = add_node(b, in, 140 + 8 * (int32_t)len);
		}
		text += len;
	}
	return finish(b);
}

/* ---- made ones ---- */

static uint32_t
below(struct builder *b, uint32_t n)
{
	b->random = b->random * 1664525u + 1013904223u;
	return (b->random >> 8) % n;
}

/* Layers of `width` boxes, each with 1 to 3 parents in the layer above, most of them near. */
static struct layout *
layered(struct builder *b, uint32_t n, uint32_t width)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t node = add_node(b, 0, 150 + 2 * (int32_t)below(b, 30)), layer = i / width, parents = 1 + below(b, 5) / 2;

		for (uint32_t k = 0; layer && k < parents; k++) {
			uint32_t near = (i % width + width + below(b, 7) - 3) % width;

			add_edge(b, 1 + (layer - 1) * width + (below(b, 8) ? near : below(b, width)), node);
		}
	}
	return finish(b);
}

static struct layout *
chain(struct builder *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (add_node(b, 0, 160) > 1)
			add_edge(b, i, i + 1);
	return finish(b);
}

/* One box, n between, one that waits for all. */
static struct layout *
fan(struct builder *b, uint32_t n)
{
	uint32_t first = add_node(b, 0, 160), last;

	for (uint32_t i = 0; i < n; i++)
		add_edge(b, first, add_node(b, 0, 160));
	last = add_node(b, 0, 160);
	for (uint32_t i = 0; i < n; i++)
		add_edge(b, first + 1 + i, last);
	return finish(b);
}

/* A chain whose every box also leads to the last one and to one far away: more bends than any drawing can hold. */
static struct layout *
long_edges(struct builder *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		add_node(b, 0, 160);
	for (uint32_t i = 1; i < n; i++) {
		add_edge(b, i, i + 1);
		add_edge(b, i, n);
		add_edge(b, i, i + 1 + below(b, n - i));
	}
	return finish(b);
}

static struct layout *
loose(struct builder *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		add_node(b, 0, 160);
	return finish(b);
}

/* Groups of ten in a row of chains, every fifth with a group in it. */
static struct layout *
groups(struct builder *b, uint32_t n)
{
	uint32_t start = add_node(b, 0, 160), before = start;

	for (uint32_t i = 0; i < n / 10; i++) {
		uint32_t group = add_group(b, 0, 200), inner = i % 5 ? group : add_group(b, group, 90), first = 0;

		for (uint32_t k = 0; k < 10; k++) {
			uint32_t node = add_node(b, k > 5 ? inner : group, 160);

			first = k ? first : node;
			add_edge(b, k ? first + below(b, k) : before, node);
		}
		add_edge(b, start, group);
		before = i % 3 ? first + 9 : start;
	}
	return finish(b);
}

static struct layout *
from_size(struct builder *b, const char *kind, uint32_t n)
{
	if (!strcmp(kind, "layered"))
		return layered(b, n, n < 100 ? 8 : 25);
	if (!strcmp(kind, "chain"))
		return chain(b, n);
	if (!strcmp(kind, "fan"))
		return fan(b, n);
	if (!strcmp(kind, "long"))
		return long_edges(b, n);
	if (!strcmp(kind, "loose"))
		return loose(b, n);
	if (!strcmp(kind, "groups"))
		return groups(b, n);
	return NULL;
}

struct layout *
graph_fixture(struct arena *arena, const char *name)
{
	struct builder b = { .arena = arena, .random = 2024 };
	const char *dash = strrchr(name, '-');
	char kind[16];

	add_group(&b, 0, 0);
	for (size_t i = 0; i < ARRAY_LEN(written); i++)
		if (!strcmp(written[i].name, name))
			return from_text(&b, written[i].text);
	if (!strcmp(name, "fan"))
		return fan(&b, 20);
	if (!strcmp(name, "layered"))
		return layered(&b, 60, 8);
	if (dash && dash - name < (int)sizeof kind) {
		unsigned long n = strtoul(dash + 1, NULL, 10);

		snprintf(kind, sizeof kind, "%.*s", (int)(dash - name), name);
		if (n && n <= 100000) {
			struct layout *layout = from_size(&b, kind, (uint32_t)n);

			if (layout)
				return layout;
		}
	}
	vec_release(&b.nodes);
	return NULL;
}
