/* Attention. A piece is one head of keys and values of one document, with the heads of queries that go with it: keys, values and a block
 * of queries are copied into rows of whole vectors, and the probabilities exist for that block of queries only. */

enum { QUERIES = 16, KEYS = 4 * LANES /* keys are taken in such steps */ };

struct attention {
	struct cpu *cpu;
	const struct ops_attention *a;
	const float *dout;
	float *dqkv;
};

struct factors {
	const float *a; /* element (row, k) is a[row * by_row + k * by_k] */
	size_t by_row, by_k;
	const float *b; /* rows of k, `by_b` apart */
	size_t by_b, k;
};

/* R rows of W vectors of c, kept in registers: both are constants where this is called. */
INLINE void
part_of_product(float *c, size_t by_c, const struct factors *f, size_t row, size_t column, bool add, const size_t R, const size_t W)
{
	const float *a = f->a + row * f->by_row, *b = f->b + column;
	const size_t by_row = f->by_row, by_k = f->by_k, by_b = f->by_b;
	vf sums[4][4];

	c += row * by_c + column;
#pragma GCC unroll 4
	for (size_t r = 0; r < R; r++)
#pragma GCC unroll 4
		for (size_t w = 0; w < W; w++)
			sums[r][w] = add ? load(c + r * by_c + w * LANES) : (vf){ 0 };
	for (size_t k = f->k; k; k--, a += by_k, b += by_b) {
#pragma GCC unroll 4
		for (size_t r = 0; r < R; r++)
#pragma GCC unroll 4
			for (size_t w = 0; w < W; w++)
				sums[r][w] += a[r * by_row] * load(b + w * LANES);
	}
#pragma GCC unroll 4
	for (size_t r = 0; r < R; r++)
#pragma GCC unroll 4
		for (size_t w = 0; w < W; w++)
			store(c + r * by_c + w * LANES, sums[r][w]);
}

/* c (m, n) = a b, or added to c. n is a multiple of LANES. */
static void
product(float *c, size_t by_c, struct factors f, size_t m, size_t n, bool add)
{
	for (size_t j = 0, wide; j < n; j += wide * LANES) {
		wide = n - j >= 4 * LANES ? 4 : n - j >= 2 * LANES ? 2 : 1;
		for (size_t i = 0, tall; i < m; i += tall) {
			tall = m - i >= 4 ? 4 : 1;
			if (tall == 4 && wide == 4)
				part_of_product(c, by_c, &f, i, j, add, 4, 4);
			else if (tall == 4 && wide == 2)
				part_of_product(c, by_c, &f, i, j, add, 4, 2);
			else if (tall == 4)
				part_of_product(c, by_c, &f, i, j, add, 4, 1);
			else if (wide == 4)
				part_of_product(c, by_c, &f, i, j, add, 1, 4);
			else if (wide == 2)
				part_of_product(c, by_c, &f, i, j, add, 1, 2);
			else
				part_of_product(c, by_c, &f, i, j, add, 1, 1);
		}
	}
}

/* One head of one document, in rows of whole vectors. */
struct head {
	const struct ops_attention *a;
	size_t start, T, h, pair, width; /* h: of the queries; pair: of keys and values; width: channels */
	size_t row; /* of qkv */
	size_t channels, keys; /* width and T, rounded up */
	float scale;
	float *k, *k_t, *v, *v_t; /* (T, channels), or transposed: (channels, keys) */
	float *q, *o; /* (QUERIES, channels) */
	float *p, *dp; /* (QUERIES, keys) */
	float *dk, *dv; /* (T, channels) */
};

static size_t
round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static size_t
head_floats(const struct ops_attention *a, bool backward)
{
	size_t channels = round_up(a->C / a->NH, LANES), keys = round_up(a->longest, KEYS);

	return (backward ? 6 : 2) * channels * keys + 2 * QUERIES * (channels + keys);
}

static void
lay_out(struct head *s, float *memory, bool backward)
{
	size_t size = s->channels * s->keys;
	float **const forward[] = { &s->k_t, &s->v };
	float **const more[] = { &s->k, &s->v_t, &s->dk, &s->dv };

	for (size_t i = 0; i < 2; i++, memory += size)
		*forward[i] = memory;
	for (size_t i = 0; backward && i < 4; i++, memory += size)
		*more[i] = memory;
	s->q = memory;
	s->o = s->q + QUERIES * s->channels;
	s->p = s->o + QUERIES * s->channels;
	s->dp = s->p + QUERIES * s->keys;
}

/* n rows of `width` numbers, `by` apart, into rows of whole vectors. */
static void
take_rows(float *to, size_t to_width, const float *from, size_t by, size_t width, size_t n, float scale)
{
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < to_width; c += LANES)
			store(to + i * to_width + c, c < width ? load_some(from + i * by + c, width - c) * scale : (vf){ 0 });
}

static void
take_columns(float *to, size_t keys, const float *from, size_t by, size_t width, size_t n)
{
	for (size_t c = 0; c < width; c++) {
		for (size_t i = 0; i < n; i++)
			to[c * keys + i] = from[i * by + c];
		memset(to + c * keys + n, 0, (keys - n) * sizeof(float));
	}
}

