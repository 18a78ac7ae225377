/* The operations for processors with AVX2 and FMA. */
#include "config.h"

#include "kernels/cpu.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define LANES 8
#define BF16 0
#define TABLE CPU_AVX2
#include "kernels/simd_ops.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
