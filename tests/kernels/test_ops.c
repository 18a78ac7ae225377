/* Each operation of each set of instructions against the reference, and the reference's backward halves against finite differences. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/emulate_control.h"
#include "kernels/cuda/plugin.h"
#include "kernels/ops.h"
#include "tests/kernels/arrays.h"
#include "tests/kernels/pair.h"
#include "tests/tap.h"

/* ---- one test an operation ---- */

static void
test_matmul(size_t M, size_t N, size_t K)
{
	for (int form = 0; form < (is_narrow() ? 32 : 16); form++) {
		bool at = form & 1, bt = form & 2, add = form & 4, bias = form & 8, wide = form & 16;
		size_t lda = (at ? M : K) + 3, ldb = (bt ? K : N) + 1, ldc = N + 2;
		/* Few rows may stay in single precision. */
		bool rounded = devices[1]->precision == OPS_BF16 && !is_narrow() && (M > 32 || bt);
		struct array a = array_random((at ? K : M) * lda, 1, 1), b = array_random((bt ? N : K) * ldb, 2, 1);
		struct array c = array_random(M * ldc, 3, 1), v = array_random(N, 4, 1);

		BOTH(w) {
			struct ops_matmul m = { .M = M, .N = N, .K = K, .a = narrow(&a, w), .lda = lda, .b = narrow(&b, w), .ldb = ldb,
				.c = wide ? side(&c, w) : narrow(&c, w), .ldc = ldc, .at = at, .bt = bt, .add = add, .bias = bias ? narrow(&v, w) : NULL, .wide = wide };

			OPS(w)->matmul(devices[w], &m);
		}
		if (!array_same(&c, rounded ? 8e-3 : 4e-6, "matmul"))
			tap_note("%zu %zu %zu, form %d", M, N, K, form);
		array_release(&a);
		array_release(&b);
		array_release(&c);
		array_release(&v);
	}
}

/* Packed from a matrix and from its transpose; and a row alone is the same bits as among others. */
static void
test_packed(size_t M, size_t N, size_t K, enum ops_packing packing, double tolerance)
{
	for (int form = 0; form < 4; form++) {
		bool bt = form & 1, bias = form & 2;
		size_t ldb = (bt ? K : N) + 3;
		struct array a = array_random(M * K, 1, 1), b = array_random((bt ? N : K) * ldb, 2, 1), c = array_new(M * N);
		struct array v = array_random(N, 4, 1), row = array_new(N);

		BOTH(w) {
			struct ops_pack p = { .N = N, .K = K, .packing = packing, .b = side(&b, w), .ldb = ldb, .bt = bt };
			void *packed = OPS(w)->alloc(devices[w], OPS(w)->packed_size(devices[w], &p));
			struct ops_packed m = { .M = M, .N = N, .K = K, .packing = packing, .a = side(&a, w), .b = packed, .c = side(&c, w),
				.bias = bias ? side(&v, w) : NULL };

			OPS(w)->pack(devices[w], &p, packed);
			OPS(w)->packed_matmul(devices[w], &m);
			m.a = (const char *)m.a + (M - 1) * K * devices[w]->real;
			m.M = 1;
			m.c = side(&row, w);
			OPS(w)->packed_matmul(devices[w], &m);
			OPS(w)->free(devices[w], packed);
		}
		if (!array_same(&c, tolerance, "packed_matmul"))
			tap_note("%zu %zu %zu, packing %d, form %d", M, N, K, (int)packing, form);
		is_mem(row.got, N * sizeof(float), c.got + (M - 1) * N, N * sizeof(float), "a row alone is the same bits");
		array_release(&a);
		array_release(&b);
		array_release(&c);
		array_release(&v);
		array_release(&row);
	}
}

