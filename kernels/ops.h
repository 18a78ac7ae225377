/* The compute operations that a transformer is trained with, on whatever device carries them out.
 *
 * Shapes, here and everywhere above: B documents, T tokens of one, N tokens of a batch (all documents one behind the other), C
 * channels, NH heads, V vocabulary, F inner size of the feed-forward part. Matrices are row-major; (N, C) is N rows of C.
 * Keys and values may have fewer heads than queries: NKV, which divides NH, and CK = NKV * C / NH channels. Head h of the queries goes
 * with head h / (NH / NKV) of the others. QKV = C + 2 CK: queries, keys, values of a row side by side; 3 C where NKV is NH.
 *
 * Memory of a device is a pointer that the host may add to and must not look through: `put`, `get`, `upload` and `download` carry
 * data over. Its numbers ("reals") are `real` bytes each: 4 on devices to work with, 8 on the one that tests compare with, which runs
 * the same calls in double precision. Ids, places and offsets are int32_t everywhere.
 *
 * What little but products of matrices reads is "narrow": `narrow` bytes each, which is `real` on most devices, and 2, for bfloat16, where
 * OPS_BF16 is how numbers lie in memory. Narrow are the factors of a product, with its bias, and its result unless that is `wide`; a norm's
 * branch and output, and their gradients; all that activations, gates, rotations and attention work on, but logsum; x of column_sums; keys and
 * values that are kept; logits; x of Muon and what `diagonal` works on. Real is all else: the residual sums and their gradients, tables and positions of the embedding, gains,
 * biases of norms, statistics, losses, gradients of parameters, the parameters themselves and what an optimizer keeps of them. Products read
 * a narrow copy of the parameters, which the optimizer writes along; where narrow is real there is none.
 *
 * Calls queue work in the order in which they come and return nothing: a device that fails says so at the next `sync`. None of them
 * asks the host for anything, so a step of training is one fixed list of calls, and all that changes from step to step lies in
 * `struct ops_step` in the device's memory: a device may record the list once (`begin`, `end`) and play it again.
 *
 * The same device, build and input give the same bits, whatever the number of threads: how work is cut and the order of every sum
 * depend on shapes alone, threads only choose who does a piece. Random numbers are Philox 4x32-10 by place, not by order, so the
 * backward half asks for the same ones again. Nothing is read that the shapes do not cover; outputs may hold anything before. */
#ifndef KERNELS_OPS_H
#define KERNELS_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	OPS_ABI = 2, /* of all that this header says */
	OPS_THREADS_MAX = 256,
	OPS_HEAD_MAX = 256, /* channels of a head */
	OPS_DOCUMENT_MAX = 65536, /* tokens of a document: a place in attention has 16 bits */
	OPS_PACK_BLOCK = 256, /* numbers along k that share a scale under OPS_PACK_INT8 */
};

/* How matrices are multiplied: in single precision, or from factors that are rounded to bfloat16 and summed in single precision. */
enum ops_precision { OPS_F32, OPS_BF16 };
enum ops_activation { OPS_RELU, OPS_GELU /* the tanh form of GPT-2 */, OPS_SILU /* x times its sigmoid */ };
/* How a packed matrix keeps its numbers: as they are; rounded to bfloat16; or as whole numbers from -127 to 127 times a scale of each
 * column and OPS_PACK_BLOCK numbers along k, the largest of them over 127. */
enum ops_packing { OPS_PACK_F32, OPS_PACK_BF16, OPS_PACK_INT8 };

/* What a step has of its own. */
struct ops_step {
	uint64_t seed, step; /* of random numbers */
	double loss_scale; /* what gradients of the loss are multiplied with: 1 over the sum of weights */
	/* Adam: p -= decay * p, then p -= rate * m / (root * sqrt(v) + epsilon). What TensorFlow 1 and PyTorch mean by a learning
	 * rate are two ways to fill these. */
	double rate, root, decay;
	double muon_rate, muon_decay; /* Muon: p -= muon_decay * p, then p -= muon_rate * scale * x */
};

/* Each number is zero with the probability `rate`, and else divided by 1 - rate. `site` tells the places of a model apart. */
struct ops_dropout {
	double rate; /* 0: none */
	uint32_t site;
	const struct ops_step *step; /* in the device's memory */
};

struct ops_embed {
	size_t N, C;
	const int32_t *ids, *places; /* (N): rows of table and of positions */
	const void *table; /* (V, C) */
	const void *positions; /* (…, C); NULL: none are added */
	double scale; /* of the table's rows */
	bool blank; /* id 0 stands for zeros, not for its row */
	struct ops_dropout dropout; /* of the sum */
};

