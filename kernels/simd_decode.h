/* Products with packed matrices, of one row or a few: what decoding consists of. A panel holds 4 vectors of columns, along k in the order
 * in which the innermost loop reads them, so that a row's product is one pass through memory. Every sum of a column and row has one
 * accumulator and runs over k in order: how many rows go together, and who takes which panel, changes no bit.
 *
 * Under OPS_PACK_BF16 two numbers along k lie side by side, under OPS_PACK_INT8 four. There a panel is cut into blocks of OPS_PACK_BLOCK,
 * each of which begins with its columns' scales. */

#define VNNI BF16 /* cpu.c asks for both */

#if LANES == 16
#define TALL_MOST 6
#else
#define TALL_MOST 3
#endif

enum {
	WIDE = 4 * LANES, /* columns of a panel */
	PIECES_A_THREAD = 4,
	PREPARED_ALONE = 16384, /* numbers of a that are prepared by the calling thread */
	HEAD = (VNNI ? 2 : 1) * WIDE * 4, /* bytes at the start of a block: scales and, with VNNI, what the sums begin with */
};

struct packed {
	struct cpu *cpu;
	const struct ops_packed *m;
	size_t panel, panels, of_piece; /* bytes of a panel; panels, and those of a piece */
	size_t units; /* along k: numbers, pairs or fours */
	const uint32_t *a; /* (M, units): a, rounded */
	const float *scales; /* (M, blocks) */
};

static size_t
units_of(enum ops_packing packing, size_t K)
{
	return pieces_of(K, packing == OPS_PACK_INT8 ? 4 : packing == OPS_PACK_BF16 ? 2 : 1);
}

static size_t
panel_bytes(enum ops_packing packing, size_t K)
{
	size_t numbers = units_of(packing, K) * WIDE * 4;

	return packing == OPS_PACK_INT8 ? numbers + pieces_of(K, OPS_PACK_BLOCK) * HEAD : numbers;
}

static size_t
packed_size(struct ops_device *d, const struct ops_pack *p)
{
	(void)d;
	return pieces_of(p->N, WIDE) * panel_bytes(p->packing, p->K);
}

/* ---- packing ---- */

struct packing {
	const struct ops_pack *p;
	char *to;
};

static float
number_at(const struct ops_pack *p, size_t k, size_t j)
{
	if (k >= p->K || j >= p->N)
		return 0;
	return ((const float *)p->b)[p->bt ? j * p->ldb + k : k * p->ldb + j];
}

static uint16_t
bf16_of(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof(bits));
	if ((bits & 0x7FFFFFFF) > 0x7F800000)
		return (uint16_t)(bits >> 16 | 0x40);
	return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/* A whole number from -127 to 127, of x times `inverse`, which is that at most. */
static int8_t
step_of(float x, float inverse)
{
	float shifted = x * inverse + 12582912.0f; /* 1.5 * 2^23: what is added to it is rounded to a whole number */
	uint32_t bits;

	memcpy(&bits, &shifted, sizeof(bits));
	return (int8_t)(uint8_t)bits;
}

/* One column of a block. What is no number spoils the scale. */
static void
pack_block(const struct ops_pack *p, size_t k, size_t j, char *block, size_t column)
{
	size_t n = smaller(OPS_PACK_BLOCK, p->K - k);
	float max = 0, bad = 0, scale, inverse;
	int32_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		float x = fabsf(number_at(p, k + i, j));

		max = x > max ? x : max;
		bad += x * 0;
	}
	scale = max / 127 + bad;
	inverse = max > 0 ? 127 / max : 0;
	for (size_t i = 0; i < pieces_of(n, 4) * 4; i++) {
		int8_t step = i < n ? step_of(number_at(p, k + i, j), inverse) : 0;

		sum += step;
		memcpy(block + HEAD + i / 4 * WIDE * 4 + column * 4 + i % 4, &step, 1);
	}
	sum *= -128;
	memcpy(block + column * 4, &scale, 4);
	if (VNNI)
		memcpy(block + (WIDE + column) * 4, &sum, 4);
}