/* Rounding to bfloat16 and whole numbers differs by a step now and then, where a number lies in the middle of two. */
static void
test_all_packed(void)
{
	static const size_t shapes[][3] = { { 1, 1, 1 }, { 1, 70, 33 }, { 3, 64, 256 }, { 5, 129, 515 }, { 6, 16, 2 }, { 13, 200, 300 }, { 100, 33, 511 } };
	double rounded = devices[1]->precision == OPS_BF16 ? 8e-3 : 4e-6;

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		test_packed(shapes[i][0], shapes[i][1], shapes[i][2], OPS_PACK_F32, 4e-6);
		test_packed(shapes[i][0], shapes[i][1], shapes[i][2], OPS_PACK_BF16, rounded);
		test_packed(shapes[i][0], shapes[i][1], shapes[i][2], OPS_PACK_INT8, 3e-3);
	}
}

static void
test_embed(size_t N, size_t C, size_t V, double rate)
{
	struct array table = array_random(V * C, 1, 1), positions = array_random(9 * C, 2, 1), out = array_new(N * C);
	struct array dout = array_random(N * C, 3, 1), dtable = array_random(V * C, 4, 1), dpositions = array_random(9 * C, 5, 1);
	CLEANUP(freep) int32_t *ids = numbers(N, V), *places = numbers(N, 9);

	for (int blank = 1; blank >= 0; blank--) {
		BOTH(w) {
			struct ops_embed e = { .N = N, .C = C, .ids = ints(ids, N, w), .places = ints(places, N, w), .table = side(&table, w),
				.positions = blank ? NULL : side(&positions, w), .scale = 3.5, .blank = blank, .dropout = dropout_of(rate, w) };

			OPS(w)->embed_forward(devices[w], &e, side(&out, w));
			OPS(w)->embed_backward(devices[w], &e, side(&dout, w), side(&dtable, w), blank ? NULL : side(&dpositions, w));
		}
		array_same(&out, 1e-6, "embed_forward");
	}
	array_same(&dtable, 2e-6, "embed_backward, table");
	array_same(&dpositions, 2e-6, "embed_backward, positions");
	array_release(&table);
	array_release(&positions);
	array_release(&out);
	array_release(&dout);
	array_release(&dtable);
	array_release(&dpositions);
}

struct norm_arrays {
	struct array x, branch, sum, mean, rstd, gain, bias, out, dout, dsum, dbranch, dgain, dbias;
};

static struct ops_norm
norm_of(struct norm_arrays *a, int w, size_t N, size_t C, enum ops_norm_kind kind, bool branch, double rate)
{
	bool rms = kind == OPS_RMS_NORM;

	return (struct ops_norm){ .kind = kind, .N = N, .C = C, .x = side(&a->x, w), .branch = branch ? narrow(&a->branch, w) : NULL,
		.sum = side(&a->sum, w), .mean = rms ? NULL : side(&a->mean, w), .rstd = side(&a->rstd, w), .gain = side(&a->gain, w),
		.bias = rms ? NULL : side(&a->bias, w), .epsilon = 1e-5, .dropout = dropout_of(rate, w) };
}

static struct norm_arrays
norm_arrays(size_t N, size_t C)
{
	return (struct norm_arrays){ .x = array_random(N * C, 1, 2), .branch = array_random(N * C, 2, 1), .sum = array_new(N * C),
		.mean = array_new(N), .rstd = array_new(N), .gain = array_random(C, 3, 1), .bias = array_random(C, 4, 1),
		.out = array_new(N * C), .dout = array_random(N * C, 5, 1), .dsum = array_random(N * C, 6, 1), .dbranch = array_new(N * C),
		.dgain = array_random(C, 7, 1), .dbias = array_random(C, 8, 1) };
}

static void
norm_release(struct norm_arrays *a)
{
	struct array *all[] = { &a->x, &a->branch, &a->sum, &a->mean, &a->rstd, &a->gain, &a->bias, &a->out, &a->dout, &a->dsum, &a->dbranch,
		&a->dgain, &a->dbias };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		array_release(all[i]);
}

