/* Attention on a GPU, where there is one, against the reference in double precision: the cases that the emulation has too, and longer ones, which
 * would take it minutes. Each runs twice, and the same bits must come. Where there is no GPU the emulated one takes a few, so that what stands
 * here is known to work. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/cuda/plugin.h"
#include "kernels/ops.h"
#include "kernels/plain.h"
#include "tests/kernels/arrays.h"
#include "tests/kernels/attention_cases.h"
#include "tests/tap.h"

/* Of a GPU only. */
static const struct attention_case LONG_CASES[] = {
	{ "a document of 2,000", 1, { 0, 2000 }, 64, 2, 2, 0, true, true },
	{ "2,000, heads of 128", 2, { 0, 1, 2000 }, 128, 2, 1, 0, true, true },
	{ "2,000, heads of 32", 3, { 0, 900, 1001, 2000 }, 32, 3, 3, 0, true, true },
	{ "tiles of 64 only", 6, { 0, 500, 700, 1100, 1101, 1600, 2000 }, 64, 4, 2, 500, true, true },
	{ "single precision, 700", 3, { 0, 33, 400, 700 }, 64, 2, 2, 0, false, false },
};

struct sizes {
	size_t N, C, row;
};

static struct sizes
sizes_of(const struct attention_case *c)
{
	return (struct sizes){ (size_t)attention_start(c, c->documents), c->D * c->NH, (c->NH + 2 * c->NKV) * c->D };
}

static void *
device_memory(struct ops_device *d, size_t bytes)
{
	void *ret = d->ops->alloc(d, bytes);

	if (!ret)
		BUG("the device has no %zu bytes", bytes);
	return ret;
}

/* n narrow numbers; ret has them as the device does, after rounding. */
static void *
put(struct ops_device *d, size_t n, uint64_t seed, double scale, double *ret)
{
	CLEANUP(freep) float *numbers = xmalloc(n * sizeof(*numbers));
	void *at = device_memory(d, n * d->narrow);

	for (size_t i = 0; i < n; i++)
		numbers[i] = (float)(random_next(&seed) * scale);
	d->ops->put_narrow(d, at, numbers, n);
	d->ops->get_narrow(d, numbers, at, n);
	for (size_t i = 0; i < n; i++)
		ret[i] = (double)numbers[i];
	return at;
}

/* Within `tolerance` of the largest. */
static void
same(const float *got, const double *ref, size_t n, double tolerance, const char *name, const char *what)
{
	double largest = 0, worst = 0;
	size_t where = 0;

	for (size_t i = 0; i < n; i++) {
		double difference = fabs((double)got[i] - ref[i]);

		largest = fmax(largest, fabs(ref[i]));
		if (!(difference <= worst)) {
			worst = difference;
			where = i;
			if (isnan(worst))
				break;
		}
	}
	ok(worst <= tolerance * largest, "%s: %s[%zu] of %zu is off by %.3g of %.3g", name, what, where, n, worst, largest);
}

/* What attention wrote, on the host: as the device has it, then as single precision. */
struct written {
	size_t bytes, n;
	void *raw;
	float *numbers;
};

static struct written
take(struct ops_device *d, void *memory, size_t n, bool narrow)
{
	struct written ret = { .bytes = n * (narrow ? d->narrow : d->real), .n = n };

	ret.raw = xmalloc(ret.bytes);
	ret.numbers = xmalloc(n * sizeof(*ret.numbers));
	d->ops->download(d, ret.raw, memory, ret.bytes);
	(narrow ? d->ops->get_narrow : d->ops->get)(d, ret.numbers, memory, n);
	d->ops->free(d, memory);
	return ret;
}

enum { OUT, LOGSUM, DQKV, RESULTS };

/* Memory is filled with what no number is before. */
static void *
poisoned(struct ops_device *d, size_t bytes)
{
	CLEANUP(freep) unsigned char *poison = xmalloc(bytes);
	void *ret = device_memory(d, bytes);

	memset(poison, 0xFF, bytes);
	d->ops->upload(d, ret, poison, bytes);
	return ret;
}

static void
run(struct ops_device *d, const struct ops_attention *given, const void *dout, struct sizes s, struct written ret[RESULTS])
{
	struct ops_attention a = *given;
	void *dqkv = poisoned(d, s.N * s.row * d->narrow);

	a.out = poisoned(d, s.N * s.C * d->narrow);
	a.logsum = poisoned(d, s.N * a.NH * d->real);
	d->ops->attention_forward(d, &a);
	d->ops->attention_backward(d, &a, dout, dqkv);
	if (d->ops->sync(d))
		ok(false, "the device fails: %s", d->failure);
	ret[OUT] = take(d, a.out, s.N * s.C, true);
	ret[LOGSUM] = take(d, a.logsum, s.N * a.NH, false);
	ret[DQKV] = take(d, dqkv, s.N * s.row, true);
}