/* sum = x + dropout(branch); out = (sum - mean) * rstd * gain + bias, row by row. Without a branch sum is x itself, and not written.
 * OPS_RMS_NORM takes no mean off, which it then has not, and has no bias: rstd is 1 over the root of the mean square. */
enum ops_norm_kind { OPS_LAYER_NORM, OPS_RMS_NORM };

struct ops_norm {
	enum ops_norm_kind kind;
	size_t N, C;
	const void *x, *branch; /* (N, C); branch may be NULL */
	void *sum; /* (N, C) */
	void *mean, *rstd; /* (N), kept for backward; mean is NULL for OPS_RMS_NORM */
	const void *gain, *bias; /* (C); bias is NULL for OPS_RMS_NORM */
	double epsilon;
	struct ops_dropout dropout;
};

/* Products of up to 32 rows, as decoding has them, may stay in single precision under OPS_BF16.
 *
 * c = a b, or a transposed, or b transposed: c is (M, N), the sum runs over K. Behind each pointer, elements from row to row. */
struct ops_matmul {
	size_t M, N, K;
	const void *a;
	size_t lda;
	const void *b;
	size_t ldb;
	void *c;
	size_t ldc;
	bool at; /* a is (K, M) */
	bool bt; /* b is (N, K) */
	bool add; /* to what c holds */
	const void *bias; /* (N), narrow like a and b, added to each row; or NULL */
	bool wide; /* c holds reals, not narrow numbers */
};

/* A matrix (K, N) that is packed once, to be multiplied with often. All numbers are reals: a device whose narrow numbers are others has none
 * of this. */
struct ops_pack {
	size_t N, K;
	enum ops_packing packing;
	const void *b;
	size_t ldb;
	bool bt; /* b is (N, K) */
};

/* c = a b + bias, b packed with the same N, K and packing. Under OPS_PACK_BF16 a may be rounded as well; under OPS_PACK_INT8 it is, each
 * row by itself. A row of c is the same bits, however many there are. */
struct ops_packed {
	size_t M, N, K;
	enum ops_packing packing;
	const void *a; /* (M, K) */
	const void *b;
	void *c; /* (M, N) */
	const void *bias; /* (N); or NULL */
};

/* Causal attention inside each document: row i of a document sees its rows 0 to i. */
struct ops_attention {
	size_t N, C, NH, NKV; /* C is NH times at most OPS_HEAD_MAX */
	size_t documents, longest; /* longest: a ceiling of what any document has, at most OPS_DOCUMENT_MAX */
	const int32_t *starts; /* (documents + 1), 0 first, N last; a document may be empty */
	const void *qkv; /* (N, QKV) */
	void *out; /* (N, C) */
	void *logsum; /* (N, NH): logarithms of the softmaxes' sums, kept for backward */
	struct ops_dropout dropout; /* of the probabilities */
};

/* Rotary positions, in place: of each head of D = C / NH channels, D even, of the queries and keys, channels i and i + D / 2 are a pair
 * (as Hugging Face's transformers lay it out), turned by an angle of the row's place. */
struct ops_rotate {
	size_t N, C, NH, NKV;
	const int32_t *places; /* (N): rows of angles */
	const void *angles; /* (…, D): D / 2 cosines, then D / 2 sines */
	void *qkv; /* (N, QKV), or its gradients */
	bool back; /* by the negative angles: what backward does to the gradients */
};

/* Attention of R rows over the keys and values that are kept, L tokens a slot: row r sees tokens 0 to at of its slot. */
struct ops_decode {
	size_t R, C, NH, NKV, L;
	const int32_t *slots, *at; /* (R); at is below L */
	const int32_t *from; /* (slots, L): in which slot each token of a slot lies, so that texts share what they have in common */
	const void *qkv; /* (R, QKV), of which the queries are read */
	const void *keys, *values; /* of each slot L * CK numbers, in an order of this device's */
	bool halves; /* that are bfloat16, in half the bytes; false on devices that do not pack matrices */
	void *out; /* (R, C) */
};

/* Puts the keys and values of N rows into their slots. No two rows have the same place. */
struct ops_keep {
	size_t N, C, NH, NKV, L;
	const int32_t *slots, *at; /* (N) */
	const void *qkv; /* (N, QKV) */
	void *keys, *values; /* likewise */
	bool halves;
};

/* Cross entropy of logits against labels with smoothing as Tensor2Tensor has it: the label gets 1 - smoothing, each other
 * smoothing / (V - 1), and the loss is less the entropy of that, so that it can reach 0. */
struct ops_xent {
	size_t N, V, ld; /* ld: numbers from row to row of logits */
	void *logits; /* (N, V), ld apart; with `backward` replaced by their gradients times weight and the step's loss_scale */
	const int32_t *labels; /* (N) */
	const void *weights; /* (N) */
	double smoothing;
	bool backward;
	const struct ops_step *step; /* read with `backward` only */
	void *losses; /* (N), times weight */
	void *hits; /* (N): weight where the label has the largest logit (the first of equal ones), else 0 */
};

