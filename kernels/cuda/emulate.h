/* CUDA on the host, for tests of the kernels' logic: what device.h is made of where no nvcc compiles it.
 *
 * A launch runs its blocks one after the other. A block's threads are fibers: each runs on until it comes to a barrier or an operation
 * of its warp, which happens when the last of those it concerns has come; a warp runs on until it comes to a barrier of the block. What real hardware leaves undefined is a failure, told with
 * file and line: a barrier that some threads do not come to, lanes of one mask in different operations, a lane outside its own mask,
 * an address that is not aligned, shared memory past what the launch or the chip allows. Shared memory holds NaN until it is written,
 * so does the target of an asynchronous copy until the copy is waited for; memory of the device and dynamic shared memory come from
 * malloc, byte for byte, so that the address sanitizer sees what is read beside them. Threads and blocks run in the order that
 * emulate_order says: what depends on it is a race.
 *
 * The first failure ends its launch, and every launch after it does nothing until emulate_clear. One host thread may emulate. */
#ifndef KERNELS_CUDA_EMULATE_H
#define KERNELS_CUDA_EMULATE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/cuda/emulate_control.h"

/* ---- the language ---- */

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)

struct uint3 {
	unsigned x, y, z;
};

struct dim3 {
	unsigned x, y, z;
	constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

#define EMULATE_VECTORS(type, name) \
	struct alignas(2 * sizeof(type)) name##2 { \
		type x, y; \
	}; \
	struct alignas(4 * sizeof(type)) name##4 { \
		type x, y, z, w; \
	}; \
	static inline name##2 make_##name##2(type x, type y) { return { x, y }; } \
	static inline name##4 make_##name##4(type x, type y, type z, type w) { return { x, y, z, w }; }
EMULATE_VECTORS(float, float)
EMULATE_VECTORS(int, int)
EMULATE_VECTORS(unsigned, uint)
#undef EMULATE_VECTORS

/* What a thread sees of itself. */
struct emulate_place {
	uint3 thread, block;
	dim3 threads, blocks;
};

const struct emulate_place *emulate_here(void);
#define threadIdx (emulate_here()->thread)
#define blockIdx (emulate_here()->block)
#define blockDim (emulate_here()->threads)
#define gridDim (emulate_here()->blocks)
constexpr int warpSize = 32;

/* A variable of shared memory: __shared__ type name dimensions, 16-byte aligned. Holds NaN at the start of each block, which a plain
 * `__shared__` does not. */
#define SHARED(type, name, ...) \
	alignas(16) static type name __VA_ARGS__; \
	static unsigned long name##_block; \
	emulate_shared(&name, sizeof(name), &name##_block)
void emulate_shared(void *at, size_t bytes, unsigned long *block);
/* The bytes that the launch asked for. */
void *dynamic_shared(void);

#define __syncthreads() emulate_syncthreads(__FILE__, __LINE__)
void emulate_syncthreads(const char *file, int line);

/* ---- the host's side ---- */

typedef int cudaError_t;
typedef struct emulate_stream *cudaStream_t;
enum { cudaSuccess = 0, cudaErrorMemoryAllocation = 2, cudaErrorInvalidValue = 1, cudaErrorLaunchFailure = 719 };
enum cudaMemcpyKind { cudaMemcpyHostToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice, cudaMemcpyDefault };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };

cudaError_t cudaMalloc(void **ret, size_t bytes);
cudaError_t cudaFree(void *memory);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void *at, int value, size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaGetLastError(void);
cudaError_t cudaPeekAtLastError(void);
const char *cudaGetErrorString(cudaError_t error);
cudaError_t emulate_allow_shared(const void *kernel, int bytes);

template <typename K>
static inline cudaError_t
cudaFuncSetAttribute(K *kernel, enum cudaFuncAttribute, int value)
{
	return emulate_allow_shared((const void *)kernel, value);
}

void emulate_launch(const void *kernel, dim3 grid, dim3 block, size_t shared, void (*body)(void *), void *arg);

/* kernel<<<grid, block, shared, stream>>>(args...) */
template <typename... P, typename... A>
static inline void
launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, cudaStream_t stream, A... args)
{
	auto body = [&] { kernel(static_cast<P>(args)...); };

	(void)stream;
	emulate_launch((const void *)kernel, grid, block, shared, [](void *b) { (*(decltype(body) *)b)(); }, &body);
}

/* ---- operations of a warp ---- */

/* A lane's part in one: it lies on the lane's stack until the last lane of the mask has come and runs it for all of them. */
struct emulate_meeting {
	const char *what, *file;
	int line;
	unsigned mask;
	void (*run)(struct emulate_meeting *const lanes[32], unsigned mask);
	const void *in;
	void *out;
	size_t size;
	unsigned source; /* the lane that a shuffle reads */
};

void emulate_meet(struct emulate_meeting *m);
/* Ends the launch; a thread that calls it does not go on. */
void emulate_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *emulate_base_name(const char *file);
void emulate_nothing(struct emulate_meeting *const lanes[32], unsigned mask);
void emulate_shuffle(struct emulate_meeting *const lanes[32], unsigned mask);
void emulate_ballot(struct emulate_meeting *const lanes[32], unsigned mask);
unsigned emulate_lane(void);

