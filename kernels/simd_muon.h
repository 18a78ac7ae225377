/* Muon's beginning and end, and what it wants of square matrices. */

struct muon {
	const struct ops_muon *m;
	double *partial; /* of each piece: the sum of squares */
	float norm;
};

static void
muon_begin_piece(void *context, size_t piece, int worker)
{
	const struct muon *s = context;
	const struct ops_muon *muon = s->m;
	const float clip_by = muon->clip ? *(const float *)muon->clip : 1, b = (float)muon->momentum, rest = (float)(1 - muon->momentum);
	vf sum = { 0 };

	(void)worker;
	for (size_t i = piece * ROWS_OF_PIECE; i < smaller(muon->rows, (piece + 1) * ROWS_OF_PIECE); i++)
		for (size_t j = 0; j < muon->columns; j += LANES) {
			size_t left = muon->columns - j;
			float *m = (float *)muon->m + i * muon->ld + j;
			vf own = rest * (load_some((const float *)muon->g + i * muon->ld + j, left) * clip_by);
			vf mean = b * load_some(m, left) + own, x = only(b * mean + own, left);

			store_some(m, mean, left);
			store_some((float *)muon->x + i * muon->columns + j, x, left);
			sum += x * x;
		}
	s->partial[piece] = (double)sum_of(sum);
}

static void
muon_scale_piece(void *context, size_t piece, int worker)
{
	const struct muon *s = context;
	size_t from = piece * NUMBERS_OF_PIECE, to = smaller(s->m->rows * s->m->columns, from + NUMBERS_OF_PIECE);
	float *x = s->m->x;

	(void)worker;
	for (size_t i = from; i < to; i += LANES)
		store_some(x + i, load_some(x + i, to - i) / s->norm, to - i);
}

static void
muon_begin(struct ops_device *d, const struct ops_muon *m)
{
	struct cpu *cpu = (struct cpu *)d;
	size_t pieces = pieces_of(m->rows, ROWS_OF_PIECE);
	struct muon s = { .m = m };
	double sum = 0;

	s.partial = cpu_scratch(cpu, &cpu->shared, pieces * sizeof(double));
	if (!s.partial)
		return;
	team_run(cpu->team, pieces, muon_begin_piece, &s);
	for (size_t i = 0; i < pieces; i++)
		sum += s.partial[i];
	sum = sqrt(sum);
	s.norm = (float)(sum > m->epsilon ? sum : m->epsilon);
	each(d, m->rows * m->columns, NUMBERS_OF_PIECE, muon_scale_piece, &s);
}

static void
muon_end_piece(void *context, size_t piece, int worker)
{
	const struct ops_muon *m = context;
	const float rate = (float)(m->step->muon_rate * m->scale), shrink = m->decay ? (float)m->step->muon_decay : 0;

	(void)worker;
	for (size_t i = piece * ROWS_OF_PIECE; i < smaller(m->rows, (piece + 1) * ROWS_OF_PIECE); i++)
		for (size_t j = 0; j < m->columns; j += LANES) {
			size_t left = m->columns - j;
			float *at = (float *)m->p + i * m->ld + j;
			vf p = load_some(at, left);

			p -= shrink * p;
			store_some(at, p - rate * load_some((const float *)m->x + i * m->columns + j, left), left);
		}
}

static void
muon_end(struct ops_device *d, const struct ops_muon *m)
{
	struct ops_muon copy = *m;

	each(d, m->rows, ROWS_OF_PIECE, muon_end_piece, &copy);
}

struct diagonal {
	size_t n;
	float alpha, beta;
	const float *in;
	float *out;
};

static void
diagonal_piece(void *context, size_t piece, int worker)
{
	const struct diagonal *s = context;

	(void)worker;
	for (size_t i = piece * ROWS_OF_PIECE; i < smaller(s->n, (piece + 1) * ROWS_OF_PIECE); i++) {
		float *out = s->out + i * s->n;

		for (size_t j = 0; j < s->n; j += LANES)
			store_some(out + j, s->in ? s->beta * load_some(s->in + i * s->n + j, s->n - j) : (vf){ 0 }, s->n - j);
		out[i] += s->alpha;
	}
}

static void
diagonal(struct ops_device *d, size_t n, double alpha, double beta, const void *in, void *out)
{
	struct diagonal s = { .n = n, .alpha = (float)alpha, .beta = (float)beta, .in = in, .out = out };

	each(d, n, ROWS_OF_PIECE, diagonal_piece, &s);
}