/* Part 0 is the query, 1 the key, 2 the value. */
static size_t
place_of(const struct head *s, size_t i, size_t part)
{
	size_t at = part ? s->a->C + ((part - 1) * s->a->NKV + s->pair) * s->width : s->h * s->width;

	return (s->start + i) * s->row + at;
}

static const float *
part_of(const struct head *s, size_t i, size_t part)
{
	return (const float *)s->a->qkv + place_of(s, i, part);
}

static bool
take_head(struct head *s, const struct attention *op, size_t piece, int worker, bool backward)
{
	const struct ops_attention *a = op->a;
	size_t document = piece / a->NKV, by = a->C + 2 * ops_key_channels(a->C, a->NH, a->NKV);
	float *memory;

	*s = (struct head){ .a = a, .start = (size_t)a->starts[document], .pair = piece % a->NKV, .width = a->C / a->NH, .row = by };
	s->T = (size_t)a->starts[document + 1] - s->start;
	s->channels = round_up(s->width, LANES);
	s->keys = round_up(s->T, KEYS);
	s->scale = 1 / sqrtf((float)s->width);
	memory = cpu_scratch(op->cpu, &op->cpu->own[worker], head_floats(a, backward) * sizeof(float));
	if (!memory || !s->T)
		return false;
	lay_out(s, memory, backward);
	take_columns(s->k_t, s->keys, part_of(s, 0, 1), by, s->width, s->T);
	take_rows(s->v, s->channels, part_of(s, 0, 2), by, s->width, s->T, 1);
	if (backward) {
		take_rows(s->k, s->channels, part_of(s, 0, 1), by, s->width, s->T, 1);
		take_columns(s->v_t, s->keys, part_of(s, 0, 2), by, s->width, s->T);
		memset(s->dk, 0, s->T * s->channels * sizeof(float));
		memset(s->dv, 0, s->T * s->channels * sizeof(float));
	}
	return true;
}

/* Multiplies n probabilities of a query with what dropout says. */
static void
drop(const struct head *s, size_t query, float *p, size_t n)
{
	for (size_t j = 0; s->a->dropout.rate > 0 && j < n; j += MASK_MAX) {
		size_t left = smaller(MASK_MAX, n - j);
		struct mask mask;
		const float *keep = mask_of(&mask, &s->a->dropout, ops_attention_element(s->start + query, s->a->NH, s->h, j), left);

		for (size_t c = 0; c < left; c += LANES)
			store_some(p + j + c, load_some(p + j + c, left - c) * load_some(keep + c, left - c), left - c);
	}
}

/* Scores of `rows` queries from query `first` on, into p. */
static void
scores(const struct head *s, size_t first, size_t rows)
{
	take_rows(s->q, s->channels, part_of(s, first, 0), s->row, s->width, rows, s->scale);
	product(s->p, s->keys, (struct factors){ s->q, s->channels, 1, s->k_t, s->keys, s->width }, rows, round_up(first + rows, LANES), false);
}

/* p = exp(p - by) for the keys that the query sees, zero up to `end`; their sum. */
static float
exps(float *p, size_t seen, size_t end, float by)
{
	vf sum = { 0 };

	for (size_t j = 0; j < end; j += LANES) {
		vf x = j < seen ? only(exp_of(load(p + j) - by), seen - j) : (vf){ 0 };

		store(p + j, x);
		sum += x;
	}
	return sum_of(sum);
}

static float
largest_of(const float *p, size_t n)
{
	float max = p[0];
	vf v = splat(max);
	size_t j = 0;

	for (; j + LANES <= n; j += LANES)
		v = larger(v, load(p + j));
	max = max_of(v);
	for (; j < n; j++)
		max = p[j] > max ? p[j] : max;
	return max;
}

static void
forward_block(const struct head *s, size_t first, size_t rows)
{
	size_t end = round_up(first + rows, LANES);

	scores(s, first, rows);
	for (size_t r = 0; r < rows; r++) {
		float *p = s->p + r * s->keys, max = largest_of(p, first + r + 1), sum = exps(p, first + r + 1, end, max);

		((float *)s->a->logsum)[(s->start + first + r) * s->a->NH + s->h] = max + logf(sum);
		for (size_t j = 0; j < end; j += LANES)
			store(p + j, load(p + j) / sum);
		drop(s, first + r, p, first + r + 1);
	}
	product(s->o, s->channels, (struct factors){ s->p, s->keys, 1, s->v, s->channels, first + rows }, rows, s->channels, false);
	for (size_t r = 0; r < rows; r++)
		memcpy((float *)s->a->out + (s->start + first + r) * s->a->C + s->h * s->width, s->o + r * s->channels,
			s->width * sizeof(float));
}

static void
forward_piece(void *context, size_t piece, int worker)
{
	const struct attention *op = context;
	const size_t group = op->a->NH / op->a->NKV;
	struct head s;

	if (!take_head(&s, op, piece, worker, false))
		return;
	for (s.h = s.pair * group; s.h < (s.pair + 1) * group; s.h++)
		for (size_t first = 0; first < s.T; first += QUERIES)
			forward_block(&s, first, smaller(QUERIES, s.T - first));
}

