/* Matrix products. Both factors are packed into panels (of ROWS rows of a, of 2 vectors of columns of b), so that the innermost loop
 * reads memory in order whatever the layout. What is cut where depends on shapes alone; every sum runs over k in order, in blocks
 * of BLOCK. With BF16 a panel holds pairs of bfloat16 along k. */

#if LANES == 16
#define ROWS 12
#elif LANES == 8
#define ROWS 4
#else
#define ROWS 4
#endif
#define COLUMNS (2 * LANES)

#if BF16
typedef uint16_t factor;
enum { STEP = 2 /* of k */ };
#else
typedef float factor;
enum { STEP = 1 };
#endif

enum {
	BLOCK = 256 * STEP, /* of k: a panel of b stays in the first cache */
	DEEP = 1024, /* of k that are packed at once */
	TALL = 4096, /* rows of a that are packed at once */
	ROW_PANELS = 10, COLUMN_PANELS = 8, /* of the piece of c that a thread takes */
	THIN = 32, THIN_TURNED = 4, /* rows up to which nothing is packed; with b transposed */
	STRIP = 256, /* columns of a piece of a thin product */
};

struct matmul {
	struct cpu *cpu;
	const struct ops_matmul *m;
	factor *a, *b;
	size_t row, rows, k, depth; /* the part that is packed; depth is rounded up to STEP */
	size_t row_panels, column_panels;
};

INLINE size_t
smaller(size_t x, size_t y)
{
	return x < y ? x : y;
}

INLINE size_t
pieces_of(size_t n, size_t size)
{
	return (n + size - 1) / size;
}

/* ---- packing ---- */

typedef float four __attribute__((vector_size(16)));
typedef uint32_t four_words __attribute__((vector_size(16)));

INLINE four
load_four(const float *p, size_t left)
{
	four v = { 0 };

	if (left >= 4)
		memcpy(&v, p, sizeof(v));
	else
		memcpy(&v, p, left * sizeof(float));
	return v;
}

#if BF16
/* To the nearest, ties to even; NaN stays NaN. In the upper halves. */
INLINE four_words
rounded(four x)
{
	four_words bits = (four_words)x, nan = (four_words)((bits & 0x7FFFFFFF) > 0x7F800000);

	return (nan & (bits | 0x400000)) | (~nan & (bits + 0x7FFF + (bits >> 16 & 1)));
}
#endif

/* Four columns (or rows) at k, and behind them those at k + 1, where they belong in a panel. k is even with BF16. */
INLINE void
put_two(factor *to, size_t k, size_t i, size_t width, four first, four second, bool is_last)
{
#if BF16
	four_words pairs = rounded(first) >> 16 | (rounded(second) & 0xFFFF0000);

	(void)is_last;
	memcpy(to + k * width + 2 * i, &pairs, sizeof(pairs));
#else
	memcpy(to + k * width + i, &first, sizeof(first));
	if (!is_last)
		memcpy(to + (k + 1) * width + i, &second, sizeof(second));
#endif
}

/* Numbers that belong side by side lie side by side, `by_k` from one k to the next. */
INLINE void
pack_lines(factor *to, const float *from, size_t by_k, size_t left, size_t depth, size_t width)
{
	for (size_t k = 0; k < depth; k += 2) {
		bool is_last = k + 1 == depth;

		for (size_t i = 0; i < width; i += 4) {
			size_t rest = left > i ? left - i : 0;
			four first = load_four(from + k * by_k + i, rest), second = { 0 };

			if (!is_last)
				second = load_four(from + (k + 1) * by_k + i, rest);
			put_two(to, k, i, width, first, second, is_last);
		}
	}
}

/* The four lie along k instead: they are turned, four by four. */
INLINE void
pack_turned(factor *to, const float *from, size_t by_i, size_t left, size_t depth, size_t width)
{
	for (size_t k = 0; k < depth; k += 4) {
		size_t rest = depth - k;

		for (size_t i = 0; i < width; i += 4) {
			four a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 }, ab, cd;
			const float *row = from + i * by_i + k;

			if (i < left)
				a = load_four(row, rest);
			if (i + 1 < left)
				b = load_four(row + by_i, rest);
			if (i + 2 < left)
				c = load_four(row + 2 * by_i, rest);
			if (i + 3 < left)
				d = load_four(row + 3 * by_i, rest);
			ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
			cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
			put_two(to, k, i, width, __builtin_shufflevector(ab, cd, 0, 1, 4, 5), __builtin_shufflevector(ab, cd, 2, 3, 6, 7),
				rest == 1);
			if (rest < 3)
				continue;
			ab = __builtin_shufflevector(a, b, 2, 6, 3, 7);
			cd = __builtin_shufflevector(c, d, 2, 6, 3, 7);
			put_two(to, k + 2, i, width, __builtin_shufflevector(ab, cd, 0, 1, 4, 5),
				__builtin_shufflevector(ab, cd, 2, 3, 6, 7), rest == 3);
		}
	}
}