struct ops_adam {
	size_t n;
	void *p, *m, *v; /* (n) */
	const void *g;
	double beta1, beta2, epsilon;
	const void *clip; /* a real that gradients are multiplied with; or NULL */
	bool decay; /* whether these are to shrink */
	const struct ops_step *step;
	void *narrow; /* (n): p once more, for products; NULL where narrow is real */
};

/* Muon (Jordan et al. 2024) of a matrix, or of some columns of one, `ld` from row to row. What makes the direction orthogonal between
 * muon_begin and muon_end is products of matrices and `diagonal`. */
struct ops_muon {
	size_t rows, columns, ld;
	void *p, *m; /* (rows, columns), ld apart */
	const void *g;
	void *x; /* (rows, columns), narrow: the direction */
	double momentum, epsilon;
	double scale; /* of the rate, by the matrix's shape */
	const void *clip; /* a real that gradients are multiplied with; or NULL */
	bool decay; /* whether these are to shrink */
	const struct ops_step *step;
	void *narrow; /* p once more, for products; NULL where narrow is real */
};

struct ops_device;

struct ops {
	uint32_t abi;
	uint32_t size; /* of this struct */
	void (*close)(struct ops_device *d);

	size_t (*available)(struct ops_device *d); /* bytes of its memory that are free; NULL: it works in the host's */
	void *(*alloc)(struct ops_device *d, size_t bytes); /* zeroed; NULL: there is no more */
	void (*free)(struct ops_device *d, void *memory); /* NULL is fine */
	void (*upload)(struct ops_device *d, void *to, const void *from, size_t bytes);
	void (*download)(struct ops_device *d, void *to, const void *from, size_t bytes); /* waits for what was queued */
	void (*put)(struct ops_device *d, void *to, const float *from, size_t n); /* n reals */
	void (*get)(struct ops_device *d, float *to, const void *from, size_t n);
	void (*put_narrow)(struct ops_device *d, void *to, const float *from, size_t n);
	void (*get_narrow)(struct ops_device *d, float *to, const void *from, size_t n);
	void (*clear)(struct ops_device *d, void *at, size_t bytes);
	void (*copy)(struct ops_device *d, void *to, const void *from, size_t bytes); /* from this device's memory to its memory */
	int (*sync)(struct ops_device *d); /* waits; -1: something failed, and `failure` says what */
	void (*begin)(struct ops_device *d);
	void (*end)(struct ops_device *d);

	void (*embed_forward)(struct ops_device *d, const struct ops_embed *e, void *out /* (N, C) */);
	/* Adds to dtable, and to dpositions unless it is NULL. */
	void (*embed_backward)(struct ops_device *d, const struct ops_embed *e, const void *dout, void *dtable, void *dpositions);
	void (*norm_forward)(struct ops_device *d, const struct ops_norm *n, void *out /* (N, C) */);
	/* dsum: the gradient of sum from elsewhere, to which the norm's is added: also x's. dbranch is written. Adds to dgain, and to dbias
	 * unless the kind has none. */
	void (*norm_backward)(struct ops_device *d, const struct ops_norm *n, const void *dout, void *dsum, void *dbranch, void *dgain,
		void *dbias);
	void (*matmul)(struct ops_device *d, const struct ops_matmul *m);
	/* Bytes that the device takes for itself while it multiplies, by M, N and K alone. */
	size_t (*matmul_scratch)(struct ops_device *d, const struct ops_matmul *m);
	/* Bytes of a packed matrix; b is not looked at. NULL: this device multiplies as fast with matrices as they lie. */
	size_t (*packed_size)(struct ops_device *d, const struct ops_pack *p);
	void (*pack)(struct ops_device *d, const struct ops_pack *p, void *to);
	void (*packed_matmul)(struct ops_device *d, const struct ops_packed *m);
	/* Adds the rows of x (N, C) to sums (C). */
	void (*column_sums)(struct ops_device *d, size_t N, size_t C, const void *x, void *sums);
	/* out = dropout(activation(in)), of n numbers. */
	void (*activate_forward)(struct ops_device *d, enum ops_activation kind, size_t n, const void *in, void *out,
		const struct ops_dropout *dropout);
	/* Turns the gradient of out into the one of in, in its place. */
	void (*activate_backward)(struct ops_device *d, enum ops_activation kind, size_t n, const void *in, void *grad,
		const struct ops_dropout *dropout);
	/* out (N, F) = activation(left half of in) * right half; in is (N, 2 F). */
	void (*gate_forward)(struct ops_device *d, enum ops_activation kind, size_t N, size_t F, const void *in, void *out);
	/* Turns in into its gradient, in its place. */
	void (*gate_backward)(struct ops_device *d, enum ops_activation kind, size_t N, size_t F, void *in, const void *dout);
	void (*rotate)(struct ops_device *d, const struct ops_rotate *r);
	void (*attention_forward)(struct ops_device *d, const struct ops_attention *a);
	void (*attention_backward)(struct ops_device *d, const struct ops_attention *a, const void *dout, void *dqkv /* (N, QKV) */);
	void (*keep)(struct ops_device *d, const struct ops_keep *k);
	void (*decode_attention)(struct ops_device *d, const struct ops_decode *a);
	void (*xent)(struct ops_device *d, const struct ops_xent *x);
	/* ret (one real): the largest factor up to 1 that keeps the norm of n gradients within max; norm (one real): that norm. */
	void (*clip)(struct ops_device *d, size_t n, const void *g, double max, void *ret, void *norm);
	void (*adam)(struct ops_device *d, const struct ops_adam *a);
	/* m = momentum m + (1 - momentum) g, then x = momentum m + (1 - momentum) g (Nesterov's), over its norm or epsilon if that is larger. */
	void (*muon_begin)(struct ops_device *d, const struct ops_muon *m);
	/* p -= muon_decay * p with `decay`, then p -= muon_rate * scale * x. */
	void (*muon_end)(struct ops_device *d, const struct ops_muon *m);
	/* out (n, n) = alpha on the diagonal, plus beta * in (n, n); in may be NULL: nothing. */
	void (*diagonal)(struct ops_device *d, size_t n, double alpha, double beta, const void *in, void *out);
};

