/* What is done row by row or number by number: embedding, norm, activation, sums, loss, Adam. */

enum { ROWS_OF_PIECE = 32, GATE_ROWS = 8, PIECES_OF_SUM = 64, NUMBERS_OF_PIECE = 16384, COLUMNS_OF_PIECE = 64 };

/* Calls `work` for every piece of n things, `size` of them each. */
static void
each(struct ops_device *d, size_t n, size_t size, team_work work, void *context)
{
	team_run(((struct cpu *)d)->team, pieces_of(n, size), work, context);
}

/* ---- embedding ---- */

struct embed {
	const struct ops_embed *e;
	float *out; /* or the gradients */
	const float *dout;
	float *dpositions;
};

static void
embed_part(const struct ops_embed *e, size_t i, size_t c0, size_t n, float *out)
{
	const float *row = (const float *)e->table + (size_t)e->ids[i] * e->C + c0;
	const float *position = e->positions ? (const float *)e->positions + (size_t)e->places[i] * e->C + c0 : NULL, *keep = NULL;
	float scale = e->blank && !e->ids[i] ? 0 : (float)e->scale;
	struct mask mask;

	if (e->dropout.rate > 0)
		keep = mask_of(&mask, &e->dropout, i * e->C + c0, n);
	for (size_t c = 0; c < n; c += LANES) {
		/* A blank row's numbers have no say, be they NaN. */
		vf x = scale != 0 ? load_some(row + c, n - c) * scale : (vf){ 0 };

		if (position)
			x += load_some(position + c, n - c);
		if (keep)
			x *= load_some(keep + c, n - c);
		store_some(out + c, x, n - c);
	}
}

static void
embed_piece(void *context, size_t piece, int worker)
{
	const struct embed *s = context;
	const struct ops_embed *e = s->e;

	(void)worker;
	for (size_t i = piece * ROWS_OF_PIECE; i < smaller(e->N, (piece + 1) * ROWS_OF_PIECE); i++)
		for (size_t c = 0; c < e->C; c += MASK_MAX)
			embed_part(e, i, c, smaller(MASK_MAX, e->C - c), s->out + i * e->C + c);
}

static void
embed_forward(struct ops_device *d, const struct ops_embed *e, void *out)
{
	struct embed s = { .e = e, .out = out };

	each(d, e->N, ROWS_OF_PIECE, embed_piece, &s);
}

/* A piece is a few columns of all rows: each sum has one owner, which goes through the tokens in order. */
static void
unembed_piece(void *context, size_t piece, int worker)
{
	const struct embed *s = context;
	const struct ops_embed *e = s->e;
	size_t c0 = piece * COLUMNS_OF_PIECE, n = smaller(COLUMNS_OF_PIECE, e->C - c0);
	struct mask mask;

	(void)worker;
	for (size_t i = 0; i < e->N; i++) {
		const float *g = s->dout + i * e->C + c0, *keep = NULL;
		float *row = s->out + (size_t)e->ids[i] * e->C + c0;
		float *position = s->dpositions ? s->dpositions + (size_t)e->places[i] * e->C + c0 : NULL;

		if (e->dropout.rate > 0)
			keep = mask_of(&mask, &e->dropout, i * e->C + c0, n);
		for (size_t c = 0; c < n; c += LANES) {
			vf x = load_some(g + c, n - c);

			if (keep)
				x *= load_some(keep + c, n - c);
			if (!e->blank || e->ids[i])
				store_some(row + c, load_some(row + c, n - c) + x * (float)e->scale, n - c);
			if (position)
				store_some(position + c, load_some(position + c, n - c) + x, n - c);
		}
	}
}

static void
embed_backward(struct ops_device *d, const struct ops_embed *e, const void *dout, void *dtable, void *dpositions)
{
	struct embed s = { .e = e, .out = dtable, .dout = dout, .dpositions = dpositions };

	each(d, e->C, COLUMNS_OF_PIECE, unembed_piece, &s);
}

/* ---- norm ---- */

struct norm {
	const struct ops_norm *n;
	float *out;
	const float *dout;
	float *dsum, *dbranch;
	float *partial; /* (pieces, 2 C) */
	size_t rows; /* of a piece */
};