static void
test_norm(enum ops_norm_kind kind, size_t N, size_t C, double rate)
{
	for (int branch = 0; branch < 2; branch++) {
		struct norm_arrays a = norm_arrays(N, C);

		BOTH(w) {
			struct ops_norm n = norm_of(&a, w, N, C, kind, branch, rate);

			OPS(w)->norm_forward(devices[w], &n, narrow(&a.out, w));
			OPS(w)->norm_backward(devices[w], &n, narrow(&a.dout, w), side(&a.dsum, w), branch ? narrow(&a.dbranch, w) : NULL,
				side(&a.dgain, w), kind == OPS_RMS_NORM ? NULL : side(&a.dbias, w));
		}
		array_same(&a.out, 3e-6, "norm_forward");
		array_same(&a.dsum, 5e-6, "norm_backward");
		array_same(&a.dgain, 5e-6, "norm_backward, gain");
		array_same(&a.dbias, 5e-6, "norm_backward, bias");
		if (branch) {
			array_same(&a.sum, 1e-6, "norm_forward, sum");
			array_same(&a.dbranch, 5e-6, "norm_backward, branch");
		}
		norm_release(&a);
	}
}

static void
test_activation(enum ops_activation kind, size_t n, double rate)
{
	struct array in = array_random(n, 1, 4), out = array_new(n), grad = array_random(n, 2, 1);

	BOTH(w) {
		struct ops_dropout dropout = dropout_of(rate, w);

		OPS(w)->activate_forward(devices[w], kind, n, narrow(&in, w), narrow(&out, w), &dropout);
		OPS(w)->activate_backward(devices[w], kind, n, narrow(&in, w), narrow(&grad, w), &dropout);
	}
	array_same(&out, 1e-6, "activate_forward");
	array_same(&grad, 2e-6, "activate_backward");
	array_release(&in);
	array_release(&out);
	array_release(&grad);
}

static void
test_gate(enum ops_activation kind, size_t N, size_t F)
{
	struct array in = array_random(N * 2 * F, 1, 4), out = array_new(N * F), dout = array_random(N * F, 2, 1);

	BOTH(w) {
		OPS(w)->gate_forward(devices[w], kind, N, F, narrow(&in, w), narrow(&out, w));
		OPS(w)->gate_backward(devices[w], kind, N, F, narrow(&in, w), narrow(&dout, w));
	}
	array_same(&out, 1e-6, "gate_forward");
	array_same(&in, 2e-6, "gate_backward");
	array_release(&in);
	array_release(&out);
	array_release(&dout);
}

static void
test_sums(size_t N, size_t C)
{
	struct array x = array_random(N * C, 1, 1), sums = array_random(C, 2, 1), factor = array_new(1), norm = array_new(1);

	BOTH(w) {
		OPS(w)->column_sums(devices[w], N, C, narrow(&x, w), side(&sums, w));
		OPS(w)->clip(devices[w], N * C, side(&x, w), 1.5, side(&factor, w), side(&norm, w));
	}
	array_same(&sums, 3e-6, "column_sums");
	array_same(&factor, 2e-6, "clip");
	array_same(&norm, 2e-6, "clip, norm");
	array_release(&x);
	array_release(&sums);
	array_release(&factor);
	array_release(&norm);
}

static void
test_attention(const int32_t *starts, size_t documents, size_t C, size_t NH, size_t NKV, double rate)
{
	size_t N = (size_t)starts[documents], QKV = C + 2 * ops_key_channels(C, NH, NKV);
	struct array qkv = array_random(N * QKV, 1, 2), out = array_new(N * C), logsum = array_new(N * NH);
	struct array dout = array_random(N * C, 2, 1), dqkv = array_new(N * QKV);

	BOTH(w) {
		struct ops_attention a = { .N = N, .C = C, .NH = NH, .NKV = NKV, .documents = documents, .longest = N,
			.starts = ints(starts, documents + 1, w),
			.qkv = narrow(&qkv, w), .out = narrow(&out, w), .logsum = side(&logsum, w), .dropout = dropout_of(rate, w) };

		OPS(w)->attention_forward(devices[w], &a);
		OPS(w)->attention_backward(devices[w], &a, narrow(&dout, w), narrow(&dqkv, w));
	}
	array_same(&out, 5e-6, "attention_forward");
	array_same(&logsum, 5e-6, "attention_forward, sums");
	array_same(&dqkv, is_narrow() ? 2e-2 : 1e-5, "attention_backward");
	array_release(&qkv);
	array_release(&out);
	array_release(&logsum);
	array_release(&dout);
	array_release(&dqkv);
}