/* One query's row: p becomes what dropout left of the probabilities, dp the gradients of the scores. */
static void
backward_row(const struct head *s, size_t query, float *p, float *dp, const float *dout, size_t end)
{
	const struct ops_attention *a = s->a;
	const float *out = (const float *)a->out + (s->start + query) * a->C + s->h * s->width;
	float logsum = ((const float *)a->logsum)[(s->start + query) * a->NH + s->h], mean;
	vf sum = { 0 };

	for (size_t c = 0; c < s->width; c += LANES)
		sum += load_some(dout + c, s->width - c) * load_some(out + c, s->width - c);
	mean = sum_of(sum);
	exps(p, query + 1, end, logsum);
	drop(s, query, dp, query + 1);
	for (size_t j = 0; j < end; j += LANES)
		store(dp + j, j <= query ? only(load(p + j) * (load(dp + j) - mean), query + 1 - j) : (vf){ 0 });
	drop(s, query, p, query + 1);
}

static void
backward_block(const struct attention *op, const struct head *s, size_t first, size_t rows)
{
	size_t end = round_up(first + rows, LANES), C = s->a->C, seen = first + rows;
	const float *dout = op->dout + (s->start + first) * C + s->h * s->width;
	float *dq = op->dqkv + place_of(s, first, 0);

	scores(s, first, rows);
	take_rows(s->o, s->channels, dout, C, s->width, rows, 1);
	product(s->dp, s->keys, (struct factors){ s->o, s->channels, 1, s->v_t, s->keys, s->width }, rows, end, false);
	for (size_t r = 0; r < rows; r++)
		backward_row(s, first + r, s->p + r * s->keys, s->dp + r * s->keys, dout + r * C, end);
	product(s->dv, s->channels, (struct factors){ s->p, 1, s->keys, s->o, s->channels, rows }, seen, s->channels, true);
	product(s->dk, s->channels, (struct factors){ s->dp, 1, s->keys, s->q, s->channels, rows }, seen, s->channels, true);
	product(s->o, s->channels, (struct factors){ s->dp, s->keys, 1, s->k, s->channels, seen }, rows, s->channels, false);
	for (size_t r = 0; r < rows; r++)
		for (size_t c = 0; c < s->width; c += LANES)
			store_some(dq + r * s->row + c, load(s->o + r * s->channels + c) * s->scale, s->width - c);
}

static void
backward_piece(void *context, size_t piece, int worker)
{
	const struct attention *op = context;
	const size_t group = op->a->NH / op->a->NKV;
	struct head s;

	if (!take_head(&s, op, piece, worker, true))
		return;
	for (s.h = s.pair * group; s.h < (s.pair + 1) * group; s.h++)
		for (size_t first = 0; first < s.T; first += QUERIES)
			backward_block(op, &s, first, smaller(QUERIES, s.T - first));
	for (size_t i = 0; i < s.T; i++) {
		memcpy(op->dqkv + place_of(&s, i, 1), s.dk + i * s.channels, s.width * sizeof(float));
		memcpy(op->dqkv + place_of(&s, i, 2), s.dv + i * s.channels, s.width * sizeof(float));
	}
}

static void
attention_forward(struct ops_device *d, const struct ops_attention *a)
{
	struct attention op = { .cpu = (struct cpu *)d, .a = a };

	team_run(op.cpu->team, a->documents * a->NKV, forward_piece, &op);
}

static void
attention_backward(struct ops_device *d, const struct ops_attention *a, const void *dout, void *dqkv)
{
	struct attention op = { .cpu = (struct cpu *)d, .a = a, .dout = dout, .dqkv = dqkv };

	team_run(op.cpu->team, a->documents * a->NKV, backward_piece, &op);
}

/* ---- rotary positions ---- */

static void
rotate_head(float *x, const float *angles, size_t half, bool back)
{
	for (size_t c = 0; c < half; c += LANES) {
		size_t left = half - c;
		vf cosine = load_some(angles + c, left), sine = load_some(angles + half + c, left);
		vf first = load_some(x + c, left), second = load_some(x + half + c, left);

		sine = back ? -sine : sine;
		store_some(x + c, first * cosine - second * sine, left);
		store_some(x + half + c, second * cosine + first * sine, left);
	}
}

static void
rotate_piece(void *context, size_t piece, int worker)
{
	const struct ops_rotate *r = context;
	size_t D = r->C / r->NH, row = (r->NH + 2 * r->NKV) * D;

	(void)worker;
	for (size_t i = piece * ROWS_OF_PIECE; i < smaller(r->N, (piece + 1) * ROWS_OF_PIECE); i++)
		for (size_t h = 0; h < r->NH + r->NKV; h++)
			rotate_head((float *)r->qkv + i * row + h * D, (const float *)r->angles + (size_t)r->places[i] * D, D / 2, r->back);
}

static void
rotate(struct ops_device *d, const struct ops_rotate *r)
{
	struct ops_rotate copy = *r;

	each(d, r->N, ROWS_OF_PIECE, rotate_piece, &copy);
}
