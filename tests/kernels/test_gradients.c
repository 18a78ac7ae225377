/* The reference's backward halves against finite differences; Philox against its authors' numbers; and the same bits from any number of
 * threads. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/ops.h"
#include "tests/kernels/arrays.h"
#include "tests/tap.h"

enum { PROBES = 8 };

static const struct ops_step STEP = { .seed = 99, .step = 5, .loss_scale = 0.5 };
static const struct ops_dropout DROPOUT = { .rate = 0.25, .site = 1, .step = &STEP };
static const int32_t STARTS[] = { 0, 5, 6, 19 };
static const int32_t IDS[] = { 1, 3, 0, 3, 2 }, PLACES[] = { 0, 1, 2, 0, 1 };

/* ---- Philox ---- */

static void
test_philox(void)
{
	static const struct {
		uint32_t counter[4];
		uint64_t key;
		uint32_t want[4];
	} cases[] = {
		{ { 0, 0, 0, 0 }, 0, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
		{ { ~0u, ~0u, ~0u, ~0u }, ~(uint64_t)0, { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
		{ { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, 0x299f31d0a4093822, { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t got[4];

		ops_philox(cases[i].counter, cases[i].key, got);
		is_mem(got, sizeof(got), cases[i].want, sizeof(got), "Philox, case %zu", i);
	}
}

/* ---- finite differences ---- */

/* A function of some arrays: the sum of its outputs, each times a number. */
struct function {
	struct ops_device *d;
	double *x[4]; /* its inputs */
	double *grads[4];
	size_t n[4], n_out;
	double *out, *weights;
	void (*forward)(struct function *f);
	void (*backward)(struct function *f); /* weights are the gradients of the outputs */
	double *scratch[4];
};

static double
value_of(struct function *f)
{
	double sum = 0;

	f->forward(f);
	for (size_t i = 0; i < f->n_out; i++)
		sum += f->out[i] * f->weights[i];
	return sum;
}

static double *
random_reals(size_t n, uint64_t seed)
{
	double *ret = xmalloc(n * sizeof(*ret));

	for (size_t i = 0; i < n; i++)
		ret[i] = random_next(&seed);
	return ret;
}

static void
check_input(struct function *f, int input, const char *name)
{
	double worst = 0, largest = 0;

	for (size_t i = 0; i < f->n[input]; i++)
		largest = fmax(largest, fabs(f->grads[input][i]));
	for (size_t probe = 0; probe < PROBES; probe++) {
		size_t i = (probe * 7919 + 3) % f->n[input];
		double *x = &f->x[input][i], before = *x, step = 1e-5, up;

		*x = before + step;
		up = value_of(f);
		*x = before - step;
		worst = fmax(worst, fabs((up - value_of(f)) / (2 * step) - f->grads[input][i]));
		*x = before;
	}
	ok(worst <= 1e-7 * largest && largest > 0, "%s, input %d: finite differences are off by %.3g of %.3g", name, input, worst, largest);
}

static void
check(struct function *f, const char *name)
{
	f->out = xcalloc(f->n_out, sizeof(double));
	f->weights = random_reals(f->n_out, 17);
	for (int i = 0; i < 4 && f->n[i]; i++) {
		f->x[i] = random_reals(f->n[i], (uint64_t)i + 1);
		f->grads[i] = xcalloc(f->n[i], sizeof(double));
	}
	for (int i = 0; i < 4; i++)
		f->scratch[i] = xcalloc(4096, sizeof(double));
	f->forward(f);
	f->backward(f);
	for (int i = 0; i < 4 && f->n[i]; i++)
		check_input(f, i, name);
	for (int i = 0; i < 4; i++) {
		free(f->x[i]);
		free(f->grads[i]);
		free(f->scratch[i]);
	}
	free(f->out);
	free(f->weights);
}

enum { ROWS = 5, CHANNELS = 12, COLUMNS = 9 };

static struct ops_embed
embed_of(const struct function *f)
{
	return (struct ops_embed){ .N = ROWS, .C = CHANNELS, .ids = IDS, .places = PLACES, .table = f->x[0], .positions = f->x[1],
		.scale = 2, .blank = true, .dropout = DROPOUT };
}

static void
embed_forward(struct function *f)
{
	struct ops_embed e = embed_of(f);

	f->d->ops->embed_forward(f->d, &e, f->out);
}

static void
embed_backward(struct function *f)
{
	struct ops_embed e = embed_of(f);

	f->d->ops->embed_backward(f->d, &e, f->weights, f->grads[0], f->grads[1]);
}

static struct ops_norm
norm_of(const struct function *f)
{
	return (struct ops_norm){ .N = ROWS, .C = CHANNELS, .x = f->x[0], .branch = f->x[1], .gain = f->x[2], .bias = f->x[3],
		.sum = f->scratch[0], .mean = f->scratch[1], .rstd = f->scratch[2], .epsilon = 1e-3, .dropout = DROPOUT };
}

static void
norm_forward(struct function *f)
{
	struct ops_norm n = norm_of(f);

	f->d->ops->norm_forward(f->d, &n, f->out);
}

static void
norm_backward(struct function *f)
{
	struct ops_norm n = norm_of(f);

	f->d->ops->norm_backward(f->d, &n, f->weights, f->grads[0], f->grads[1], f->grads[2], f->grads[3]);
}

static struct ops_norm
rms_norm_of(const struct function *f)
{
	return (struct ops_norm){ .kind = OPS_RMS_NORM, .N = ROWS, .C = CHANNELS, .x = f->x[0], .branch = f->x[1], .gain = f->x[2],
		.sum = f->scratch[0], .rstd = f->scratch[1], .epsilon = 1e-3, .dropout = DROPOUT };
}

static void
rms_norm_forward(struct function *f)
{
	struct ops_norm n = rms_norm_of(f);

	f->d->ops->norm_forward(f->d, &n, f->out);
}

static void
rms_norm_backward(struct function *f)
{
	struct ops_norm n = rms_norm_of(f);

	f->d->ops->norm_backward(f->d, &n, f->weights, f->grads[0], f->grads[1], f->grads[2], NULL);
}

/* A product with a bias; its backward half is two products and sums of columns, as models have it. */
static void
matmul_forward(struct function *f)
{
	struct ops_matmul m = { .M = ROWS, .N = COLUMNS, .K = CHANNELS, .a = f->x[0], .lda = CHANNELS, .b = f->x[1], .ldb = COLUMNS,
		.c = f->out, .ldc = COLUMNS, .bias = f->x[2] };

	f->d->ops->matmul(f->d, &m);
}

static void
matmul_backward(struct function *f)
{
	struct ops_matmul da = { .M = ROWS, .N = CHANNELS, .K = COLUMNS, .a = f->weights, .lda = COLUMNS, .b = f->x[1], .ldb = COLUMNS,
		.bt = true, .c = f->grads[0], .ldc = CHANNELS };
	struct ops_matmul db = { .M = CHANNELS, .N = COLUMNS, .K = ROWS, .a = f->x[0], .lda = CHANNELS, .at = true, .b = f->weights,
		.ldb = COLUMNS, .c = f->grads[1], .ldc = COLUMNS, .add = true };

	f->d->ops->matmul(f->d, &da);
	f->d->ops->matmul(f->d, &db);
	f->d->ops->column_sums(f->d, ROWS, COLUMNS, f->weights, f->grads[2]);
}

/* Both factors transposed, and added to what is there: here the third input. */
static void
turned_forward(struct function *f)
{
	struct ops_matmul m = { .M = ROWS, .N = COLUMNS, .K = CHANNELS, .a = f->x[0], .lda = ROWS, .at = true, .b = f->x[1], .ldb = CHANNELS,
		.bt = true, .c = f->out, .ldc = COLUMNS, .add = true };

	memcpy(f->out, f->x[2], ROWS * COLUMNS * sizeof(double));
	f->d->ops->matmul(f->d, &m);
}

static void
turned_backward(struct function *f)
{
	struct ops_matmul da = { .M = CHANNELS, .N = ROWS, .K = COLUMNS, .a = f->x[1], .lda = CHANNELS, .at = true, .b = f->weights,
		.ldb = COLUMNS, .bt = true, .c = f->grads[0], .ldc = ROWS };
	struct ops_matmul db = { .M = COLUMNS, .N = CHANNELS, .K = ROWS, .a = f->weights, .lda = COLUMNS, .at = true, .b = f->x[0],
		.ldb = ROWS, .bt = true, .c = f->grads[1], .ldc = CHANNELS };

	f->d->ops->matmul(f->d, &da);
	f->d->ops->matmul(f->d, &db);
	memcpy(f->grads[2], f->weights, ROWS * COLUMNS * sizeof(double));
}

static void
silu_forward(struct function *f)
{
	f->d->ops->activate_forward(f->d, OPS_SILU, f->n_out, f->x[0], f->out, &DROPOUT);
}

static void
silu_backward(struct function *f)
{
	memcpy(f->grads[0], f->weights, f->n_out * sizeof(double));
	f->d->ops->activate_backward(f->d, OPS_SILU, f->n_out, f->x[0], f->grads[0], &DROPOUT);
}

static void
gate_forward(struct function *f)
{
	f->d->ops->gate_forward(f->d, OPS_SILU, ROWS, CHANNELS, f->x[0], f->out);
}

static void
gate_backward(struct function *f)
{
	memcpy(f->grads[0], f->x[0], f->n[0] * sizeof(double));
	f->d->ops->gate_backward(f->d, OPS_SILU, ROWS, CHANNELS, f->grads[0], f->weights);
}

/* Two heads of six channels, of which one has a key and a value; angles are any numbers. */
static struct ops_rotate
rotate_of(const struct function *f, double *qkv, bool back)
{
	return (struct ops_rotate){ .N = ROWS, .C = CHANNELS, .NH = 2, .NKV = 1, .places = PLACES, .angles = f->scratch[0], .qkv = qkv,
		.back = back };
}

static void
rotate_forward(struct function *f)
{
	struct ops_rotate r = rotate_of(f, f->out, false);

	for (size_t i = 0; i < 3 * CHANNELS / 2; i++)
		f->scratch[0][i] = sin((double)i);
	memcpy(f->out, f->x[0], f->n_out * sizeof(double));
	f->d->ops->rotate(f->d, &r);
}

static void
rotate_backward(struct function *f)
{
	struct ops_rotate r = rotate_of(f, f->grads[0], true);

	memcpy(f->grads[0], f->weights, f->n_out * sizeof(double));
	f->d->ops->rotate(f->d, &r);
}

static void
gelu_forward(struct function *f)
{
	f->d->ops->activate_forward(f->d, OPS_GELU, f->n_out, f->x[0], f->out, &DROPOUT);
}

static void
gelu_backward(struct function *f)
{
	memcpy(f->grads[0], f->weights, f->n_out * sizeof(double));
	f->d->ops->activate_backward(f->d, OPS_GELU, f->n_out, f->x[0], f->grads[0], &DROPOUT);
}

static void
relu_forward(struct function *f)
{
	f->d->ops->activate_forward(f->d, OPS_RELU, f->n_out, f->x[0], f->out, &DROPOUT);
}

static void
relu_backward(struct function *f)
{
	memcpy(f->grads[0], f->weights, f->n_out * sizeof(double));
	f->d->ops->activate_backward(f->d, OPS_RELU, f->n_out, f->x[0], f->grads[0], &DROPOUT);
}

static struct ops_attention
attention_of(const struct function *f)
{
	return (struct ops_attention){ .N = 19, .C = CHANNELS, .NH = 3, .NKV = 3, .documents = 3, .longest = 13, .starts = STARTS, .qkv = f->x[0],
		.out = f->out, .logsum = f->scratch[0], .dropout = DROPOUT };
}

static void
attention_forward(struct function *f)
{
	struct ops_attention a = attention_of(f);

	f->d->ops->attention_forward(f->d, &a);
}

static void
attention_backward(struct function *f)
{
	struct ops_attention a = attention_of(f);

	f->d->ops->attention_backward(f->d, &a, f->weights, f->grads[0]);
}

/* Four heads of queries, two of keys and values. */
static struct ops_attention
grouped_of(const struct function *f)
{
	struct ops_attention a = attention_of(f);

	a.NH = 4;
	a.NKV = 2;
	return a;
}

static void
grouped_forward(struct function *f)
{
	struct ops_attention a = grouped_of(f);

	f->d->ops->attention_forward(f->d, &a);
}

static void
grouped_backward(struct function *f)
{
	struct ops_attention a = grouped_of(f);

	f->d->ops->attention_backward(f->d, &a, f->weights, f->grads[0]);
}

/* Here the outputs are losses, which the op itself weighs and adds up. */
static struct ops_xent
xent_of(const struct function *f, double *logits)
{
	return (struct ops_xent){ .N = ROWS, .V = CHANNELS, .ld = CHANNELS, .logits = logits, .labels = IDS, .weights = f->scratch[0], .smoothing = 0.1,
		.step = &STEP, .losses = f->out, .hits = f->scratch[1] };
}

static void
xent_forward(struct function *f)
{
	struct ops_xent x;

	for (size_t i = 0; i < ROWS; i++) {
		f->scratch[0][i] = (double)(i + 1);
		f->weights[i] = STEP.loss_scale;
	}
	x = xent_of(f, f->x[0]);
	f->d->ops->xent(f->d, &x);
}

static void
xent_backward(struct function *f)
{
	struct ops_xent x = xent_of(f, f->grads[0]);

	memcpy(f->grads[0], f->x[0], ROWS * CHANNELS * sizeof(double));
	x.backward = true;
	f->d->ops->xent(f->d, &x);
}

static void
test_gradients(void)
{
	const char *why;
	struct ops_device *d = ops_open("reference", 1, OPS_F32, &why);
	struct function embed = { .d = d, .n = { 4 * CHANNELS, 3 * CHANNELS }, .n_out = ROWS * CHANNELS, .forward = embed_forward,
		.backward = embed_backward };
	struct function norm = { .d = d, .n = { ROWS * CHANNELS, ROWS * CHANNELS, CHANNELS, CHANNELS }, .n_out = ROWS * CHANNELS,
		.forward = norm_forward, .backward = norm_backward };
	struct function rms_norm = { .d = d, .n = { ROWS * CHANNELS, ROWS * CHANNELS, CHANNELS }, .n_out = ROWS * CHANNELS,
		.forward = rms_norm_forward, .backward = rms_norm_backward };
	struct function matmul = { .d = d, .n = { ROWS * CHANNELS, CHANNELS * COLUMNS, COLUMNS }, .n_out = ROWS * COLUMNS,
		.forward = matmul_forward, .backward = matmul_backward };
	struct function turned = { .d = d, .n = { ROWS * CHANNELS, CHANNELS * COLUMNS, ROWS * COLUMNS }, .n_out = ROWS * COLUMNS,
		.forward = turned_forward, .backward = turned_backward };
	struct function silu = { .d = d, .n = { 100 }, .n_out = 100, .forward = silu_forward, .backward = silu_backward };
	struct function gate = { .d = d, .n = { ROWS * 2 * CHANNELS }, .n_out = ROWS * CHANNELS, .forward = gate_forward,
		.backward = gate_backward };
	struct function rotate = { .d = d, .n = { ROWS * 2 * CHANNELS }, .n_out = ROWS * 2 * CHANNELS, .forward = rotate_forward,
		.backward = rotate_backward };
	struct function grouped = { .d = d, .n = { 19 * 2 * CHANNELS }, .n_out = 19 * CHANNELS, .forward = grouped_forward,
		.backward = grouped_backward };
	struct function gelu = { .d = d, .n = { 100 }, .n_out = 100, .forward = gelu_forward, .backward = gelu_backward };
	struct function relu = { .d = d, .n = { 100 }, .n_out = 100, .forward = relu_forward, .backward = relu_backward };
	struct function attention = { .d = d, .n = { 19 * 3 * CHANNELS }, .n_out = 19 * CHANNELS, .forward = attention_forward,
		.backward = attention_backward };
	struct function xent = { .d = d, .n = { ROWS * CHANNELS }, .n_out = ROWS, .forward = xent_forward, .backward = xent_backward };

	check(&embed, "embed");
	check(&norm, "norm");
	check(&rms_norm, "norm by the root of the mean square");
	check(&matmul, "matmul and column_sums");
	check(&turned, "matmul of two transposed");
	check(&silu, "silu");
	check(&gate, "gate");
	check(&rotate, "rotate");
	check(&grouped, "attention with fewer heads of keys");
	check(&gelu, "gelu");
	check(&relu, "relu");
	check(&attention, "attention");
	check(&xent, "xent");
	d->ops->close(d);
}

/* ---- threads ---- */

struct outputs {
	struct array c, sums, out, logsum, dqkv, dgain, table, factor, grouped, gated, direction, square;
};

/* Sizes that are cut into many pieces. */
static struct outputs
run(int threads)
{
	enum { M = 300, N = 270, K = 1100, C = 96, V = 40 };
	const char *why;
	struct ops_device *d = ops_open("cpu", threads, OPS_F32, &why);
	struct array a = array_random(M * K, 1, 1), b = array_random(K * N, 2, 1), qkv = array_random(M * 3 * C, 3, 1);
	struct array gain = array_of(C, 1), mean = array_new(M), rstd = array_new(M), scratch = array_new(M * C);
	struct outputs o = { array_new(M * N), array_of(N, 0), array_new(M * C), array_new(M * 4), array_new(M * 3 * C), array_of(C, 0),
		array_of(V * C, 0), array_new(1), array_new(M * 2 * C), array_random(M * 2 * C, 4, 1), array_new(M * C), array_new(N * N) };
	struct ops_matmul m = { .M = M, .N = N, .K = K, .a = a.got, .lda = K, .b = b.got, .ldb = N, .c = o.c.got, .ldc = N };
	int32_t starts[] = { 0, 100, 200, M }, ids[M], places[M];
	struct ops_attention at = { .N = M, .C = C, .NH = 4, .NKV = 4, .documents = 3, .longest = 100, .starts = starts, .qkv = qkv.got,
		.out = o.out.got, .logsum = o.logsum.got, .dropout = DROPOUT };
	struct ops_rotate r = { .N = M, .C = C, .NH = 4, .NKV = 2, .places = places, .angles = a.got, .qkv = o.grouped.got };
	struct ops_muon muon = { .rows = M, .columns = C, .ld = K, .p = a.got, .m = a.got + C, .g = a.got + 2 * C, .x = o.direction.got, .momentum = 0.9,
		.scale = 1, .step = &STEP };
	struct ops_norm n = { .N = M, .C = C, .x = a.got, .mean = mean.got, .rstd = rstd.got, .gain = gain.got, .bias = gain.got,
		.epsilon = 1e-5 };
	struct ops_embed e = { .N = M, .C = C, .ids = ids, .places = places, .table = a.got, .positions = a.got, .scale = 1 };

	for (int i = 0; i < M; i++)
		ids[i] = places[i] = i * i % V;
	d->ops->matmul(d, &m);
	d->ops->column_sums(d, M, N, o.c.got, o.sums.got);
	d->ops->attention_forward(d, &at);
	d->ops->attention_backward(d, &at, b.got, o.dqkv.got);
	d->ops->norm_forward(d, &n, scratch.got);
	d->ops->norm_backward(d, &n, b.got, scratch.got, NULL, o.dgain.got, o.sums.got);
	d->ops->embed_backward(d, &e, b.got, o.table.got, NULL);
	d->ops->clip(d, M * K, a.got, 1, o.factor.got, mean.got);
	at.NKV = 2;
	d->ops->attention_backward(d, &at, b.got, o.grouped.got);
	d->ops->rotate(d, &r);
	d->ops->gate_forward(d, OPS_SILU, M, C, o.gated.got, scratch.got);
	d->ops->gate_backward(d, OPS_SILU, M, C, o.gated.got, scratch.got);
	d->ops->muon_begin(d, &muon);
	d->ops->muon_end(d, &muon);
	d->ops->diagonal(d, N, 1, 2, a.got, o.square.got);
	d->ops->close(d);
	array_release(&a);
	array_release(&b);
	array_release(&qkv);
	array_release(&gain);
	array_release(&mean);
	array_release(&rstd);
	array_release(&scratch);
	return o;
}

static void
test_threads(void)
{
	static const char *const names[] = { "matmul", "column_sums", "attention", "its sums", "its gradients", "norm's gradients",
		"embed's gradients", "clip", "gradients of grouped attention, turned", "gate's gradients", "muon's direction", "diagonal" };
	struct outputs one = run(1), five = run(5);
	struct array *of_one = &one.c, *of_five = &five.c;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ok(!memcmp(of_one[i].got, of_five[i].got, of_one[i].n * sizeof(float)), "%s: the same bits from one thread and from five", names[i]);
		array_release(&of_one[i]);
		array_release(&of_five[i]);
	}
}

/* Row by row, a few rows, or all at once: what a text becomes must not depend on its company. */
static void
test_rows(void)
{
	enum { M = 45, N = 83, K = 600 };
	const char *why;
	struct ops_device *d = ops_open("cpu", 2, OPS_F32, &why);
	struct array a = array_random(M * K, 1, 1), b = array_random(K * N, 2, 1), bias = array_random(N, 3, 1);
	struct array all = array_new(M * N), some = array_new(M * N);
	struct ops_matmul m = { .M = M, .N = N, .K = K, .a = a.got, .lda = K, .b = b.got, .ldb = N, .c = all.got, .ldc = N, .bias = bias.got };
	static const size_t sizes[] = { 1, 4, 7 };

	d->ops->matmul(d, &m);
	for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
		for (size_t i = 0; i < M; i += sizes[s]) {
			m.M = M - i < sizes[s] ? M - i : sizes[s];
			m.a = a.got + i * K;
			m.c = some.got + i * N;
			d->ops->matmul(d, &m);
		}
		ok(!memcmp(all.got, some.got, M * N * sizeof(float)), "matmul by %zu rows: the same bits as all at once", sizes[s]);
	}
	array_release(&a);
	array_release(&b);
	array_release(&bias);
	array_release(&all);
	array_release(&some);
	d->ops->close(d);
}

int
main(void)
{
	test_rows();
	test_philox();
	test_gradients();
	test_threads();
	return done_testing();
}