/* Three rows of their own slots, in any order, at different lengths; the first 9 tokens of slot 1 lie in slot 2. In what order the device
 * keeps keys and values is its own affair. */
static void
test_decode(size_t C, size_t NH, size_t NKV, bool halves)
{
	enum { R = 3, L = 21 };
	size_t CK = ops_key_channels(C, NH, NKV), row = C + 2 * CK;
	static const int32_t slots[R] = { 2, 0, 1 }, at[R] = { 20, 0, 16 };
	int32_t from[R * L], all_slots[R * L], all_at[R * L];
	struct array all = array_random(R * L * row, 4, 2), qkv = array_random(R * row, 1, 2), out = array_new(R * C);
	struct array keys = array_new(R * L * CK), values = array_new(R * L * CK);

	for (int i = 0; i < R * L; i++) {
		from[i] = i / L == 1 && i % L < 9 ? 2 : i / L;
		all_slots[i] = i / L;
		all_at[i] = i % L;
	}
	BOTH(w) {
		struct ops_keep k = { .N = R * L, .C = C, .NH = NH, .NKV = NKV, .L = L, .slots = ints(all_slots, R * L, w),
			.at = ints(all_at, R * L, w), .qkv = narrow(&all, w), .keys = narrow(&keys, w), .values = narrow(&values, w),
			.halves = halves };
		struct ops_decode a = { .R = R, .C = C, .NH = NH, .NKV = NKV, .L = L, .slots = ints(slots, R, w), .at = ints(at, R, w),
			.from = ints(from, R * L, w), .qkv = narrow(&qkv, w), .keys = narrow(&keys, w), .values = narrow(&values, w),
			.halves = halves, .out = narrow(&out, w) };

		OPS(w)->keep(devices[w], &k);
		k.N = R;
		k.slots = a.slots;
		k.at = a.at;
		k.qkv = narrow(&qkv, w);
		OPS(w)->keep(devices[w], &k);
		OPS(w)->decode_attention(devices[w], &a);
	}
	array_same(&out, 5e-6, "decode_attention");
	array_release(&all);
	array_release(&qkv);
	array_release(&keys);
	array_release(&values);
	array_release(&out);
}

/* Turned, and back again. */
static void
test_rotate(size_t N, size_t C, size_t NH, size_t NKV)
{
	size_t D = C / NH, row = C + 2 * NKV * D;
	struct array angles = array_random(9 * D, 1, 1), qkv = array_random(N * row, 2, 2);
	CLEANUP(freep) int32_t *places = numbers(N, 9);

	for (int back = 0; back < 2; back++) {
		BOTH(w) {
			struct ops_rotate r = { .N = N, .C = C, .NH = NH, .NKV = NKV, .places = ints(places, N, w), .angles = side(&angles, w),
				.qkv = narrow(&qkv, w), .back = back };

			OPS(w)->rotate(devices[w], &r);
		}
		array_same(&qkv, 1e-6, back ? "rotate, back" : "rotate");
	}
	array_release(&angles);
	array_release(&qkv);
}

