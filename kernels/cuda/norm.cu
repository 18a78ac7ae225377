/* Residual sums and their norms. A warp has a row; rows of up to 2048 channels, a multiple of 64, stay in its registers. */
#include "config.h"

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/numbers.h"

namespace {

enum {
	WARPS = 8, /* of a block */
	PASS = 32 * QUARTER, /* channels that a warp has at a time */
};
constexpr size_t BLOCKS_MAX = 256; /* in the backward half; each leaves sums of gradients behind */

/* Where lane and pass are in a row. */
__device__ __forceinline__ unsigned
place_of(int pass)
{
	unsigned lane = threadIdx.x % 32;

	return (unsigned)pass * PASS + lane / 4 * 64 + lane % 4 * 4;
}

template <typename T, int PASSES>
__global__ void
forward(ops_norm n, drop d, T *out)
{
	size_t row = (size_t)blockIdx.x * WARPS + threadIdx.x / 32, C = n.C;
	float x[PASSES][QUARTER], mean = 0, square = 0, rstd;

	if (row >= n.N)
		return;
	UNROLL
	for (int p = 0; p < PASSES; p++) {
		size_t c = place_of(p), e = row * C + c;

		if (c >= C)
			continue;
		load_quarter((const float *)n.x + e, x[p]);
		if (n.branch) {
			float branch[QUARTER];

			load_quarter((const T *)n.branch + e, branch);
			drop_quarter(d, e, branch);
			for (int i = 0; i < QUARTER; i++)
				x[p][i] += branch[i];
			store_quarter((float *)n.sum + e, x[p]);
		}
		for (int i = 0; i < QUARTER; i++)
			mean += x[p][i];
	}
	mean = n.kind == OPS_RMS_NORM ? 0 : warp_sum(mean) / (float)C;
	UNROLL
	for (int p = 0; p < PASSES; p++)
		if (place_of(p) < C)
			for (int i = 0; i < QUARTER; i++)
				square += (x[p][i] - mean) * (x[p][i] - mean);
	rstd = 1 / sqrtf(warp_sum(square) / (float)C + (float)n.epsilon);
	UNROLL
	for (int p = 0; p < PASSES; p++) {
		size_t c = place_of(p);
		float gain[QUARTER], bias[QUARTER] = {};

		if (c >= C)
			continue;
		load_quarter((const float *)n.gain + c, gain);
		if (n.bias)
			load_quarter((const float *)n.bias + c, bias);
		for (int i = 0; i < QUARTER; i++)
			x[p][i] = (x[p][i] - mean) * rstd * gain[i] + bias[i];
		store_quarter(out + row * C + c, x[p]);
	}
	if (threadIdx.x % 32 == 0) {
		if (n.mean)
			((float *)n.mean)[row] = mean;
		((float *)n.rstd)[row] = rstd;
	}
}

/* Any number of channels: through memory, three times. */
template <typename T>
__global__ void
forward_any(ops_norm n, drop d, T *out)
{
	size_t row = (size_t)blockIdx.x * WARPS + threadIdx.x / 32, C = n.C;
	const float *x = (const float *)n.x + row * C, *gain = (const float *)n.gain, *bias = (const float *)n.bias;
	float mean = 0, square = 0, rstd;

	if (row >= n.N)
		return;
	for (size_t c = threadIdx.x % 32; c < C; c += 32) {
		float v = x[c];

		if (n.branch) {
			v += to_float(((const T *)n.branch)[row * C + c]) * drop_one(d, row * C + c);
			((float *)n.sum)[row * C + c] = v;
		}
		mean += v;
	}
	if (n.branch)
		x = (const float *)n.sum + row * C; /* each lane reads what it wrote */
	mean = n.kind == OPS_RMS_NORM ? 0 : warp_sum(mean) / (float)C;
	for (size_t c = threadIdx.x % 32; c < C; c += 32)
		square += (x[c] - mean) * (x[c] - mean);
	rstd = 1 / sqrtf(warp_sum(square) / (float)C + (float)n.epsilon);
	for (size_t c = threadIdx.x % 32; c < C; c += 32)
		store(out + row * C + c, (x[c] - mean) * rstd * gain[c] + (bias ? bias[c] : 0));
	if (threadIdx.x % 32 == 0) {
		if (n.mean)
			((float *)n.mean)[row] = mean;
		((float *)n.rstd)[row] = rstd;
	}
}

/* What the backward half is given, besides the norm. */
template <typename T>
struct gradients {
	const T *dout;
	float *dsum;
	T *dbranch;
	float *partial; /* (blocks, 2 C): sums of dgain, and of dbias */
	size_t rows; /* of a block */
};

/* One row: its gradients are written, dgain and dbias added to. */
template <typename T, int PASSES>
__device__ __forceinline__ void
backward_row(const ops_norm &n, const drop &d, const gradients<T> &g, size_t row, float dgain[PASSES][QUARTER], float dbias[PASSES][QUARTER])
{
	size_t C = n.C;
	const float *x = (const float *)(n.branch ? n.sum : n.x);
	float z[PASSES][QUARTER], dz[PASSES][QUARTER], mean_g = 0, mean_gz = 0;
	float mean = n.mean && n.kind != OPS_RMS_NORM ? ((const float *)n.mean)[row] : 0, rstd = ((const float *)n.rstd)[row];

	UNROLL
	for (int p = 0; p < PASSES; p++) {
		size_t c = place_of(p), e = row * C + c;
		float gain[QUARTER];

		if (c >= C)
			continue;
		load_quarter(x + e, z[p]);
		load_quarter(g.dout + e, dz[p]);
		load_quarter((const float *)n.gain + c, gain);
		for (int i = 0; i < QUARTER; i++) {
			z[p][i] = (z[p][i] - mean) * rstd;
			dgain[p][i] += dz[p][i] * z[p][i];
			dbias[p][i] += dz[p][i];
			dz[p][i] *= gain[i];
			mean_g += dz[p][i];
			mean_gz += dz[p][i] * z[p][i];
		}
	}
	mean_g = n.kind == OPS_RMS_NORM ? 0 : warp_sum(mean_g) / (float)C;
	mean_gz = warp_sum(mean_gz) / (float)C;
	UNROLL
	for (int p = 0; p < PASSES; p++) {
		size_t c = place_of(p), e = row * C + c;
		float sum[QUARTER];

		if (c >= C)
			continue;
		load_quarter(g.dsum + e, sum);
		for (int i = 0; i < QUARTER; i++)
			sum[i] += (dz[p][i] - mean_g - z[p][i] * mean_gz) * rstd;
		store_quarter(g.dsum + e, sum);
		if (g.dbranch) {
			drop_quarter(d, e, sum);
			store_quarter(g.dbranch + e, sum);
		}
	}
}

/* A block has some rows one behind the other, its warps take turns. Their sums meet in shared memory, in the order of the warps. */
template <typename T, int PASSES>
__global__ void __launch_bounds__(WARPS * 32)
backward(ops_norm n, drop d, gradients<T> g)
{
	SHARED(float, sums, [WARPS][PASS]);
	float parts[2][PASSES][QUARTER] = {};
	size_t first = blockIdx.x * g.rows, end = first + g.rows < n.N ? first + g.rows : n.N;
	unsigned warp = threadIdx.x / 32;

	for (size_t row = first + warp; row < end; row += WARPS)
		backward_row<T, PASSES>(n, d, g, row, parts[0], parts[1]);
	UNROLL
	for (unsigned half = 0; half < 2; half++)
		UNROLL
		for (int p = 0; p < PASSES; p++) {
			__syncthreads();
			store_quarter(&sums[warp][place_of(0)], parts[half][p]);
			__syncthreads();
			for (unsigned i = threadIdx.x; i < PASS && (unsigned)p * PASS + i < n.C; i += WARPS * 32) {
				float sum = 0;

				for (int w = 0; w < WARPS; w++)
					sum += sums[w][i];
				g.partial[((size_t)blockIdx.x * 2 + half) * n.C + (unsigned)p * PASS + i] = sum;
			}
		}
}

/* Any number of channels: the rows' own gradients by a warp each; then columns by threads, rows in order. */
template <typename T>
__global__ void
backward_rows_any(ops_norm n, drop d, gradients<T> g)
{
	size_t row = (size_t)blockIdx.x * WARPS + threadIdx.x / 32, C = n.C;
	const float *x = (const float *)(n.branch ? n.sum : n.x) + row * C, *gain = (const float *)n.gain;
	float mean, rstd, mean_g = 0, mean_gz = 0;

	if (row >= n.N)
		return;
	mean = n.mean && n.kind != OPS_RMS_NORM ? ((const float *)n.mean)[row] : 0;
	rstd = ((const float *)n.rstd)[row];
	for (size_t c = threadIdx.x % 32; c < C; c += 32) {
		float dz = to_float(g.dout[row * C + c]) * gain[c];

		mean_g += dz;
		mean_gz += dz * (x[c] - mean) * rstd;
	}
	mean_g = n.kind == OPS_RMS_NORM ? 0 : warp_sum(mean_g) / (float)C;
	mean_gz = warp_sum(mean_gz) / (float)C;
	for (size_t c = threadIdx.x % 32; c < C; c += 32) {
		size_t e = row * C + c;
		float dz = to_float(g.dout[e]) * gain[c];

		dz = g.dsum[e] + (dz - mean_g - (x[c] - mean) * rstd * mean_gz) * rstd;
		g.dsum[e] = dz;
		if (g.dbranch)
			store(g.dbranch + e, dz * drop_one(d, e));
	}
}

template <typename T>
__global__ void
backward_columns_any(ops_norm n, gradients<T> g)
{
	size_t c = (size_t)blockIdx.x * blockDim.x + threadIdx.x, first = blockIdx.y * g.rows;
	size_t end = first + g.rows < n.N ? first + g.rows : n.N;
	const float *x = (const float *)(n.branch ? n.sum : n.x);
	float dgain = 0, dbias = 0;

	if (c >= n.C)
		return;
	for (size_t row = first; row < end; row++) {
		float mean = n.mean && n.kind != OPS_RMS_NORM ? ((const float *)n.mean)[row] : 0, dout = to_float(g.dout[row * n.C + c]);

		dgain += dout * (x[row * n.C + c] - mean) * ((const float *)n.rstd)[row];
		dbias += dout;
	}
	g.partial[(size_t)blockIdx.y * 2 * n.C + c] = dgain;
	g.partial[((size_t)blockIdx.y * 2 + 1) * n.C + c] = dbias;
}

/* Rows that registers hold and whose parts are aligned. */
int
passes_of(const ops_norm *n, const void *a, const void *b, const void *c)
{
	const void *all[] = { n->x, n->branch, n->sum, n->gain, n->bias, a, b, c };

	for (const void *at : all)
		if (!cuda_aligned(at, 16))
			return 0;
	return n->C % 64 || n->C > 4 * PASS ? 0 : n->C <= PASS ? 1 : n->C <= 2 * PASS ? 2 : 4;
}

template <typename T>
void
run_forward(cuda *c, const ops_norm *n, T *out)
{
	int passes = passes_of(n, out, NULL, NULL);
	auto kernel = passes == 1 ? forward<T, 1> : passes == 2 ? forward<T, 2> : passes == 4 ? forward<T, 4> : forward_any<T>;

	launch(kernel, cuda_blocks(n->N, WARPS), WARPS * 32, 0, c->stream, *n, drop_of(&n->dropout), out);
}

template <typename T>
void
run_backward(cuda *c, const ops_norm *n, const T *dout, float *dsum, T *dbranch, float *dgain, float *dbias)
{
	int passes = passes_of(n, dout, dsum, dbranch);
	size_t blocks = cuda_blocks(n->N, WARPS) < BLOCKS_MAX ? cuda_blocks(n->N, WARPS) : BLOCKS_MAX;
	gradients<T> g = { dout, dsum, dbranch, (float *)c->scratch, 0 };
	drop d = drop_of(&n->dropout);

	while (blocks > 1 && blocks * 2 * n->C * sizeof(float) > CUDA_SCRATCH)
		blocks /= 2;
	g.rows = (n->N + blocks - 1) / blocks;
	blocks = cuda_blocks(n->N, g.rows);
	if (passes) {
		auto kernel = passes == 1 ? backward<T, 1> : passes == 2 ? backward<T, 2> : backward<T, 4>;

		launch(kernel, (unsigned)blocks, WARPS * 32, 0, c->stream, *n, d, g);
	} else {
		launch(backward_rows_any<T>, cuda_blocks(n->N, WARPS), WARPS * 32, 0, c->stream, *n, d, g);
		launch(backward_columns_any<T>, dim3(cuda_blocks(n->C, 64), (unsigned)blocks), 64, 0, c->stream, *n, g);
	}
	cuda_add_rows(c, g.partial, blocks, 2 * n->C, n->C, dgain, n->kind == OPS_RMS_NORM ? NULL : dbias);
}

} // namespace

void
cuda_norm_forward(struct cuda *c, const struct ops_norm *n, void *out)
{
	CUDA_BY_TYPE(c, run_forward<T>(c, n, (T *)out));
}

void
cuda_norm_backward(struct cuda *c, const struct ops_norm *n, const void *dout, void *dsum, void *dbranch, void *dgain, void *dbias)
{
	CUDA_BY_TYPE(c, run_backward<T>(c, n, (const T *)dout, (float *)dsum, (T *)dbranch, (float *)dgain, (float *)dbias));
}
