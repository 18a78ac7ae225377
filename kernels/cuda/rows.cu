/* Activations, gates, and sums over columns. */
#include "config.h"

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/numbers.h"

namespace {

enum { THREADS = 256 };

/* ---- functions and their slopes ---- */

constexpr float GELU_SCALE = 0.79788456080286535588f; /* sqrt(2 / pi) */

template <typename T>
__device__ __forceinline__ float
value_of(ops_activation kind, float x)
{
	if (kind == OPS_RELU)
		return fmaxf(x, 0);
	if (kind == OPS_SILU)
		return x / (1 + exp_for<T>(-x));
	return 0.5f * x * (1 + tanh_for<T>(GELU_SCALE * (x + 0.044715f * x * x * x)));
}

template <typename T>
__device__ __forceinline__ float
slope_of(ops_activation kind, float x)
{
	float t;

	if (kind == OPS_RELU)
		return x > 0 ? 1 : 0;
	if (kind == OPS_SILU) {
		t = 1 / (1 + exp_for<T>(-x));
		return t * (1 + x * (1 - t));
	}
	t = tanh_for<T>(GELU_SCALE * (x + 0.044715f * x * x * x));
	return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * GELU_SCALE * (1 + 3 * 0.044715f * x * x);
}

/* ---- activations ---- */

/* A quarter a thread. What is left of the last 64, and all where addresses are not aligned, goes one by one. */
template <typename T, bool BACK>
__global__ void __launch_bounds__(THREADS)
activate(ops_activation kind, size_t n, drop d, const T *in, T *to, bool aligned)
{
	size_t q = (size_t)blockIdx.x * THREADS + threadIdx.x, e = q / 4 * 64 + q % 4 * 4;
	float x[QUARTER], y[QUARTER];

	if (aligned && q / 4 * 64 + 64 <= n) {
		load_quarter(in + e, x);
		if (BACK)
			load_quarter(to + e, y);
		for (int i = 0; i < QUARTER; i++)
			y[i] = BACK ? y[i] * slope_of<T>(kind, x[i]) : value_of<T>(kind, x[i]);
		drop_quarter(d, e, y);
		store_quarter(to + e, y);
		return;
	}
	for (unsigned i = 0; i < QUARTER; i++) {
		size_t at = e + i / 4 * 16 + i % 4;

		if (at < n) {
			float v = to_float(in[at]);

			v = BACK ? to_float(to[at]) * slope_of<T>(kind, v) : value_of<T>(kind, v);
			store(to + at, v * drop_one(d, at));
		}
	}
}

template <typename T, bool BACK>
void
run_activate(cuda *c, ops_activation kind, size_t n, const void *in, void *to, const ops_dropout *dropout)
{
	bool aligned = cuda_aligned(in, 16) && cuda_aligned(to, 16);

	if (n)
		launch(activate<T, BACK>, cuda_blocks((n + 63) / 64 * 4, THREADS), THREADS, 0, c->stream, kind, n, drop_of(dropout),
			(const T *)in, (T *)to, aligned);
}

/* ---- gates ---- */

/* `BY` neighbours of a row a thread. */
template <typename T, int BY>
__device__ __forceinline__ void
load_some(const T *at, float *ret)
{
	if constexpr (BY == 4)
		load4(at, ret);
	else
		*ret = to_float(*at);
}

template <typename T, int BY>
__device__ __forceinline__ void
store_some(T *at, const float *x)
{
	if constexpr (BY == 4)
		store4(at, x);
	else
		store(at, *x);
}

template <typename T, int BY>
__global__ void __launch_bounds__(THREADS)
gate_forward(ops_activation kind, size_t N, size_t F, const T *in, T *out)
{
	size_t i = ((size_t)blockIdx.x * THREADS + threadIdx.x) * BY, row = i / F, f = i % F;
	float left[BY], right[BY];

	if (row >= N)
		return;
	load_some<T, BY>(in + row * 2 * F + f, left);
	load_some<T, BY>(in + row * 2 * F + F + f, right);
	for (int k = 0; k < BY; k++)
		left[k] = value_of<T>(kind, left[k]) * right[k];
	store_some<T, BY>(out + i, left);
}

template <typename T, int BY>
__global__ void __launch_bounds__(THREADS)
gate_backward(ops_activation kind, size_t N, size_t F, T *in, const T *dout)
{
	size_t i = ((size_t)blockIdx.x * THREADS + threadIdx.x) * BY, row = i / F, f = i % F;
	float left[BY], right[BY], g[BY];

	if (row >= N)
		return;
	load_some<T, BY>(in + row * 2 * F + f, left);
	load_some<T, BY>(in + row * 2 * F + F + f, right);
	load_some<T, BY>(dout + i, g);
	for (int k = 0; k < BY; k++) {
		float x = left[k];

		left[k] = g[k] * right[k] * slope_of<T>(kind, x);
		right[k] = g[k] * value_of<T>(kind, x);
	}
	store_some<T, BY>(in + row * 2 * F + f, left);
	store_some<T, BY>(in + row * 2 * F + F + f, right);
}

template <typename T>
void
run_gate(cuda *c, ops_activation kind, size_t N, size_t F, T *in, T *out, const T *dout)
{
	bool by4 = F % 4 == 0 && cuda_aligned(in, 16) && cuda_aligned(out, 16) && cuda_aligned(dout, 16);
	unsigned blocks = cuda_blocks(N * F, (size_t)THREADS * (by4 ? 4 : 1));

	if (out)
		launch(by4 ? gate_forward<T, 4> : gate_forward<T, 1>, blocks, THREADS, 0, c->stream, kind, N, F, in, out);
	else
		launch(by4 ? gate_backward<T, 4> : gate_backward<T, 1>, blocks, THREADS, 0, c->stream, kind, N, F, in, dout);
}

/* ---- sums over columns ---- */

enum {
	ACROSS = 16, /* threads side by side */
	DOWN = THREADS / ACROSS,
};
constexpr size_t SLICES_MAX = 128; /* of rows, each with sums of its own */

/* The sums of a slice of rows: threads go down their columns, then meet in shared memory. */
template <typename T, int BY>
__global__ void __launch_bounds__(THREADS)
sum_slice(size_t N, size_t C, size_t rows, const T *x, float *partial)
{
	SHARED(float, sums, [DOWN][ACROSS * BY + 1]);
	unsigned across = threadIdx.x % ACROSS, down = threadIdx.x / ACROSS;
	size_t c = ((size_t)blockIdx.x * ACROSS + across) * BY, first = blockIdx.y * rows, end = first + rows < N ? first + rows : N;
	float sum[BY] = {};

	if (c < C)
		for (size_t row = first + down; row < end; row += DOWN) {
			float v[BY];

			load_some<T, BY>(x + row * C + c, v);
			for (int k = 0; k < BY; k++)
				sum[k] += v[k];
		}
	for (unsigned k = 0; k < BY; k++)
		sums[down][across * BY + k] = sum[k];
	__syncthreads();
	for (unsigned i = threadIdx.x; i < ACROSS * BY; i += THREADS) {
		float total = 0;

		for (int k = 0; k < DOWN; k++)
			total += sums[k][i];
		if ((size_t)blockIdx.x * ACROSS * BY + i < C)
			partial[blockIdx.y * C + (size_t)blockIdx.x * ACROSS * BY + i] = total;
	}
}

template <typename T>
void
run_column_sums(cuda *c, size_t N, size_t C, const T *x, float *sums)
{
	bool by4 = C % 4 == 0 && cuda_aligned(x, 16);
	size_t slices = N / 64 < 1 ? 1 : N / 64 < SLICES_MAX ? N / 64 : SLICES_MAX, rows;
	float *partial = (float *)c->scratch;

	if (!N || !C)
		return;
	while (slices > 1 && slices * C * sizeof(float) > CUDA_SCRATCH)
		slices /= 2;
	rows = (N + slices - 1) / slices;
	slices = (N + rows - 1) / rows;
	launch(by4 ? sum_slice<T, 4> : sum_slice<T, 1>, dim3(cuda_blocks(C, ACROSS * (by4 ? 4 : 1)), (unsigned)slices), THREADS, 0, c->stream, N,
		C, rows, x, partial);
	cuda_add_rows(c, partial, slices, C, C, sums, NULL);
}

enum { COLUMNS = 32, TURNS = 8 };

/* Threads side by side have columns, eight of them one column; they take turns at its rows. */
__global__ void __launch_bounds__(COLUMNS * TURNS)
add_rows(const float *partial, size_t rows, size_t stride, size_t C, float *sums, float *more)
{
	SHARED(float, part, [TURNS][COLUMNS]);
	unsigned column = threadIdx.x % COLUMNS, turn = threadIdx.x / COLUMNS;
	size_t c = (size_t)blockIdx.x * COLUMNS + column, from = blockIdx.y * C + c;
	float sum = 0;

	if (c < C)
		for (size_t row = turn; row < rows; row += TURNS)
			sum += partial[row * stride + from];
	part[turn][column] = sum;
	__syncthreads();
	if (turn || c >= C)
		return;
	for (int k = 1; k < TURNS; k++)
		sum += part[k][column];
	(blockIdx.y ? more : sums)[c] += sum;
}

} // namespace