/* sum = x + dropout(branch). */
static void
add_branch(const struct ops_norm *n, size_t i, float *sum)
{
	for (size_t c0 = 0; c0 < n->C; c0 += MASK_MAX) {
		const float *x = (const float *)n->x + i * n->C + c0, *branch = (const float *)n->branch + i * n->C + c0, *keep = NULL;
		size_t left = smaller(MASK_MAX, n->C - c0);
		struct mask mask;

		if (n->dropout.rate > 0)
			keep = mask_of(&mask, &n->dropout, i * n->C + c0, left);
		for (size_t c = 0; c < left; c += LANES) {
			vf y = load_some(branch + c, left - c);

			if (keep)
				y *= load_some(keep + c, left - c);
			store_some(sum + c0 + c, load_some(x + c, left - c) + y, left - c);
		}
	}
}

static void
norm_row(const struct ops_norm *n, size_t i, float *out)
{
	const float *row = (const float *)n->x + i * n->C, *gain = n->gain, *bias = n->bias;
	const bool rms = n->kind == OPS_RMS_NORM;
	vf sum = { 0 }, squares = { 0 };
	float mean = 0, rstd;

	if (n->branch) {
		float *sums = (float *)n->sum + i * n->C;

		add_branch(n, i, sums);
		row = sums;
	}
	if (!rms) {
		for (size_t c = 0; c < n->C; c += LANES)
			sum += load_some(row + c, n->C - c);
		mean = sum_of(sum) / (float)n->C;
		((float *)n->mean)[i] = mean;
	}
	for (size_t c = 0; c < n->C; c += LANES) {
		vf x = only(load_some(row + c, n->C - c) - mean, n->C - c);

		squares += x * x;
	}
	rstd = 1 / sqrtf(sum_of(squares) / (float)n->C + (float)n->epsilon);
	((float *)n->rstd)[i] = rstd;
	for (size_t c = 0; c < n->C; c += LANES) {
		size_t left = n->C - c;
		vf y = (load_some(row + c, left) - mean) * rstd * load_some(gain + c, left);

		store_some(out + c, rms ? y : y + load_some(bias + c, left), left);
	}
}

static void
norm_piece(void *context, size_t piece, int worker)
{
	const struct norm *s = context;

	(void)worker;
	for (size_t i = piece * ROWS_OF_PIECE; i < smaller(s->n->N, (piece + 1) * ROWS_OF_PIECE); i++)
		norm_row(s->n, i, s->out + i * s->n->C);
}

static void
norm_forward(struct ops_device *d, const struct ops_norm *n, void *out)
{
	struct norm s = { .n = n, .out = out };

	each(d, n->N, ROWS_OF_PIECE, norm_piece, &s);
}

static void
norm_row_back(const struct norm *s, size_t i, float *dgain, float *dbias)
{
	const struct ops_norm *n = s->n;
	const float *x = (const float *)(n->branch ? n->sum : n->x) + i * n->C, *dout = s->dout + i * n->C, *gain = n->gain;
	const bool rms = n->kind == OPS_RMS_NORM;
	float mean = rms ? 0 : ((const float *)n->mean)[i], rstd = ((const float *)n->rstd)[i], *dsum = s->dsum + i * n->C, by_g, by_gz;
	vf sum_g = { 0 }, sum_gz = { 0 };

	for (size_t c = 0; c < n->C; c += LANES) {
		size_t left = n->C - c;
		vf z = (load_some(x + c, left) - mean) * rstd, dy = load_some(dout + c, left), g = dy * load_some(gain + c, left);

		store_some(dgain + c, load_some(dgain + c, left) + dy * z, left);
		if (!rms)
			store_some(dbias + c, load_some(dbias + c, left) + dy, left);
		sum_g += g;
		sum_gz += g * z;
	}
	by_g = rms ? 0 : sum_of(sum_g) / (float)n->C;
	by_gz = sum_of(sum_gz) / (float)n->C;
	for (size_t c = 0; c < n->C; c += LANES) {
		size_t left = n->C - c;
		vf z = (load_some(x + c, left) - mean) * rstd, g = load_some(dout + c, left) * load_some(gain + c, left);

		store_some(dsum + c, load_some(dsum + c, left) + (g - by_g - z * by_gz) * rstd, left);
	}
}