static void
pack_matrix_piece(void *context, size_t piece, int worker)
{
	const struct packing *s = context;
	const struct ops_pack *p = s->p;
	char *to = s->to + piece * panel_bytes(p->packing, p->K);

	(void)worker;
	for (size_t column = 0; column < WIDE; column++) {
		size_t j = piece * WIDE + column;

		if (p->packing == OPS_PACK_INT8) {
			for (size_t k = 0; k < p->K; k += OPS_PACK_BLOCK)
				pack_block(p, k, j, to + k / OPS_PACK_BLOCK * (HEAD + OPS_PACK_BLOCK * WIDE), column);
			continue;
		}
		for (size_t k = 0; k < units_of(p->packing, p->K); k++) {
			float x = number_at(p, k, j);
			uint16_t pair[2];

			if (p->packing == OPS_PACK_BF16) {
				pair[0] = bf16_of(number_at(p, 2 * k, j));
				pair[1] = bf16_of(number_at(p, 2 * k + 1, j));
				memcpy(&x, pair, sizeof(x));
			}
			memcpy(to + (k * WIDE + column) * 4, &x, sizeof(x));
		}
	}
}

static void
pack_matrix(struct ops_device *d, const struct ops_pack *p, void *to)
{
	struct packing s = { p, to };

	team_run(((struct cpu *)d)->team, pieces_of(p->N, WIDE), pack_matrix_piece, &s);
}

/* ---- what becomes of a's rows ---- */

/* Pairs of bfloat16; a last odd one has a zero beside it. */
INLINE void
round_row(const float *from, size_t K, uint16_t *to)
{
	for (size_t k = 0; k < K; k += LANES) {
		halves v = halves_of(load_some(from + k, K - k));

		memcpy(to + k, &v, smaller(LANES, pieces_of(K - k, 2) * 2) * sizeof(*to));
	}
}

INLINE float
step_scale(const float *from, size_t n, float *ret_inverse)
{
	vf most = { 0 }, bad = { 0 };
	float max;

	for (size_t k = 0; k < n; k += LANES) {
		vf x = load_some(from + k, n - k);

		most = larger((vf)((vi)x & 0x7FFFFFFF), most);
		bad += x * 0;
	}
	max = max_of(most);
	*ret_inverse = max > 0 ? 127 / max : 0;
	return max / 127 + sum_of(bad);
}

/* Fours of bytes, with VNNI 128 above what they mean. */
INLINE void
step_row(const float *from, size_t K, uint8_t *to, float *scales)
{
	typedef uint8_t bytes __attribute__((vector_size(LANES)));

	for (size_t k0 = 0; k0 < K; k0 += OPS_PACK_BLOCK) {
		size_t end = smaller(K, k0 + OPS_PACK_BLOCK);
		float inverse;

		*scales++ = step_scale(from + k0, end - k0, &inverse);
		for (size_t k = k0; k < end; k += LANES) {
			vi whole = (vi)(load_some(from + k, end - k) * inverse + 12582912.0f) + (VNNI ? 128 : 0);
			bytes small = __builtin_convertvector((vu)whole & 0xFF, bytes);

			memcpy(to + k, &small, smaller(LANES, pieces_of(end - k, 4) * 4));
		}
	}
}

static void
prepare_piece(void *context, size_t row, int worker)
{
	const struct packed *s = context;
	const struct ops_packed *m = s->m;
	const float *from = (const float *)m->a + row * m->K;
	uint32_t *to = (uint32_t *)(uintptr_t)s->a + row * s->units;

	(void)worker;
	if (m->packing == OPS_PACK_INT8)
		step_row(from, m->K, (uint8_t *)to, (float *)(uintptr_t)s->scales + row * pieces_of(m->K, OPS_PACK_BLOCK));
	else
		round_row(from, m->K, (uint16_t *)to);
}

static bool
prepare(struct packed *s)
{
	const struct ops_packed *m = s->m;
	size_t n = m->M * s->units;

	if (m->packing == OPS_PACK_F32 || (m->packing == OPS_PACK_BF16 && !BF16)) {
		s->a = m->a;
		return true;
	}
	s->a = cpu_scratch(s->cpu, &s->cpu->shared, (n + m->M * pieces_of(m->K, OPS_PACK_BLOCK)) * 4);
	if (!s->a)
		return false;
	s->scales = (const float *)s->a + n;
	if (m->M * m->K > PREPARED_ALONE)
		team_run(s->cpu->team, m->M, prepare_piece, s);
	else
		for (size_t row = 0; row < m->M; row++)
			prepare_piece(s, row, 0);
	return true;
}

/* ---- multiplying ---- */

INLINE vf
load_vector(const void *at)
{
	return load((const float *)at);
}

