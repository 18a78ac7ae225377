/* The loss, and what changes parameters. */

/* ---- cross entropy ---- */

struct xent_terms {
	float low, high, entropy;
};

struct xent {
	const struct ops_xent *x;
	struct xent_terms terms;
};

static size_t
largest(const float *row, size_t n, float *ret_max)
{
	vf max = splat(row[0]);

	for (size_t j = 0; j < n; j += LANES) {
		size_t left = n - j;

		max = larger(max, left >= LANES ? load(row + j) : load(row + n - smaller(n, LANES)));
		if (n < LANES)
			break;
	}
	*ret_max = max_of(max);
	for (size_t j = 0; j < n; j++)
		if (row[j] == *ret_max)
			return j;
	return n;
}

static float
sum_of_exps(const float *row, size_t n, float max)
{
	vf sum = { 0 };

	for (size_t j = 0; j < n; j += LANES)
		sum += only(exp_of(load_some(row + j, n - j) - max), n - j);
	return sum_of(sum);
}

static float
sum_of_row(const float *row, size_t n)
{
	vf sum = { 0 };

	for (size_t j = 0; j < n; j += LANES)
		sum += load_some(row + j, n - j);
	return sum_of(sum);
}

static void
xent_row(const struct xent *s, size_t i)
{
	const struct ops_xent *x = s->x;
	float *row = (float *)x->logits + i * x->ld, max, logsum, loss, weight = ((const float *)x->weights)[i];
	size_t label = (size_t)x->labels[i], best = largest(row, x->V, &max);

	logsum = logf(sum_of_exps(row, x->V, max)) + max;
	loss = logsum - s->terms.high * row[label] - s->terms.entropy;
	if (s->terms.low > 0)
		loss -= s->terms.low * (sum_of_row(row, x->V) - row[label]);
	((float *)x->losses)[i] = weight * loss;
	((float *)x->hits)[i] = best == label ? weight : 0;
	if (x->backward) {
		float scale = weight * (float)x->step->loss_scale, own;

		own = scale * (expf(row[label] - logsum) - s->terms.high);
		for (size_t j = 0; j < x->V; j += LANES)
			store_some(row + j, scale * (exp_of(load_some(row + j, x->V - j) - logsum) - s->terms.low), x->V - j);
		row[label] = own;
	}
}

static void
xent_piece(void *context, size_t piece, int worker)
{
	const struct xent *s = context;

	(void)worker;
	for (size_t i = piece * 4; i < smaller(s->x->N, piece * 4 + 4); i++)
		xent_row(s, i);
}

static void
xent(struct ops_device *d, const struct ops_xent *x)
{
	double low = x->V > 1 ? x->smoothing / (double)(x->V - 1) : 0, high = 1 - x->smoothing;
	struct xent s = { .x = x, .terms = { .low = (float)low, .high = (float)high } };

	if (x->smoothing > 0)
		s.terms.entropy = (float)-(high * log(high) + x->smoothing * log(low));
	each(d, x->N, 4, xent_piece, &s);
}

/* ---- clipping ---- */

struct clip {
	size_t n;
	const float *g;
	double *partial;
};

static void
clip_piece(void *context, size_t piece, int worker)
{
	const struct clip *s = context;
	const float *g = s->g + piece * NUMBERS_OF_PIECE;
	size_t n = smaller(NUMBERS_OF_PIECE, s->n - piece * NUMBERS_OF_PIECE);
	vf sum = { 0 };

	(void)worker;
	for (size_t i = 0; i < n; i += LANES) {
		vf x = load_some(g + i, n - i);

		sum += x * x;
	}
	s->partial[piece] = (double)sum_of(sum);
}

static void
clip(struct ops_device *d, size_t n, const void *g, double max, void *ret, void *ret_norm)
{
	struct cpu *cpu = (struct cpu *)d;
	struct clip s = { .n = n, .g = g };
	size_t pieces = pieces_of(n, NUMBERS_OF_PIECE);
	double sum = 0;

	s.partial = cpu_scratch(cpu, &cpu->shared, pieces * sizeof(double));
	if (!s.partial)
		return;
	team_run(cpu->team, pieces, clip_piece, &s);
	for (size_t i = 0; i < pieces; i++)
		sum += s.partial[i];
	sum = sqrt(sum);
	*(float *)ret_norm = (float)sum;
	*(float *)ret = sum > max ? (float)(max / sum) : 1;
}

/* ---- Adam ---- */

static void
adam_piece(void *context, size_t piece, int worker)
{
	const struct ops_adam *a = context;
	size_t from = piece * NUMBERS_OF_PIECE, to = smaller(a->n, from + NUMBERS_OF_PIECE);
	const float clip_by = a->clip ? *(const float *)a->clip : 1, b1 = (float)a->beta1, b2 = (float)a->beta2;
	const float rest1 = (float)(1 - a->beta1), rest2 = (float)(1 - a->beta2), epsilon = (float)a->epsilon;
	const float rate = (float)a->step->rate, scale = (float)a->step->root, shrink = a->decay ? (float)a->step->decay : 0;

	(void)worker;
	for (size_t i = from; i < to; i += LANES) {
		size_t left = to - i;
		float *p = (float *)a->p + i, *m = (float *)a->m + i, *v = (float *)a->v + i;
		vf g = load_some((const float *)a->g + i, left) * clip_by, x = load_some(p, left);
		vf first = b1 * load_some(m, left) + rest1 * g, second = b2 * load_some(v, left) + rest2 * (g * g);

		x -= shrink * x;
		store_some(m, first, left);
		store_some(v, second, left);
		store_some(p, x - rate * first / (scale * root(second) + epsilon), left);
	}
}

static void
adam(struct ops_device *d, const struct ops_adam *a)
{
	struct ops_adam copy = *a;

	each(d, a->n, NUMBERS_OF_PIECE, adam_piece, &copy);
}