static void
test_xent(size_t N, size_t V, double smoothing)
{
	size_t ld = V % 2 ? V + 2 : (V + 7) / 8 * 8;
	struct array logits = array_random(N * ld, 1, 6), weights = array_random(N, 2, 1), losses = array_new(N), hits = array_new(N);
	CLEANUP(freep) int32_t *labels = numbers(N, V);

	/* Half of the rows are right, and two have equal largest ones. */
	for (size_t i = 0; i < N; i += 2) {
		logits.ref[i * ld + (size_t)labels[i]] = 9;
		logits.got[i * ld + (size_t)labels[i]] = 9;
	}
	logits.ref[V - 1] = 9;
	logits.got[V - 1] = 9;
	for (int backward = 0; backward < 2; backward++)
		BOTH(w) {
			struct ops_xent x = { .N = N, .V = V, .ld = ld, .logits = narrow(&logits, w),
				.labels = ints(labels, N, w), .weights = side(&weights, w), .smoothing = smoothing, .backward = backward,
				.step = step_for(w), .losses = side(&losses, w), .hits = side(&hits, w) };

			OPS(w)->xent(devices[w], &x);
		}
	array_same(&losses, 3e-6, "xent");
	array_same(&hits, 0, "xent, hits");
	array_same(&logits, 5e-6, "xent, gradients");
	array_release(&logits);
	array_release(&weights);
	array_release(&losses);
	array_release(&hits);
}

static void
test_adam(size_t n, bool clipped, bool decay)
{
	struct array p = array_random(n, 1, 1), m = array_random(n, 2, 1), v = array_of(n, 0.25), g = array_random(n, 3, 1);
	struct array factor = array_of(1, 0.5), copy = array_new(n);

	BOTH(w) {
		struct ops_adam a = { .n = n, .p = side(&p, w), .m = side(&m, w), .v = side(&v, w), .g = side(&g, w), .beta1 = 0.9,
			.beta2 = 0.98, .epsilon = 1e-9, .clip = clipped ? side(&factor, w) : NULL, .decay = decay, .step = step_for(w),
			.narrow = w && is_narrow() ? array_narrow(&copy) : NULL };

		OPS(w)->adam(devices[w], &a);
	}
	array_same(&p, 1e-6, "adam");
	array_same(&m, 1e-6, "adam, m");
	array_same(&v, 1e-6, "adam, v");
	if (is_narrow()) {
		memcpy(copy.ref, p.ref, n * sizeof(*copy.ref));
		array_same(&copy, 1e-6, "adam, the narrow copy");
	}
	array_release(&p);
	array_release(&m);
	array_release(&v);
	array_release(&g);
	array_release(&factor);
	array_release(&copy);
}

/* Some columns of a matrix of more; a gradient of zeros stays one. */
static void
test_muon(size_t rows, size_t columns, bool clipped, bool decay, double size)
{
	size_t ld = columns + 5;
	struct array p = array_random(rows * ld, 1, 1), m = array_random(rows * ld, 2, size), g = array_random(rows * ld, 3, size);
	struct array x = array_new(rows * columns), factor = array_of(1, 0.5);

	BOTH(w) {
		struct ops_muon muon = { .rows = rows, .columns = columns, .ld = ld, .p = side(&p, w), .m = side(&m, w), .g = side(&g, w),
			.x = narrow(&x, w), .momentum = 0.95, .epsilon = 1e-7, .scale = 1.5, .clip = clipped ? side(&factor, w) : NULL,
			.decay = decay, .step = step_for(w) };

		OPS(w)->muon_begin(devices[w], &muon);
		OPS(w)->muon_end(devices[w], &muon);
	}
	array_same(&p, is_narrow() ? 1e-4 : 1e-6, "muon");
	array_same(&m, 1e-6, "muon, m");
	array_same(&x, 2e-6, "muon, x");
	array_release(&p);
	array_release(&m);
	array_release(&g);
	array_release(&x);
	array_release(&factor);
}