INLINE void
leave_row(const struct ops_packed *m, size_t row, size_t j, const vf sums[4])
{
	float *c = (float *)m->c + row * m->N;

#pragma GCC unroll 4
	for (size_t w = 0; w < 4; w++, j += LANES) {
		vf x = sums[w];

		if (j >= m->N)
			return;
		if (m->bias)
			x += load_some((const float *)m->bias + j, m->N - j);
		store_some(c + j, x, m->N - j);
	}
}

/* R is a constant where these are called. */
INLINE void
rows_of_f32(const struct packed *s, const char *b, size_t row, size_t j, const size_t R)
{
	const float *a = (const float *)s->a + row * s->units;
	const size_t by = s->units;
	vf sums[TALL_MOST][4] = { 0 };

	for (size_t k = 0; k < by; k++, b += WIDE * 4) {
#pragma GCC unroll 4
		for (size_t w = 0; w < 4; w++) {
			vf x = load_vector(b + w * LANES * 4);

#pragma GCC unroll 8
			for (size_t r = 0; r < R; r++)
				sums[r][w] += a[r * by + k] * x;
		}
	}
#pragma GCC unroll 8
	for (size_t r = 0; r < R; r++)
		leave_row(s->m, row + r, j, sums[r]);
}

#if BF16
INLINE void
rows_of_bf16(const struct packed *s, const char *b, size_t row, size_t j, const size_t R)
{
	const uint32_t *a = s->a + row * s->units;
	const size_t by = s->units;
	vf sums[TALL_MOST][4] = { 0 };

	for (size_t k = 0; k < by; k++, b += WIDE * 4) {
#pragma GCC unroll 4
		for (size_t w = 0; w < 4; w++) {
			__m512bh x = (__m512bh)load_vector(b + w * LANES * 4);

#pragma GCC unroll 8
			for (size_t r = 0; r < R; r++)
				sums[r][w] = (vf)_mm512_dpbf16_ps((__m512)sums[r][w], (__m512bh)_mm512_set1_epi32((int)a[r * by + k]), x);
		}
	}
#pragma GCC unroll 8
	for (size_t r = 0; r < R; r++)
		leave_row(s->m, row + r, j, sums[r]);
}
#else
/* a stays as it is; b becomes single precision in registers. */
INLINE void
rows_of_bf16(const struct packed *s, const char *b, size_t row, size_t j, const size_t R)
{
	const size_t by = s->m->K;
	const float *a = (const float *)s->a + row * by;
	vf sums[TALL_MOST][4] = { 0 };

	for (size_t k = 0; k < by; k += 2, b += WIDE * 4) {
#pragma GCC unroll 4
		for (size_t w = 0; w < 4; w++) {
			vu pairs = (vu)load_vector(b + w * LANES * 4);
			vf first = (vf)(pairs << 16), second = (vf)(pairs & 0xFFFF0000);

#pragma GCC unroll 8
			for (size_t r = 0; r < R; r++) {
				sums[r][w] += a[r * by + k] * first;
				if (k + 1 < by)
					sums[r][w] += a[r * by + k + 1] * second;
			}
		}
	}
#pragma GCC unroll 8
	for (size_t r = 0; r < R; r++)
		leave_row(s->m, row + r, j, sums[r]);
}
#endif

/* Adds the products of four bytes of a, the same ones for all lanes, with those of b. Without VNNI pairs of products fit into 16 bits: b's
 * magnitudes times a's numbers with b's signs. */
INLINE vi
add_products(vi sums, uint32_t a, const char *b)
{
#if VNNI
	return (vi)_mm512_dpbusd_epi32((__m512i)sums, _mm512_set1_epi32((int)a), (__m512i)load_vector(b));
#elif LANES == 16
	__m512i x = (__m512i)load_vector(b), y = _mm512_set1_epi32((int)a);

	y = _mm512_mask_sub_epi8(y, _mm512_movepi8_mask(x), _mm512_setzero_si512(), y);
	x = _mm512_maddubs_epi16(_mm512_abs_epi8(x), y);
	return sums + (vi)_mm512_madd_epi16(x, _mm512_set1_epi16(1));
#elif LANES == 8
	__m256i x = (__m256i)load_vector(b), y = _mm256_sign_epi8(_mm256_set1_epi32((int)a), x);

	x = _mm256_maddubs_epi16(_mm256_abs_epi8(x), y);
	return sums + (vi)_mm256_madd_epi16(x, _mm256_set1_epi16(1));
#else
	const int8_t *numbers = (const int8_t *)b;
	int8_t steps[4];

	memcpy(steps, &a, sizeof(steps));
	for (int i = 0; i < LANES; i++)
		for (int t = 0; t < 4; t++)
			sums[i] += steps[t] * numbers[4 * i + t];
	return sums;
#endif
}

