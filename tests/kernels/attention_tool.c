/* How fast a device's attention is, at lengths that published figures know.
 *
 *     attention_tool DEVICE f32|bf16 TOKENS [REPEATS]
 *
 * Batches of TOKENS tokens in documents of one length each; the shortest is the mean of the codelab's issues. A line a shape, of JSON: the
 * milliseconds of one call, forward and backward, and the TFLOP/s by FlashAttention's count: 2 T^2 D a head for the forward half of a causal
 * document, five halves of that for the backward one. Zeros run faster than numbers do, so there are none. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/macros.h"
#include "kernels/ops.h"
#include "tests/kernels/arrays.h"

static const struct shape {
	size_t T, NH, D;
	double dropout;
} SHAPES[] = {
	{ 159, 8, 64, 0 }, { 159, 8, 64, 0.1 }, { 512, 8, 64, 0 }, { 512, 8, 64, 0.1 }, { 1024, 12, 64, 0 }, { 2048, 12, 64, 0 },
	{ 4096, 12, 64, 0 }, { 512, 8, 32, 0 }, { 1024, 8, 128, 0 },
};

struct memory {
	struct ops_attention a;
	void *qkv, *dout, *dqkv;
	int32_t *starts;
	struct ops_step *step;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *
memory_of(struct ops_device *d, size_t bytes)
{
	void *ret = d->ops->alloc(d, bytes);

	if (!ret)
		BUG("the device has no %zu bytes left", bytes);
	return ret;
}

static void *
narrow_numbers(struct ops_device *d, size_t n, uint64_t seed)
{
	CLEANUP(freep) float *numbers = xmalloc(n * sizeof(*numbers));
	void *ret = memory_of(d, n * d->narrow);

	for (size_t i = 0; i < n; i++)
		numbers[i] = (float)random_next(&seed);
	d->ops->put_narrow(d, ret, numbers, n);
	return ret;
}

static void
open_memory(struct ops_device *d, const struct shape *s, size_t tokens, struct memory *m)
{
	size_t documents = tokens / s->T ? tokens / s->T : 1, N = documents * s->T, C = s->NH * s->D;
	CLEANUP(freep) int32_t *starts = xmalloc((documents + 1) * sizeof(*starts));
	const struct ops_step step = { .seed = 7, .step = 1 };

	for (size_t i = 0; i <= documents; i++)
		starts[i] = (int32_t)(i * s->T);
	m->starts = memory_of(d, (documents + 1) * sizeof(*starts));
	d->ops->upload(d, m->starts, starts, (documents + 1) * sizeof(*starts));
	m->step = memory_of(d, sizeof(step));
	d->ops->upload(d, m->step, &step, sizeof(step));
	m->qkv = narrow_numbers(d, N * 3 * C, 1);
	m->dout = narrow_numbers(d, N * C, 2);
	m->dqkv = memory_of(d, N * 3 * C * d->narrow);
	m->a = (struct ops_attention){ .N = N, .C = C, .NH = s->NH, .NKV = s->NH, .documents = documents, .longest = s->T, .starts = m->starts,
		.qkv = m->qkv, .out = memory_of(d, N * C * d->narrow), .logsum = memory_of(d, N * s->NH * d->real),
		.dropout = { .rate = s->dropout, .site = 3, .step = m->step } };
}

static void
close_memory(struct ops_device *d, struct memory *m)
{
	void *all[] = { m->qkv, m->dout, m->dqkv, m->starts, m->step, m->a.out, m->a.logsum };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		d->ops->free(d, all[i]);
}

/* Milliseconds of one call out of many. */
static double
timed(struct ops_device *d, struct memory *m, bool back, int repeats)
{
	double began = 0;

	for (int i = -1; i < repeats; i++) {
		if (!i) {
			d->ops->sync(d);
			began = now();
		}
		if (back)
			d->ops->attention_backward(d, &m->a, m->dout, m->dqkv);
		else
			d->ops->attention_forward(d, &m->a);
	}
	if (d->ops->sync(d))
		BUG("%s", d->failure);
	return (now() - began) * 1e3 / repeats;
}

static void
measure(struct ops_device *d, const struct shape *s, size_t tokens, int repeats)
{
	struct memory m;
	double forward, backward, flops;

	open_memory(d, s, tokens, &m);
	forward = timed(d, &m, false, repeats);
	backward = timed(d, &m, true, repeats);
	flops = 2.0 * (double)s->T * (double)s->T * (double)(s->D * s->NH * m.a.documents);
	printf("{\"device\": \"%s\", \"documents\": %zu, \"tokens\": %zu, \"heads\": %zu, \"channels\": %zu, \"dropout\": %g, "
	       "\"forward_ms\": %.4f, \"backward_ms\": %.4f, \"forward_tflops\": %.4g, \"backward_tflops\": %.4g}\n",
		d->name, m.a.documents, s->T, s->NH, s->D, s->dropout, forward, backward, flops / forward / 1e9, 2.5 * flops / backward / 1e9);
	fflush(stdout);
	close_memory(d, &m);
}

int
main(int argc, char **argv)
{
	struct ops_device *d;
	const char *why;
	int repeats = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 20;
	size_t tokens = argc > 3 ? (size_t)strtoull(argv[3], NULL, 10) : 0;

	if (argc < 4 || !tokens || tokens > 1u << 20 || repeats < 1) {
		fprintf(stderr, "usage: attention_tool DEVICE f32|bf16 TOKENS [REPEATS]\n");
		return 2;
	}
	d = ops_open(argv[1], 0, strcmp(argv[2], "bf16") == 0 ? OPS_BF16 : OPS_F32, &why);
	if (!d) {
		fprintf(stderr, "attention_tool: %s: %s\n", argv[1], why);
		return 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(SHAPES); i++)
		measure(d, &SHAPES[i], tokens, repeats);
	d->ops->close(d);
	return 0;
}
