/* The operations for processors with AVX-512, with products of bfloat16 and of bytes. */
#include "config.h"

#include "kernels/cpu.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16")
#endif

#define LANES 16
#define BF16 1
#define TABLE CPU_AVX512_BF16
#include "kernels/simd_ops.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