/* A panel: element (k, i) of `width` rows is from[k * by_k + i * by_i], zero past `left` rows and past `depth`. */
INLINE void
pack(factor *to, const float *from, size_t by_i, size_t by_k, size_t left, size_t depth, size_t width)
{
	if (by_i == 1)
		pack_lines(to, from, by_k, left, depth, width);
	else
		pack_turned(to, from, by_i, left, depth, width);
}

static void
pack_piece(void *context, size_t piece, int worker)
{
	struct matmul *s = context;
	const struct ops_matmul *m = s->m;
	size_t padded = pieces_of(s->depth, STEP) * STEP;

	(void)worker;
	if (piece < s->row_panels) {
		size_t i = s->row + piece * ROWS;
		const float *a = (const float *)m->a + (m->at ? s->k * m->lda + i : i * m->lda + s->k);

		pack(s->a + piece * ROWS * padded, a, m->at ? 1 : m->lda, m->at ? m->lda : 1, smaller(ROWS, s->row + s->rows - i), s->depth, ROWS);
	} else {
		size_t j = (piece - s->row_panels) * COLUMNS;
		const float *b = (const float *)m->b + (m->bt ? j * m->ldb + s->k : s->k * m->ldb + j);

		pack(s->b + (piece - s->row_panels) * COLUMNS * padded, b, m->bt ? m->ldb : 1, m->bt ? 1 : m->ldb, smaller(COLUMNS, m->N - j),
			s->depth, COLUMNS);
	}
}

/* The sums of ROWS rows and COLUMNS columns over `depth` of k. */
INLINE void
tile(const factor *a, const factor *b, size_t depth, vf sums[ROWS][2])
{
	for (size_t k = 0; k < depth; k += STEP) {
#if BF16
		__m512bh b0, b1;

		memcpy(&b0, b, sizeof(b0));
		memcpy(&b1, b + 2 * LANES, sizeof(b1));
#pragma GCC unroll 16
		for (int r = 0; r < ROWS; r++) {
			int pair;
			__m512bh x;

			memcpy(&pair, a + 2 * r, sizeof(pair));
			x = (__m512bh)_mm512_set1_epi32(pair);
			sums[r][0] = (vf)_mm512_dpbf16_ps((__m512)sums[r][0], x, b0);
			sums[r][1] = (vf)_mm512_dpbf16_ps((__m512)sums[r][1], x, b1);
		}
#else
		vf b0 = load(b), b1 = load(b + LANES);

#pragma GCC unroll 16
		for (int r = 0; r < ROWS; r++) {
			sums[r][0] += a[r] * b0;
			sums[r][1] += a[r] * b1;
		}
#endif
		a += STEP * ROWS;
		b += STEP * COLUMNS;
	}
}

/* Adds sums to c, or writes them. */
INLINE void
leave(const struct ops_matmul *m, size_t i, size_t j, vf sums[ROWS][2], bool first)
{
	const float *bias = first && m->bias ? (const float *)m->bias + j : NULL;
	size_t left = m->N - j;
	bool add = !first || m->add;

#pragma GCC unroll 16
	for (size_t r = 0; r < ROWS; r++) {
		float *c = (float *)m->c + (i + r) * m->ldc + j;

		if (i + r >= m->M)
			continue;
#pragma GCC unroll 2
		for (size_t v = 0; v < 2; v++) {
			size_t rest = left > v * LANES ? left - v * LANES : 0;
			vf x = sums[r][v];

			if (!rest)
				continue;
			if (bias)
				x += load_some(bias + v * LANES, rest);
			if (add)
				x += load_some(c + v * LANES, rest);
			store_some(c + v * LANES, x, rest);
		}
	}
}

static void
multiply_piece(void *context, size_t piece, int worker)
{
	struct matmul *s = context;
	size_t across = pieces_of(s->column_panels, COLUMN_PANELS), padded = pieces_of(s->depth, STEP) * STEP;
	size_t row0 = piece / across * ROW_PANELS, row1 = smaller(row0 + ROW_PANELS, s->row_panels);
	size_t column0 = piece % across * COLUMN_PANELS, column1 = smaller(column0 + COLUMN_PANELS, s->column_panels);

	(void)worker;
	for (size_t k = 0; k < s->depth; k += BLOCK)
		for (size_t column = column0; column < column1; column++)
			for (size_t row = row0; row < row1; row++) {
				const factor *a = s->a + row * ROWS * padded + k * ROWS, *b = s->b + column * COLUMNS * padded + k * COLUMNS;
				vf sums[ROWS][2] = { 0 };

				tile(a, b, smaller(BLOCK, s->depth - k), sums);
				leave(s->m, s->row + row * ROWS, column * COLUMNS, sums, !s->k && !k);
			}
}

/* Factors of the panels of a, rounded up so that those of b begin on a cache line. */
static size_t
panels_of_a(const struct ops_matmul *m)
{
	size_t n = pieces_of(smaller(m->M, TALL), ROWS) * ROWS * (smaller(m->K, DEEP) + STEP);

	return pieces_of(n, 32) * 32;
}