static void
test_case(struct ops_device *d, struct ops_device *reference, const struct attention_case *c, double rate)
{
	static const char *const names[RESULTS] = { "out", "logsum", "dqkv" };
	const double tolerances[RESULTS] = { c->narrow ? 6e-3 : 5e-6, 5e-6, c->narrow ? 8e-3 : 1e-5 };
	const struct ops_step step = { .seed = 0x123456789ABCDEFu, .step = 11 };
	struct sizes s = sizes_of(c);
	CLEANUP(freep) double *qkv = xmalloc(s.N * s.row * sizeof(*qkv)), *dout = xmalloc(s.N * s.C * sizeof(*dout));
	CLEANUP(freep) double *out = xmalloc(s.N * s.C * sizeof(*out)), *logsum = xmalloc(s.N * c->NH * sizeof(*logsum));
	CLEANUP(freep) double *dqkv = xmalloc(s.N * s.row * sizeof(*dqkv));
	CLEANUP(freep) int32_t *starts = xmalloc((c->documents + 1) * sizeof(*starts));
	const double *want[RESULTS] = { out, logsum, dqkv };
	void *qkv_there = put(d, s.N * s.row, 1, 2, qkv), *dout_there = put(d, s.N * s.C, 2, 1, dout);
	void *starts_there = device_memory(d, (c->documents + 1) * sizeof(*starts)), *step_there = device_memory(d, sizeof(step));
	struct written results[2][RESULTS];
	struct ops_attention a = { .N = s.N, .C = s.C, .NH = c->NH, .NKV = c->NKV, .documents = c->documents,
		.longest = c->longest ? c->longest : s.N, .starts = starts_there, .qkv = qkv_there,
		.dropout = { .rate = rate, .site = 3, .step = step_there } };

	for (size_t i = 0; i <= c->documents; i++)
		starts[i] = attention_start(c, i);
	d->ops->upload(d, starts_there, starts, (c->documents + 1) * sizeof(*starts));
	d->ops->upload(d, step_there, &step, sizeof(step));
	run(d, &a, dout_there, s, results[0]);
	run(d, &a, dout_there, s, results[1]);
	a.starts = starts;
	a.qkv = qkv;
	a.out = out;
	a.logsum = logsum;
	a.dropout.step = &step;
	reference->ops->attention_forward(reference, &a);
	reference->ops->attention_backward(reference, &a, dout, dqkv);
	for (int i = 0; i < RESULTS; i++) {
		struct written *first = &results[0][i], *second = &results[1][i];

		ok(!memcmp(first->raw, second->raw, first->bytes), "%s, dropout %g: the same bits of %s twice", c->name, rate, names[i]);
		same(first->numbers, want[i], first->n, tolerances[i], c->name, names[i]);
		free(first->raw);
		free(first->numbers);
		free(second->raw);
		free(second->numbers);
	}
	d->ops->free(d, qkv_there);
	d->ops->free(d, dout_there);
	d->ops->free(d, starts_there);
	d->ops->free(d, step_there);
}

static void
test_cases(struct ops_device *d, const struct attention_case *cases, size_t n)
{
	struct ops_device *reference = plain_open();

	for (size_t i = 0; i < n; i++)
		for (int dropout = 0; dropout < 2; dropout++)
			if (cases[i].narrow == (d->narrow == 2))
				test_case(d, reference, &cases[i], 0.3 * dropout);
	reference->ops->close(reference);
}

/* False: there is none. */
static bool
test_gpu(enum ops_precision precision)
{
	const char *why = NULL;
	struct ops_device *d = ops_open("cuda", 0, precision, &why);

	if (!d) {
		skip(1, "%s: %s", precision == OPS_BF16 ? "cuda with bfloat16" : "cuda", why);
		return false;
	}
	tap_note("%s", d->name);
	test_cases(d, ATTENTION_CASES, ARRAY_LEN(ATTENTION_CASES));
	test_cases(d, LONG_CASES, ARRAY_LEN(LONG_CASES));
	d->ops->close(d);
	return true;
}

static void
test_emulated(enum ops_precision precision)
{
#ifdef HAVE_EMULATION
	const char *why = NULL;
	struct ops_device *d = lateen_cuda_open(OPS_ABI, sizeof(struct ops), precision, &why);
	static const struct attention_case few[] = {
		{ "a few tokens", 3, { 0, 1, 1, 21 }, 32, 2, 1, 0, true, true },
		{ "a few tokens in single precision", 2, { 0, 5, 19 }, 12, 2, 1, 0, false, false },
	};

	if (!ok(d != NULL, "the emulated GPU opens %s", d ? "" : why))
		return;
	test_cases(d, few, ARRAY_LEN(few));
	d->ops->close(d);
#else
	skip(1, "the emulated GPU with precision %d: no C++ compiler was there", (int)precision);
#endif
}

int
main(void)
{
	const char *builddir = getenv("builddir");
	char plugin[4096];

	snprintf(plugin, sizeof(plugin), "%s/%s", builddir ? builddir : ".", CUDA_PLUGIN_FILE);
	if (!access(plugin, R_OK))
		setenv("LATEEN_CUDA_PLUGIN", plugin, 1);
	for (enum ops_precision precision = OPS_F32; precision <= OPS_BF16; precision++)
		if (!test_gpu(precision))
			test_emulated(precision);
	return done_testing();
}
