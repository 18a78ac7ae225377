/* What the CUDA kernels are written with: nvcc's language and the few instructions that it has no name for, as inline PTX. Compiled by
 * nvcc for a chip; by any other C++ compiler for the emulation of emulate.h, under the same names.
 *
 * Kernels are launched by `launch`, take dynamic shared memory from `dynamic_shared()` and other shared memory by
 * `SHARED(float, sums, [32]);`. All else reads as it does in CUDA. Operations of this header concern whole warps: all 32 lanes come. */
#ifndef KERNELS_CUDA_DEVICE_H
#define KERNELS_CUDA_DEVICE_H

#ifdef __CUDACC__

#include <cuda_runtime.h>
#include <stddef.h>
#include <stdint.h>

#define SHARED(type, name, ...) __shared__ __align__(16) type name __VA_ARGS__
#define UNROLL _Pragma("unroll")

/* 128 bytes: what ldmatrix and copies of whole rows like. */
static __device__ __forceinline__ void *
dynamic_shared(void)
{
	extern __shared__ __align__(128) unsigned char dynamic_shared_bytes[];

	return dynamic_shared_bytes;
}

template <typename... P, typename... A>
static inline void
launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, cudaStream_t stream, A... args)
{
	kernel<<<grid, block, shared, stream>>>(static_cast<P>(args)...);
}

#else

#include "kernels/cuda/emulate.h"

#define UNROLL

#endif

constexpr unsigned FULL_WARP = 0xFFFFFFFFu;

/* ---- bfloat16 ---- */

struct bf16 {
	unsigned short bits;
};

static __device__ __forceinline__ float
to_float(float x)
{
	return x;
}

static __device__ __forceinline__ float
to_float(bf16 x)
{
	return __uint_as_float((unsigned)x.bits << 16);
}

/* Two neighbours in memory, the first in the low half: rounded to the nearest, ties to even. */
static __device__ __forceinline__ unsigned
pack_bf16(float low, float high)
{
#ifdef __CUDACC__
	unsigned ret;

	asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(ret) : "f"(high), "f"(low));
	return ret;
#else
	unsigned part[2] = { __float_as_uint(low), __float_as_uint(high) };

	for (unsigned &p : part)
		p = (p & 0x7FFFFFFFu) > 0x7F800000u ? 0x7FFFu : (p + 0x7FFFu + (p >> 16 & 1)) >> 16;
	return part[0] | part[1] << 16;
#endif
}

static __device__ __forceinline__ float
low_bf16(unsigned pair)
{
	return __uint_as_float(pair << 16);
}

static __device__ __forceinline__ float
high_bf16(unsigned pair)
{
	return __uint_as_float(pair & 0xFFFF0000u);
}

static __device__ __forceinline__ bf16
to_bf16(float x)
{
	return { (unsigned short)pack_bf16(x, 0) };
}

/* Into what the pointer holds. */
static __device__ __forceinline__ void
store(float *at, float x)
{
	*at = x;
}

static __device__ __forceinline__ void
store(bf16 *at, float x)
{
	*at = to_bf16(x);
}

/* ---- fast functions, to about 2 units of the last place; numbers too small to be normal count as zero ---- */

static __device__ __forceinline__ float
exp2_fast(float x)
{
#ifdef __CUDACC__
	float ret;

	asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(ret) : "f"(x));
	return ret;
#else
	return exp2f(x);
#endif
}

static __device__ __forceinline__ float
log2_fast(float x)
{
#ifdef __CUDACC__
	float ret;

	asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(ret) : "f"(x));
	return ret;
#else
	return log2f(x);
#endif
}

/* ---- copies from global to shared memory that go on behind the thread's back: 16 bytes, both sides aligned to 16 ----
 *
 * cp_async_commit closes a group; cp_async_wait<n> waits for all groups of this thread but the last n. Other threads see the bytes
 * after a barrier behind that. */

#ifdef __CUDACC__

static __device__ __forceinline__ unsigned
shared_address(const void *at)
{
	return (unsigned)__cvta_generic_to_shared(at);
}

/* Zeros where not valid: `from` is then not read, but must be an address of global memory. */
static __device__ __forceinline__ void
cp_async16(void *to, const void *from, bool valid)
{
	asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(valid ? 16 : 0) : "memory");
}

static __device__ __forceinline__ void
cp_async_commit(void)
{
	asm volatile("cp.async.commit_group;" ::: "memory");
}

template <int LEFT>
static __device__ __forceinline__ void
cp_async_wait(void)
{
	asm volatile("cp.async.wait_group %0;" ::"n"(LEFT) : "memory");
}

#else

static inline void
cp_async16(void *to, const void *from, bool valid, EMULATE_HERE)
{
	emulate_copy_async(to, from, valid, file, line);
}

static inline void
cp_async_commit(void)
{
	emulate_copy_commit();
}

template <int LEFT>
static inline void
cp_async_wait(void)
{
	emulate_copy_wait(LEFT);
}

#endif

/* ---- tensor cores ----
 *
 * A matrix of 8 x 8 bfloat16 in shared memory is eight rows of 16 bytes. Lane l of a warp gets of it row l / 4, columns l % 4 * 2 and
 * the one behind, packed; with `trans` of its transpose. The addresses of the rows come from the lanes: lane l says where row l % 8 of
 * matrix l / 8 is. */

#ifdef __CUDACC__

static __device__ __forceinline__ void
ldmatrix4(unsigned ret[4], const void *row)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
		: "=r"(ret[0]), "=r"(ret[1]), "=r"(ret[2]), "=r"(ret[3]) : "r"(shared_address(row)) : "memory");
}

static __device__ __forceinline__ void
ldmatrix4_trans(unsigned ret[4], const void *row)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
		: "=r"(ret[0]), "=r"(ret[1]), "=r"(ret[2]), "=r"(ret[3]) : "r"(shared_address(row)) : "memory");
}

/* c (16, 8) += a (16, 16) b (16, 8), summed in single precision. With g = lane / 4 and t = lane % 4 * 2, a lane holds, in pairs of
 * neighbours: of a, rows g, g + 8, g, g + 8 at columns t, t, t + 8, t + 8; of b, rows t and t + 8 (two rows are a pair) of column g;
 * of c, row g at t and row g + 8 at t. */
static __device__ __forceinline__ void
mma_bf16(float c[4], const unsigned a[4], const unsigned b[2])
{
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
		: "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

#else

static inline void
ldmatrix4(unsigned ret[4], const void *row, EMULATE_HERE)
{
	emulate_ldmatrix(ret, 4, false, row, file, line);
}

static inline void
ldmatrix4_trans(unsigned ret[4], const void *row, EMULATE_HERE)
{
	emulate_ldmatrix(ret, 4, true, row, file, line);
}

static inline void
mma_bf16(float c[4], const unsigned a[4], const unsigned b[2], EMULATE_HERE)
{
	emulate_mma_bf16(c, a, b, file, line);
}

#endif

/* ---- sums over a warp, the same in all of its lanes ---- */

static __device__ __forceinline__ float
warp_sum(float x)
{
	for (int bits = 16; bits; bits >>= 1)
		x += __shfl_xor_sync(FULL_WARP, x, bits);
	return x;
}

static __device__ __forceinline__ float
warp_max(float x)
{
	for (int bits = 16; bits; bits >>= 1)
		x = fmaxf(x, __shfl_xor_sync(FULL_WARP, x, bits));
	return x;
}

#endif