/* One block: its sums in whole numbers, then times the scales of both sides. */
INLINE void
block_of_int8(const struct packed *s, const char *b, size_t row, size_t k0, size_t end, vf sums[TALL_MOST][4], const size_t R)
{
	const size_t by = s->units, blocks = pieces_of(s->m->K, OPS_PACK_BLOCK);
	const uint32_t *a = s->a + row * by;
	const float *scales = s->scales + row * blocks + k0 / (OPS_PACK_BLOCK / 4);
	const char *head = b;
	vi whole[TALL_MOST][4];

#pragma GCC unroll 4
	for (size_t w = 0; w < 4; w++)
#pragma GCC unroll 8
		for (size_t r = 0; r < R; r++)
			whole[r][w] = VNNI ? (vi)load_vector(head + (WIDE + w * LANES) * 4) : (vi){ 0 };
	b += HEAD;
	for (size_t k = k0; k < end; k++, b += WIDE * 4) {
#pragma GCC unroll 4
		for (size_t w = 0; w < 4; w++)
#pragma GCC unroll 8
			for (size_t r = 0; r < R; r++)
				whole[r][w] = add_products(whole[r][w], a[r * by + k], b + w * LANES * 4);
	}
#pragma GCC unroll 4
	for (size_t w = 0; w < 4; w++)
#pragma GCC unroll 8
		for (size_t r = 0; r < R; r++)
			sums[r][w] += __builtin_convertvector(whole[r][w], vf) * (load_vector(head + w * LANES * 4) * scales[r * blocks]);
}

INLINE void
rows_of_int8(const struct packed *s, const char *b, size_t row, size_t j, const size_t R)
{
	vf sums[TALL_MOST][4] = { 0 };

	for (size_t k = 0; k < s->units; k += OPS_PACK_BLOCK / 4, b += HEAD + OPS_PACK_BLOCK * WIDE)
		block_of_int8(s, b, row, k, smaller(s->units, k + OPS_PACK_BLOCK / 4), sums, R);
#pragma GCC unroll 8
	for (size_t r = 0; r < R; r++)
		leave_row(s->m, row + r, j, sums[r]);
}

#define ROWS_OF(kind) \
	static void panel_of_##kind(const struct packed *s, const char *b, size_t j) \
	{ \
		size_t row = 0; \
\
		for (; s->m->M - row >= TALL_MOST; row += TALL_MOST) \
			rows_of_##kind(s, b, row, j, TALL_MOST); \
		switch (s->m->M - row) { \
		case 1: rows_of_##kind(s, b, row, j, 1); break; \
		case 2: rows_of_##kind(s, b, row, j, 2); break; \
		case 3: rows_of_##kind(s, b, row, j, TALL_MOST < 3 ? TALL_MOST : 3); break; \
		case 4: rows_of_##kind(s, b, row, j, TALL_MOST < 4 ? TALL_MOST : 4); break; \
		case 5: rows_of_##kind(s, b, row, j, TALL_MOST < 5 ? TALL_MOST : 5); break; \
		} \
	}

ROWS_OF(f32)
ROWS_OF(bf16)
ROWS_OF(int8)

static void
packed_piece(void *context, size_t piece, int worker)
{
	const struct packed *s = context;
	size_t end = smaller(s->panels, (piece + 1) * s->of_piece);

	(void)worker;
	for (size_t panel = piece * s->of_piece; panel < end; panel++) {
		const char *b = (const char *)s->m->b + panel * s->panel;

		if (s->m->packing == OPS_PACK_INT8)
			panel_of_int8(s, b, panel * WIDE);
		else if (s->m->packing == OPS_PACK_BF16)
			panel_of_bf16(s, b, panel * WIDE);
		else
			panel_of_f32(s, b, panel * WIDE);
	}
}

static void
packed_matmul(struct ops_device *d, const struct ops_packed *m)
{
	struct packed s = { .cpu = (struct cpu *)d, .m = m, .panel = panel_bytes(m->packing, m->K), .panels = pieces_of(m->N, WIDE),
		.units = units_of(m->packing, m->K) };
	size_t threads = (size_t)team_size(s.cpu->team);

	s.of_piece = threads > 1 ? pieces_of(s.panels, PIECES_A_THREAD * threads) : s.panels;
	if (prepare(&s))
		team_run(s.cpu->team, pieces_of(s.panels, s.of_piece), packed_piece, &s);
}