/* Where an operation stands in the source, for what is told of it. */
#define EMULATE_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

static inline void
__syncwarp(unsigned mask = 0xFFFFFFFFu, EMULATE_HERE)
{
	struct emulate_meeting m = { "__syncwarp", file, line, mask, emulate_nothing, NULL, NULL, 0, 0 };

	emulate_meet(&m);
}

template <typename T>
static inline T
emulate_shuffled(const char *what, unsigned mask, T value, unsigned source, const char *file, int line)
{
	T ret = value;
	struct emulate_meeting m = { what, file, line, mask, emulate_shuffle, &value, &ret, sizeof(T), source };

	static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles carry 4 or 8 bytes");
	emulate_meet(&m);
	return ret;
}

template <typename T>
static inline T
__shfl_sync(unsigned mask, T value, int from, int width = 32, EMULATE_HERE)
{
	unsigned lane = emulate_lane(), w = (unsigned)width;

	return emulate_shuffled("__shfl_sync", mask, value, lane / w * w + (unsigned)from % w, file, line);
}

template <typename T>
static inline T
__shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, EMULATE_HERE)
{
	unsigned lane = emulate_lane(), from = lane ^ (unsigned)bits, w = (unsigned)width;

	return emulate_shuffled("__shfl_xor_sync", mask, value, from / w > lane / w ? lane : from, file, line);
}

template <typename T>
static inline T
__shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, EMULATE_HERE)
{
	unsigned lane = emulate_lane();

	return emulate_shuffled("__shfl_up_sync", mask, value, lane % (unsigned)width < delta ? lane : lane - delta, file, line);
}

template <typename T>
static inline T
__shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, EMULATE_HERE)
{
	unsigned lane = emulate_lane(), w = (unsigned)width;

	return emulate_shuffled("__shfl_down_sync", mask, value, lane % w + delta >= w ? lane : lane + delta, file, line);
}

static inline unsigned
__ballot_sync(unsigned mask, int predicate, EMULATE_HERE)
{
	unsigned ret = 0;
	struct emulate_meeting m = { "__ballot_sync", file, line, mask, emulate_ballot, &predicate, &ret, 0, 0 };

	emulate_meet(&m);
	return ret;
}

static inline int
__any_sync(unsigned mask, int predicate, EMULATE_HERE)
{
	return __ballot_sync(mask, predicate, file, line) != 0;
}

static inline int
__all_sync(unsigned mask, int predicate, EMULATE_HERE)
{
	return __ballot_sync(mask, predicate, file, line) == mask;
}

/* ---- what device.h has of PTX ---- */

void emulate_ldmatrix(unsigned *ret, int matrices, bool trans, const void *row, const char *file, int line);
void emulate_mma_bf16(float *c, const unsigned *a, const unsigned *b, const char *file, int line);
void emulate_copy_async(void *to, const void *from, bool valid, const char *file, int line);
void emulate_copy_commit(void);
void emulate_copy_wait(int left);

/* ---- numbers ---- */

static inline unsigned
__float_as_uint(float x)
{
	unsigned ret;

	memcpy(&ret, &x, sizeof(ret));
	return ret;
}

static inline float
__uint_as_float(unsigned x)
{
	float ret;

	memcpy(&ret, &x, sizeof(ret));
	return ret;
}

#define EMULATE_ORDERED(type) \
	static inline type min(type a, type b) { return b < a ? b : a; } \
	static inline type max(type a, type b) { return a < b ? b : a; }
EMULATE_ORDERED(int)
EMULATE_ORDERED(unsigned)
EMULATE_ORDERED(long)
EMULATE_ORDERED(unsigned long)
EMULATE_ORDERED(float)
#undef EMULATE_ORDERED

#define EMULATE_ATOMICS(type) \
	static inline type atomicAdd(type *at, type value) { type ret = *at; *at = ret + value; return ret; } \
	static inline type atomicMax(type *at, type value) { type ret = *at; *at = max(ret, value); return ret; } \
	static inline type atomicMin(type *at, type value) { type ret = *at; *at = min(ret, value); return ret; } \
	static inline type atomicExch(type *at, type value) { type ret = *at; *at = value; return ret; } \
	static inline type atomicCAS(type *at, type old, type value) { type ret = *at; *at = ret == old ? value : ret; return ret; }
EMULATE_ATOMICS(int)
EMULATE_ATOMICS(unsigned)
#undef EMULATE_ATOMICS

template <typename T> static inline T __ldg(const T *at) { return *at; }
template <typename T> static inline T __ldcs(const T *at) { return *at; }
template <typename T> static inline T __ldcg(const T *at) { return *at; }
template <typename T> static inline void __stcs(T *at, T value) { *at = value; }
template <typename T> static inline void __stcg(T *at, T value) { *at = value; }
static inline void __threadfence(void) {}
static inline float rsqrtf(float x) { return 1 / sqrtf(x); }
#define __expf(x) expf(x)
#define __logf(x) logf(x)
static inline float __fdividef(float a, float b) { return a / b; }
static inline float __frcp_rn(float x) { return 1 / x; }
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((uint64_t)a * b >> 32); }

#endif