static size_t
matmul_scratch(struct ops_device *d, const struct ops_matmul *m)
{
	(void)d;
	return (panels_of_a(m) + pieces_of(m->N, COLUMNS) * COLUMNS * (smaller(m->K, DEEP) + STEP)) * sizeof(factor);
}

static void
multiply_packed(struct cpu *cpu, const struct ops_matmul *m)
{
	struct matmul s = { .cpu = cpu, .m = m, .column_panels = pieces_of(m->N, COLUMNS) };

	s.a = cpu_scratch(cpu, &cpu->shared, matmul_scratch(&cpu->device, m));
	if (!s.a)
		return;
	s.b = s.a + panels_of_a(m);
	for (s.row = 0; s.row < m->M; s.row += TALL)
		for (s.k = 0; s.k < m->K; s.k += DEEP) {
			s.rows = smaller(TALL, m->M - s.row);
			s.depth = smaller(DEEP, m->K - s.k);
			s.row_panels = pieces_of(s.rows, ROWS);
			team_run(cpu->team, s.row_panels + s.column_panels, pack_piece, &s);
			team_run(cpu->team, pieces_of(s.row_panels, ROW_PANELS) * pieces_of(s.column_panels, COLUMN_PANELS), multiply_piece, &s);
		}
}

/* ---- few rows: decoding ---- */

/* R rows and W vectors of columns, b as it lies. The sums run in the same blocks as those of packed products: in single precision a row
 * is the same bits, however many there are. */
INLINE void
thin_part(const struct ops_matmul *m, size_t i, size_t j, size_t left, const size_t R, const size_t W)
{
	const size_t by_row = m->at ? 1 : m->lda, by_k = m->at ? m->lda : 1;

	for (size_t k0 = 0; k0 < m->K; k0 += BLOCK) {
		const float *a = (const float *)m->a + i * by_row + k0 * by_k, *b = (const float *)m->b + k0 * m->ldb + j;
		vf sums[4][4] = { 0 };

		for (size_t k = smaller(BLOCK, m->K - k0); k; k--, a += by_k, b += m->ldb) {
#pragma GCC unroll 4
			for (size_t w = 0; w < W; w++) {
				vf x = load_some(b + w * LANES, left - w * LANES);

#pragma GCC unroll 4
				for (size_t r = 0; r < R; r++)
					sums[r][w] += a[r * by_row] * x;
			}
		}
#pragma GCC unroll 4
		for (size_t r = 0; r < R; r++)
#pragma GCC unroll 4
			for (size_t w = 0; w < W; w++) {
				float *c = (float *)m->c + (i + r) * m->ldc + j + w * LANES;
				size_t rest = left - w * LANES;
				vf x = sums[r][w];

				if (!k0 && m->bias)
					x += load_some((const float *)m->bias + j + w * LANES, rest);
				if (k0 || m->add)
					x += load_some(c, rest);
				store_some(c, x, rest);
			}
	}
}

/* b transposed: a product of rows for each column. a's row lies side by side. */
INLINE void
thin_dot(const struct ops_matmul *m, size_t i, size_t j)
{
	const float *a = (const float *)m->a + i * m->lda, *b = (const float *)m->b + j * m->ldb;
	float *c = (float *)m->c + i * m->ldc + j, x;
	vf sum = { 0 };

	for (size_t k = 0; k < m->K; k += LANES)
		sum += load_some(a + k, m->K - k) * load_some(b + k, m->K - k);
	x = sum_of(sum);
	if (m->bias)
		x += ((const float *)m->bias)[j];
	*c = m->add ? *c + x : x;
}

static void
thin_piece(void *context, size_t piece, int worker)
{
	const struct ops_matmul *m = context;
	size_t end = smaller(m->N, (piece + 1) * STRIP);

	(void)worker;
	for (size_t j = piece * STRIP, wide; j < end; j += wide) {
		wide = m->bt ? 1 : end - j >= 4 * LANES ? 4 * LANES : LANES;
		for (size_t i = 0, tall; i < m->M; i += tall) {
			tall = !m->bt && m->M - i >= 4 ? 4 : 1;
			if (m->bt)
				thin_dot(m, i, j);
			else if (tall == 4 && wide > LANES)
				thin_part(m, i, j, end - j, 4, 4);
			else if (tall == 4)
				thin_part(m, i, j, end - j, 4, 1);
			else if (wide > LANES)
				thin_part(m, i, j, end - j, 1, 4);
			else
				thin_part(m, i, j, end - j, 1, 1);
		}
	}
}

static void
matmul(struct ops_device *d, const struct ops_matmul *m)
{
	struct cpu *cpu = (struct cpu *)d;
	struct ops_matmul copy = *m;

	if (m->K && m->M <= (m->bt ? THIN_TURNED : THIN) && !(m->at && m->bt))
		team_run(cpu->team, pieces_of(m->N, STRIP), thin_piece, &copy);
	else if (m->K)
		multiply_packed(cpu, m);
}