static void
test_diagonal(size_t n)
{
	struct array in = array_random(n * n, 1, 1), out = array_new(n * n), alone = array_new(n * n);

	BOTH(w) {
		OPS(w)->diagonal(devices[w], n, 3.5, -2, narrow(&in, w), narrow(&out, w));
		OPS(w)->diagonal(devices[w], n, 3.5, -2, NULL, narrow(&alone, w));
	}
	array_same(&out, 1e-6, "diagonal");
	array_same(&alone, 0, "diagonal, of nothing");
	array_release(&in);
	array_release(&out);
	array_release(&alone);
}

/* All operations, in the sizes of the first table of each and in those that wide ones like. */
static void
test_operations(void)
{
	static const int32_t one[] = { 0, 1 }, some[] = { 0, 17, 17, 18, 83, 150 };

	for (int i = 0; i < 2; i++) {
		test_embed(70, 130, 11, 0.3 * i);
		test_norm(OPS_LAYER_NORM, 67, 70, 0.3 * i);
		test_norm(OPS_LAYER_NORM, 5, 1030, 0.3 * i);
		test_norm(OPS_RMS_NORM, 67, 70, 0.3 * i);
		test_norm(OPS_RMS_NORM, 5, 1030, 0.3 * i);
		test_activation(OPS_RELU, 16384 + 77, 0.3 * i);
		test_activation(OPS_GELU, 1003, 0.3 * i);
		test_activation(OPS_SILU, 1003, 0.3 * i);
		test_attention(some, 5, 3 * 20, 3, 3, 0.3 * i);
		test_attention(some, 5, 2 * 64, 2, 2, 0.3 * i);
		test_attention(some, 5, 6 * 20, 6, 2, 0.3 * i);
		test_attention(some, 5, 4 * 32, 4, 1, 0.3 * i);
		test_attention(one, 1, 7, 1, 1, 0.3 * i);
		test_xent(9, 67, 0.1 * i);
		test_xent(2, 3, 0.1 * i);
		test_adam(16384 + 5, i, !i);
		test_muon(67, 33, i, !i, 1);
		test_muon(5, 130, i, !i, 1e-3);
	}
	test_sums(300, 70);
	test_sums(1, 3);
	test_decode(3 * 20, 3, 3, false);
	test_decode(2 * 64, 2, 2, false);
	test_decode(6 * 20, 6, 2, false);
	test_decode(4 * 64, 4, 1, false);
	for (int i = 0; OPS(1)->pack && i < 2; i++)
		test_decode(i ? 6 * 20 : 4 * 64, i ? 6 : 4, i ? 2 : 1, true);
	test_rotate(35, 6 * 20, 6, 2);
	test_rotate(3, 2 * 6, 2, 2);
	test_rotate(1, 3 * 64, 3, 1);
	test_gate(OPS_SILU, 19, 70);
	test_gate(OPS_GELU, 3, 7);
	test_gate(OPS_RELU, 1, 33);
	test_muon(7, 3, false, true, 0);
	test_diagonal(70);
	test_diagonal(3);
}

/* What a device for GPUs has other ways for: rows of a multiple of 64, which registers hold; many rows with the same key; long rows. */
static void
test_wide_operations(void)
{
	for (int i = 0; i < 2; i++) {
		test_embed(70, 128, 11, 0.3 * i);
		test_embed(i ? 1100 : 70, 576, 30, 0.3 * i);
		test_norm(OPS_LAYER_NORM, 37, 128, 0.3 * i);
		test_norm(OPS_LAYER_NORM, 130, 576, 0.3 * i);
		test_norm(OPS_RMS_NORM, 9, 1088, 0.3 * i);
		test_activation(OPS_GELU, 4096, 0.3 * i);
		test_xent(3, 8192, 0.1 * i);
		test_xent(5, 1031, 0.1 * i);
		test_xent(4, 1030, 0.1 * i);
		test_adam(8192, i, !i);
	}
	test_sums(700, 128);
	test_gate(OPS_SILU, 19, 64);
}