void
cuda_add_rows(struct cuda *c, const float *partial, size_t rows, size_t stride, size_t C, float *sums, float *more)
{
	launch(add_rows, dim3(cuda_blocks(C, COLUMNS), more ? 2 : 1), COLUMNS * TURNS, 0, c->stream, partial, rows, stride, C, sums, more);
}

void
cuda_column_sums(struct cuda *c, size_t N, size_t C, const void *x, void *sums)
{
	CUDA_BY_TYPE(c, run_column_sums(c, N, C, (const T *)x, (float *)sums));
}

void
cuda_activate_forward(struct cuda *c, enum ops_activation kind, size_t n, const void *in, void *out, const struct ops_dropout *dropout)
{
	CUDA_BY_TYPE(c, run_activate<T, false>(c, kind, n, in, out, dropout));
}

void
cuda_activate_backward(struct cuda *c, enum ops_activation kind, size_t n, const void *in, void *grad, const struct ops_dropout *dropout)
{
	CUDA_BY_TYPE(c, run_activate<T, true>(c, kind, n, in, grad, dropout));
}

void
cuda_gate_forward(struct cuda *c, enum ops_activation kind, size_t N, size_t F, const void *in, void *out)
{
	CUDA_BY_TYPE(c, run_gate<T>(c, kind, N, F, (T *)(uintptr_t)in, (T *)out, NULL));
}

void
cuda_gate_backward(struct cuda *c, enum ops_activation kind, size_t N, size_t F, void *in, const void *dout)
{
	CUDA_BY_TYPE(c, run_gate<T>(c, kind, N, F, (T *)in, (T *)NULL, (const T *)dout));
}