static void
branch_row_back(const struct norm *s, size_t i)
{
	const struct ops_norm *n = s->n;

	for (size_t c0 = 0; c0 < n->C; c0 += MASK_MAX) {
		size_t left = smaller(MASK_MAX, n->C - c0), at = i * n->C + c0;
		const float *keep = NULL;
		struct mask mask;

		if (n->dropout.rate > 0)
			keep = mask_of(&mask, &n->dropout, at, left);
		for (size_t c = 0; c < left; c += LANES) {
			vf x = load_some(s->dsum + at + c, left - c);

			if (keep)
				x *= load_some(keep + c, left - c);
			store_some(s->dbranch + at + c, x, left - c);
		}
	}
}

static void
norm_piece_back(void *context, size_t piece, int worker)
{
	const struct norm *s = context;
	float *dgain = s->partial + piece * 2 * s->n->C, *dbias = dgain + s->n->C;

	(void)worker;
	memset(dgain, 0, 2 * s->n->C * sizeof(float));
	for (size_t i = piece * s->rows; i < smaller(s->n->N, (piece + 1) * s->rows); i++) {
		norm_row_back(s, i, dgain, dbias);
		if (s->n->branch)
			branch_row_back(s, i);
	}
}

/* Adds `pieces` rows of n, `by` apart, to `to`. */
static void
add_partial(float *to, const float *partial, size_t pieces, size_t by, size_t n)
{
	for (size_t piece = 0; piece < pieces; piece++)
		for (size_t c = 0; c < n; c += LANES)
			store_some(to + c, load_some(to + c, n - c) + load_some(partial + piece * by + c, n - c), n - c);
}

static size_t
rows_of_sum(size_t N)
{
	size_t rows = pieces_of(N, PIECES_OF_SUM);

	return rows < ROWS_OF_PIECE ? ROWS_OF_PIECE : rows;
}

static void
norm_backward(struct ops_device *d, const struct ops_norm *n, const void *dout, void *dsum, void *dbranch, void *dgain, void *dbias)
{
	struct cpu *cpu = (struct cpu *)d;
	struct norm s = { .n = n, .dout = dout, .dsum = dsum, .dbranch = dbranch, .rows = rows_of_sum(n->N) };
	size_t pieces = pieces_of(n->N, s.rows);

	s.partial = cpu_scratch(cpu, &cpu->shared, pieces * 2 * n->C * sizeof(float));
	if (!s.partial)
		return;
	team_run(cpu->team, pieces, norm_piece_back, &s);
	add_partial(dgain, s.partial, pieces, 2 * n->C, n->C);
	if (n->kind != OPS_RMS_NORM)
		add_partial(dbias, s.partial + n->C, pieces, 2 * n->C, n->C);
}

/* ---- sums of columns ---- */

struct columns {
	size_t N, C, rows;
	const float *x;
	float *partial;
};

static void
columns_piece(void *context, size_t piece, int worker)
{
	const struct columns *s = context;
	size_t from = piece * s->rows, rows = smaller(s->rows, s->N - from);
	float *to = s->partial + piece * s->C;

	(void)worker;
	memset(to, 0, s->C * sizeof(float));
	add_partial(to, s->x + from * s->C, rows, s->C, s->C);
}

static void
column_sums(struct ops_device *d, size_t N, size_t C, const void *x, void *sums)
{
	struct cpu *cpu = (struct cpu *)d;
	struct columns s = { .N = N, .C = C, .rows = rows_of_sum(N), .x = x };
	size_t pieces = pieces_of(N, s.rows);

	s.partial = cpu_scratch(cpu, &cpu->shared, pieces * C * sizeof(float));
	if (!s.partial)
		return;
	team_run(cpu->team, pieces, columns_piece, &s);
	add_partial(sums, s.partial, pieces, C, C);
}

/* ---- activation ---- */

struct activation {
	enum ops_activation kind;
	size_t n;
	const float *in;
	float *out;
	const struct ops_dropout *dropout;
	bool backward;
};