static void
test_opened(bool operations)
{
	tap_note("%s, %d threads", devices[1]->name, devices[1]->threads);
	test_matmul(1, 1, 1);
	test_matmul(3, 70, 33);
	test_matmul(13, 33, 7);
	test_matmul(125, 261, 19);
	test_matmul(37, 40, 1283);
	if (OPS(1)->pack)
		test_all_packed();
	if (operations)
		test_operations();
	is_int(OPS(1)->sync(devices[1]), 0, "nothing failed");
}

static void
test_device(const char *name, enum ops_precision precision)
{
	const char *why;

	devices[1] = ops_open(name, 3, precision, &why);
	if (!devices[1]) {
		skip(1, "%s%s: %s", name, precision == OPS_BF16 ? " with bfloat16" : "", why);
		return;
	}
	test_opened(precision == OPS_F32);
	OPS(1)->close(devices[1]);
}

/* The kernels for GPUs, as host code; in both orders of their threads and blocks, of which nothing may depend. */
static void
test_emulated(void)
{
#ifdef HAVE_EMULATION
	for (int i = 0; i < 4; i++) {
		enum ops_precision precision = i & 1 ? OPS_BF16 : OPS_F32;
		const char *why;

		emulate_order(i & 2 ? EMULATE_BACKWARD : EMULATE_FORWARD);
		devices[1] = lateen_cuda_open(OPS_ABI, sizeof(struct ops), precision, &why);
		if (!ok(devices[1] != NULL, "the emulated GPU opens %s", devices[1] ? "" : why))
			return;
		tap_note("%s, threads %s", precision == OPS_BF16 ? "bfloat16" : "single precision", i & 2 ? "backward" : "forward");
		/* The second time as if it had memory of its own. */
		arrays_use(i & 2 ? devices[1] : NULL);
		test_opened(true);
		test_wide_operations();
		arrays_use(NULL);
		is_int(OPS(1)->sync(devices[1]), 0, "nothing failed: %s", devices[1]->failure ? devices[1]->failure : "");
		OPS(1)->close(devices[1]);
	}
	ok(!lateen_cuda_open(OPS_ABI + 1, sizeof(struct ops), OPS_F32, &(const char *){ NULL }), "another version of the seam is refused");
#else
	skip(1, "the emulated GPU: no C++ compiler was there");
#endif
}

/* A GPU, where there is one. */
static void
test_gpu(enum ops_precision precision)
{
	const char *why, *builddir = getenv("builddir");
	char plugin[4096];

	snprintf(plugin, sizeof(plugin), "%s/%s", builddir ? builddir : ".", CUDA_PLUGIN_FILE);
	setenv("LATEEN_CUDA_PLUGIN", plugin, 0);
	devices[1] = ops_open("cuda", 0, precision, &why);
	if (!devices[1]) {
		skip(1, "cuda%s: %s", precision == OPS_BF16 ? " with bfloat16" : "", why);
		return;
	}
	arrays_use(devices[1]);
	test_opened(true);
	test_wide_operations();
	arrays_use(NULL);
	is_int(OPS(1)->sync(devices[1]), 0, "nothing failed: %s", devices[1]->failure ? devices[1]->failure : "");
	OPS(1)->close(devices[1]);
}

int
main(void)
{
	const char *why;

	setenv("LATEEN_CUDA_TUNE", "0", 1);
	devices[0] = ops_open("reference", 1, OPS_F32, &why);
	test_device("cpu-base", OPS_F32);
	test_device("cpu-avx2", OPS_F32);
	test_device("cpu-avx512", OPS_F32);
	test_device("cpu", OPS_F32);
	test_device("cpu", OPS_BF16);
	test_emulated();
	test_gpu(OPS_F32);
	test_gpu(OPS_BF16);
	OPS(0)->close(devices[0]);
	ok(!ops_open("abacus", 1, OPS_F32, &why) && why, "an unknown device is refused");
	ok(!ops_open("cpu", -1, OPS_F32, &why) && why, "so is a negative number of threads");
	ok(!ops_open("cpu-base", 1, OPS_BF16, &why) && why, "so is bfloat16 without instructions for it");
	return done_testing();
}