/* What every device begins with. */
struct ops_device {
	const struct ops *ops;
	const char *name; /* "cpu avx512" */
	size_t real, narrow;
	size_t logit_rows; /* of how many tokens it wants the logits at a time; 0: as few as the model likes */
	bool steady; /* a list of calls with the sizes of an earlier one is much faster than one with others */
	int threads;
	enum ops_precision precision;
	const char *failure; /* after `sync` failed */
};

/* Devices by name: `cpu`, with the best instructions that this machine has; `cpu-base`, `cpu-avx2`, `cpu-avx512`, with just these;
 * `cuda`, a GPU, whose plugin is looked for and loaded now; `reference`, plain loops in double precision on one thread. threads 0: one
 * for each processor that this process may use. bfloat16 is refused where there are no instructions for it. NULL with a sentence in *ret_why, a constant. */
struct ops_device *ops_open(const char *name, int threads, enum ops_precision precision, const char **ret_why);

/* What kernels of a device share with the host. */
#ifdef __CUDACC__
#define OPS_SHARED static inline __host__ __device__
#else
#define OPS_SHARED static inline
#endif

/* CK: channels of the keys, and of the values. */
OPS_SHARED size_t
ops_key_channels(size_t C, size_t NH, size_t NKV)
{
	return C / NH * NKV;
}

/* Philox 4x32-10 (Salmon et al. 2011). */
OPS_SHARED void
ops_philox(const uint32_t counter[4], uint64_t key, uint32_t ret[4])
{
	uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3], k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);

	for (int i = 0; i < 10; i++) {
		uint64_t a = (uint64_t)0xD2511F53u * x0, b = (uint64_t)0xCD9E8D57u * x2;

		x0 = (uint32_t)(b >> 32) ^ x1 ^ k0;
		x1 = (uint32_t)b;
		x2 = (uint32_t)(a >> 32) ^ x3 ^ k1;
		x3 = (uint32_t)a;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	ret[0] = x0;
	ret[1] = x1;
	ret[2] = x2;
	ret[3] = x3;
}

/* The random word of element e of a site in a step. Elements are counted by 64: word e % 64 / 16 of counter e / 64 * 16 + e % 16, so
 * that 16 neighbours are the same word of 16 counters. */
OPS_SHARED uint32_t
ops_random(uint64_t seed, uint64_t step, uint32_t site, uint64_t e)
{
	uint64_t block = e / 64 * 16 + e % 16;
	uint32_t words[4], counter[4] = { (uint32_t)block, (uint32_t)(block >> 32), site, (uint32_t)step };

	ops_philox(counter, seed, words);
	return words[e % 64 / 16];
}

/* A random word below this is dropped. */
OPS_SHARED uint32_t
ops_dropped_below(double rate)
{
	return rate <= 0 ? 0 : (uint32_t)(rate * 4294967296.0);
}

/* Which random number belongs to a probability of attention: query row i of the batch, head h of NH, key j of the document. */
OPS_SHARED uint64_t
ops_attention_element(uint64_t i, uint64_t NH, uint64_t h, uint64_t j)
{
	return ((i * NH + h) << 16) + j;
}

#endif
