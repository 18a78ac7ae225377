/* What attention keeps of earlier tokens, and attention of single rows over it. Kept is (slots, NKV, L, D), D the channels of a head: a head's
 * tokens lie one behind the other. A piece is one head of one row: LANES keys at a time, whose sums are turned into one vector, then all values. */

/* Of two vectors of sums, one with half as many elements for each: blocks of h are added to the next ones, those of a and b taking turns. */
#if LANES == 16
#define TURNS \
	TURN(8, (0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), (8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)) \
	TURN(4, (0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27), (4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31)) \
	TURN(2, (0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29), (2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)) \
	TURN(1, (0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30), (1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
#elif LANES == 8
#define TURNS \
	TURN(4, (0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)) \
	TURN(2, (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)) \
	TURN(1, (0, 8, 2, 10, 4, 12, 6, 14), (1, 9, 3, 11, 5, 13, 7, 15))
#else
#define TURNS \
	TURN(2, (0, 1, 4, 5), (2, 3, 6, 7)) \
	TURN(1, (0, 4, 2, 6), (1, 5, 3, 7))
#endif
#define LIST(...) __VA_ARGS__

/* Lane i: the sum of sums[i]. */
INLINE vf
sum_each(vf sums[LANES])
{
#define TURN(h, low, high) \
	for (size_t i = 0; i < (h); i++) \
		sums[i] = __builtin_shufflevector(sums[i], sums[i + (h)], LIST low) + __builtin_shufflevector(sums[i], sums[i + (h)], LIST high);
	TURNS
#undef TURN
	return sums[0];
}

typedef uint16_t halves __attribute__((vector_size(2 * LANES)));

/* To the nearest bfloat16, ties to even; NaN stays NaN. */
INLINE halves
halves_of(vf x)
{
	vu bits = (vu)x, nan = (vu)((vi)(bits & 0x7FFFFFFF) > 0x7F800000);

	return __builtin_convertvector(((nan & (bits | 0x400000)) | (~nan & (bits + 0x7FFF + (bits >> 16 & 1)))) >> 16, halves);
}

INLINE vf
load_halves(const uint16_t *at, size_t left)
{
	halves v = { 0 };

	if (left >= LANES)
		memcpy(&v, at, sizeof(v));
	else
		memcpy(&v, at, left * sizeof(*at));
	return (vf)(__builtin_convertvector(v, vu) << 16);
}

/* n numbers into what is kept, from place `at` on. */
static void
keep_some(const struct ops_keep *k, void *kept, size_t at, const float *from, size_t n)
{
	if (!k->halves) {
		memcpy((float *)kept + at, from, n * sizeof(float));
		return;
	}
	for (size_t c = 0; c < n; c += LANES) {
		halves v = halves_of(load_some(from + c, n - c));

		memcpy((uint16_t *)kept + at + c, &v, smaller(LANES, n - c) * sizeof(uint16_t));
	}
}

static void
keep(struct ops_device *d, const struct ops_keep *k)
{
	size_t D = k->C / k->NH, CK = k->NKV * D;

	(void)d;
	for (size_t i = 0; i < k->N; i++) {
		const float *key = (const float *)k->qkv + i * (k->C + 2 * CK) + k->C;
		size_t at = (size_t)k->slots[i] * k->L * CK + (size_t)k->at[i] * D;

		for (size_t h = 0; h < k->NKV; h++, key += D, at += k->L * D) {
			keep_some(k, k->keys, at, key, D);
			keep_some(k, k->values, at, key + CK, D);
		}
	}
}

struct decode {
	struct cpu *cpu;
	const struct ops_decode *a;
};

/* Where a head of token j of a row lies in keys or values. */
struct seen {
	const int32_t *from;
	size_t slot, head, width; /* numbers of a slot, those before the head, and of one token */
};

INLINE size_t
place_kept(const struct seen *s, size_t j)
{
	return (size_t)s->from[j] * s->slot + s->head + j * s->width;
}

/* Up to `left` of what is kept from a place on; `is_half` is a constant where these are called. */
INLINE vf
load_kept(const void *kept, size_t place, size_t left, const bool is_half)
{
	return is_half ? load_halves((const uint16_t *)kept + place, left) : load_some((const float *)kept + place, left);
}

/* q times n keys, at most LANES, from token j on. q has whole vectors, zeros behind the head's width. */
INLINE vf
scores_of(const float *q, const void *keys, const struct seen *s, size_t j, size_t n, const bool is_half)
{
	vf sums[LANES] = { 0 };

	for (size_t i = 0; i < n; i++) {
		size_t place = place_kept(s, j + i);
		vf sum = { 0 };

		for (size_t c = 0; c < s->width; c += LANES)
			sum += load(q + c) * load_kept(keys, place + c, s->width - c, is_half);
		sums[i] = sum;
	}
	return sum_each(sums);
}

/* W vectors of the values' sum, from channel c on, every other token apart from the ones between, so that they need not wait for each other. */
INLINE void
values_of(float *out, const float *p, float by, const void *values, const struct seen *s, size_t n, size_t c, const size_t W, const bool is_half)
{
	size_t left = s->width - c, j = 0;
	vf sums[2][4] = { 0 };

	for (; j + 1 < n; j += 2) {
		size_t first = place_kept(s, j) + c, second = place_kept(s, j + 1) + c;

#pragma GCC unroll 4
		for (size_t w = 0; w < W; w++) {
			sums[0][w] += p[j] * load_kept(values, first + w * LANES, left - w * LANES, is_half);
			sums[1][w] += p[j + 1] * load_kept(values, second + w * LANES, left - w * LANES, is_half);
		}
	}
#pragma GCC unroll 4
	for (size_t w = 0; w < W; w++) {
		vf sum = sums[0][w] + sums[1][w];

		if (j < n)
			sum += p[j] * load_kept(values, place_kept(s, j) + c + w * LANES, left - w * LANES, is_half);
		store_some(out + c + w * LANES, sum * by, left - w * LANES);
	}
}

INLINE void
decode_head(const struct ops_decode *a, size_t r, size_t h, float *p, const bool is_half)
{
	size_t width = a->C / a->NH, n = (size_t)a->at[r] + 1, end = round_up(n, LANES);
	struct seen s = { .from = a->from + (size_t)a->slots[r] * a->L, .slot = a->L * a->NKV * width,
		.head = h / (a->NH / a->NKV) * a->L * width, .width = width };
	float q[OPS_HEAD_MAX] = { 0 }, *out = (float *)a->out + r * a->C + h * width, by;

	memcpy(q, (const float *)a->qkv + r * (a->C + 2 * a->NKV * width) + h * width, width * sizeof(float));
	for (size_t j = 0; j < end; j += LANES)
		store(p + j, scores_of(q, a->keys, &s, j, smaller(LANES, n - j), is_half) * (1 / sqrtf((float)width)));
	by = 1 / exps(p, n, end, largest_of(p, n));
	for (size_t c = 0, step; c < width; c += step) {
		step = width - c >= 4 * LANES ? 4 * LANES : width - c >= 2 * LANES ? 2 * LANES : LANES;
		if (step == 4 * LANES)
			values_of(out, p, by, a->values, &s, n, c, 4, is_half);
		else if (step == 2 * LANES)
			values_of(out, p, by, a->values, &s, n, c, 2, is_half);
		else
			values_of(out, p, by, a->values, &s, n, c, 1, is_half);
	}
}

static void
decode_piece(void *context, size_t piece, int worker)
{
	const struct decode *op = context;
	const struct ops_decode *a = op->a;
	size_t r = piece / a->NH, h = piece % a->NH;
	float *p = cpu_scratch(op->cpu, &op->cpu->own[worker], round_up((size_t)a->at[r] + 1, LANES) * sizeof(float));

	if (p && a->halves)
		decode_head(a, r, h, p, true);
	else if (p)
		decode_head(a, r, h, p, false);
}

static void
decode_attention(struct ops_device *d, const struct ops_decode *a)
{
	struct decode op = { (struct cpu *)d, a };

	team_run(op.cpu->team, a->R * a->NH, decode_piece, &op);
}