INLINE vf
activated(enum ops_activation kind, vf x, bool backward)
{
	vf inner, t;

	if (kind == OPS_RELU)
		return backward ? (vf)((vi)splat(1) & (x > 0)) : larger((vf){ 0 }, x) /* NaN stays NaN */;
	if (kind == OPS_SILU) {
		t = 1 / (1 + exp_of(-x));
		return backward ? t * (1 + x * (1 - t)) : x * t;
	}
	inner = 0.7978845608f * (x + 0.044715f * x * x * x);
	t = tanh_of(inner);
	if (!backward)
		return 0.5f * x * (1 + t);
	return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * 0.7978845608f * (1 + 3 * 0.044715f * x * x);
}

static void
activation_piece(void *context, size_t piece, int worker)
{
	const struct activation *s = context;
	size_t from = piece * NUMBERS_OF_PIECE, to = smaller(s->n, from + NUMBERS_OF_PIECE);

	(void)worker;
	for (size_t at = from; at < to; at += MASK_MAX) {
		size_t n = smaller(MASK_MAX, to - at);
		const float *keep = NULL;
		struct mask mask;

		if (s->dropout->rate > 0)
			keep = mask_of(&mask, s->dropout, at, n);
		for (size_t i = 0; i < n; i += LANES) {
			vf y = activated(s->kind, load_some(s->in + at + i, n - i), s->backward);

			if (keep)
				y *= load_some(keep + i, n - i);
			if (s->backward)
				y *= load_some(s->out + at + i, n - i);
			store_some(s->out + at + i, y, n - i);
		}
	}
}

static void
activate_forward(struct ops_device *d, enum ops_activation kind, size_t n, const void *in, void *out, const struct ops_dropout *dropout)
{
	struct activation s = { kind, n, in, out, dropout, false };

	each(d, n, NUMBERS_OF_PIECE, activation_piece, &s);
}

static void
activate_backward(struct ops_device *d, enum ops_activation kind, size_t n, const void *in, void *grad, const struct ops_dropout *dropout)
{
	struct activation s = { kind, n, in, grad, dropout, true };

	each(d, n, NUMBERS_OF_PIECE, activation_piece, &s);
}

/* ---- gated activation ---- */

struct gate {
	enum ops_activation kind;
	size_t N, F;
	float *in;
	const float *dout;
	float *out;
};

static void
gate_piece(void *context, size_t piece, int worker)
{
	const struct gate *s = context;

	(void)worker;
	for (size_t i = piece * GATE_ROWS; i < smaller(s->N, (piece + 1) * GATE_ROWS); i++) {
		const float *left = s->in + i * 2 * s->F, *right = left + s->F;

		for (size_t f = 0; f < s->F; f += LANES)
			store_some(s->out + i * s->F + f,
				activated(s->kind, load_some(left + f, s->F - f), false) * load_some(right + f, s->F - f), s->F - f);
	}
}

static void
gate_forward(struct ops_device *d, enum ops_activation kind, size_t N, size_t F, const void *in, void *out)
{
	struct gate s = { .kind = kind, .N = N, .F = F, .in = (float *)(uintptr_t)in, .out = out };

	each(d, N, GATE_ROWS, gate_piece, &s);
}

static void
gate_piece_back(void *context, size_t piece, int worker)
{
	const struct gate *s = context;

	(void)worker;
	for (size_t i = piece * GATE_ROWS; i < smaller(s->N, (piece + 1) * GATE_ROWS); i++) {
		float *left = s->in + i * 2 * s->F, *right = left + s->F;

		for (size_t f = 0; f < s->F; f += LANES) {
			size_t rest = s->F - f;
			vf x = load_some(left + f, rest), y = load_some(right + f, rest), g = load_some(s->dout + i * s->F + f, rest);

			store_some(left + f, g * y * activated(s->kind, x, true), rest);
			store_some(right + f, g * activated(s->kind, x, false), rest);
		}
	}
}

static void
gate_backward(struct ops_device *d, enum ops_activation kind, size_t N, size_t F, void *in, const void *dout)
{
	struct gate s = { .kind = kind, .N = N, .F = F, .in = in, .dout = dout };

	each(d, N, GATE_ROWS, gate_piece_back, &s);
}
