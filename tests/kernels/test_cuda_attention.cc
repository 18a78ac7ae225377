/* Attention's CUDA kernels, emulated, against the reference in double precision. Each runs twice, its threads in opposite orders: the same
 * bits must come. Memory has nothing beside it, for the address sanitizer, and holds NaN where nothing was written. */
#include "config.h"

#include "kernels/cuda/attention.h"

#include <stdlib.h>

#include "tests/kernels/attention_cases.h"

extern "C" {
#include "tests/kernels/arrays.h"
#include "tests/tap.h"
struct ops_device *plain_open(void);
}

static const struct ops_step STEP = { 0x123456789ABCDEFu, 11, 0.25, 0.01, 1.5, 0.001, 0, 0 };

/* ---- memory of the device ---- */

static void *
device_memory(size_t bytes)
{
	void *ret;

	if (cudaMalloc(&ret, bytes) != cudaSuccess)
		abort();
	return ret;
}

/* n numbers, as the device has them; the reference gets what they are after rounding. */
static void *
device_numbers(bool narrow, size_t n, uint64_t seed, double scale, double *ref)
{
	void *ret = device_memory(n * (narrow ? sizeof(bf16) : sizeof(float)));

	for (size_t i = 0; i < n; i++) {
		float x = (float)(random_next(&seed) * scale);

		if (narrow) {
			((bf16 *)ret)[i] = to_bf16(x);
			x = to_float(to_bf16(x));
		} else {
			((float *)ret)[i] = x;
		}
		ref[i] = (double)x;
	}
	return ret;
}

static double
number(const void *numbers, bool narrow, size_t i)
{
	return (double)(narrow ? to_float(((const bf16 *)numbers)[i]) : ((const float *)numbers)[i]);
}

/* Within `tolerance` of the largest. */
static void
same(const void *got, bool narrow, const double *ref, size_t n, double tolerance, const char *name, const char *what)
{
	double largest = 0, worst = 0;
	size_t where = 0;

	for (size_t i = 0; i < n; i++) {
		double difference = fabs(number(got, narrow, i) - ref[i]);

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

/* ---- a case ---- */

struct results {
	size_t bytes[3];
	void *out, *logsum, *dqkv;
};

static struct results
run(const struct attention_case *c, const struct ops_attention *given, const void *dout, size_t N)
{
	size_t number_size = c->narrow ? sizeof(bf16) : sizeof(float), C = given->C, row = C + 2 * ops_key_channels(C, c->NH, c->NKV);
	struct results ret = { { N * C * number_size, N * c->NH * sizeof(float), N * row * number_size }, NULL, NULL, NULL };
	struct ops_attention a = *given;
	float *delta = (float *)device_memory(N * c->NH * sizeof(float));

	a.out = ret.out = device_memory(ret.bytes[0]);
	a.logsum = ret.logsum = device_memory(ret.bytes[1]);
	ret.dqkv = device_memory(ret.bytes[2]);
	attention_forward(NULL, &a, c->narrow);
	attention_backward(NULL, &a, c->narrow, dout, ret.dqkv, delta);
	cudaFree(delta);
	return ret;
}

static void
release(struct results *r)
{
	cudaFree(r->out);
	cudaFree(r->logsum);
	cudaFree(r->dqkv);
}

static void
test_case(struct ops_device *reference, const struct attention_case *c, double rate)
{
	size_t N = (size_t)attention_start(c, c->documents), C = c->D * c->NH, row = C + 2 * c->D * c->NKV;
	double *qkv = (double *)xmalloc(N * row * sizeof(double)), *dout = (double *)xmalloc(N * C * sizeof(double));
	double *out = (double *)xmalloc(N * C * sizeof(double)), *logsum = (double *)xmalloc(N * c->NH * sizeof(double));
	double *dqkv = (double *)xmalloc(N * row * sizeof(double));
	struct ops_attention a = {};
	struct results results[2];

	a.N = N;
	a.C = C;
	a.NH = c->NH;
	a.NKV = c->NKV;
	a.documents = c->documents;
	a.longest = c->longest ? c->longest : N;
	a.dropout = { rate, 3, &STEP };
	void *on_device = device_numbers(c->narrow, N * row, 1, 2, qkv), *dout_on_device = device_numbers(c->narrow, N * C, 2, 1, dout);
	int32_t *starts = (int32_t *)device_memory((c->documents + 1) * sizeof(*starts));

	for (size_t i = 0; i <= c->documents; i++)
		starts[i] = attention_start(c, i);
	a.starts = starts;
	a.qkv = on_device;
	emulate_clear();
	for (int order = EMULATE_FORWARD; order <= EMULATE_BACKWARD; order++) {
		emulate_order((enum emulate_order)order);
		results[order] = run(c, &a, dout_on_device, N);
	}
	emulate_order(EMULATE_FORWARD);
	is_str(emulate_failure(), NULL, "%s, dropout %g: nothing failed", c->name, rate);
	ok(c->tensor == (emulate_counters()->mmas > 0), "%s: %lu products on tensor cores", c->name, emulate_counters()->mmas);
	is_int((int64_t)emulate_counters()->conflicts, 0, "%s: no rows meet in a bank", c->name);
	ok(!memcmp(results[0].out, results[1].out, results[0].bytes[0]) && !memcmp(results[0].logsum, results[1].logsum, results[0].bytes[1]) &&
		!memcmp(results[0].dqkv, results[1].dqkv, results[0].bytes[2]), "%s: the same bits in both orders", c->name);
	a.qkv = qkv;
	a.out = out;
	a.logsum = logsum;
	reference->ops->attention_forward(reference, &a);
	reference->ops->attention_backward(reference, &a, dout, dqkv);
	/* bfloat16 rounds by up to 2^-9: results once, probabilities and gradients of scores once more on the way. */
	same(results[0].out, c->narrow, out, N * C, c->narrow ? 6e-3 : 5e-6, c->name, "out");
	same(results[0].logsum, false, logsum, N * c->NH, 5e-6, c->name, "logsum");
	same(results[0].dqkv, c->narrow, dqkv, N * row, c->narrow ? 8e-3 : 1e-5, c->name, "dqkv");
	release(&results[0]);
	release(&results[1]);
	cudaFree(on_device);
	cudaFree(dout_on_device);
	cudaFree(starts);
	free(qkv);
	free(dout);
	free(out);
	free(logsum);
	free(dqkv);
}

int
main(void)
{
	struct ops_device *reference = plain_open();

	for (size_t i = 0; i < ARRAY_LEN(ATTENTION_CASES); i++)
		for (int dropout = 0; dropout < 2; dropout++)
			test_case(reference, &ATTENTION_CASES[i], 0.3 * dropout);
	reference->ops->close(reference);
	return done_testing();
}
