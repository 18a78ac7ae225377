# The compute ops of the model, for lateen-step: `lateen` takes nothing of it.
noinst_LIBRARIES += libkernels.a

libkernels_a_SOURCES =
libkernels_a_SOURCES += %D%/cpu.c %D%/cpu.h
libkernels_a_SOURCES += %D%/cpu_avx2.c
libkernels_a_SOURCES += %D%/cpu_avx512.c
libkernels_a_SOURCES += %D%/cpu_avx512_bf16.c
libkernels_a_SOURCES += %D%/cpu_base.c
libkernels_a_SOURCES += %D%/ops.h
libkernels_a_SOURCES += %D%/plain.c %D%/plain.h
libkernels_a_SOURCES += %D%/plain_attention.c
libkernels_a_SOURCES += %D%/plain_muon.c
libkernels_a_SOURCES += %D%/plain_packed.c
libkernels_a_SOURCES += %D%/simd.h
libkernels_a_SOURCES += %D%/simd_attention.h
libkernels_a_SOURCES += %D%/simd_decode.h
libkernels_a_SOURCES += %D%/simd_decode_attention.h
libkernels_a_SOURCES += %D%/simd_matmul.h
libkernels_a_SOURCES += %D%/simd_muon.h
libkernels_a_SOURCES += %D%/simd_ops.h
libkernels_a_SOURCES += %D%/simd_rows.h
libkernels_a_SOURCES += %D%/simd_update.h
libkernels_a_SOURCES += %D%/team.c %D%/team.h

# The CUDA kernels as host code, under the emulation: for tests.
EXTRA_DIST += %D%/cuda/attention.cu
EXTRA_DIST += %D%/cuda/attention.cuh
EXTRA_DIST += %D%/cuda/attention.h
EXTRA_DIST += %D%/cuda/attention_backward.cu
EXTRA_DIST += %D%/cuda/attention_forward.cu
EXTRA_DIST += %D%/cuda/attention_plain.cu
EXTRA_DIST += %D%/cuda/device.h
if HAVE_CXX
check_LIBRARIES += libemulated.a
endif
libemulated_a_SOURCES =
libemulated_a_SOURCES += %D%/cuda/emulate.cc %D%/cuda/emulate.h
libemulated_a_SOURCES += %D%/cuda/emulate_fiber.cc %D%/cuda/emulate_fiber.h
libemulated_a_SOURCES += %D%/cuda/emulate_tensor.cc
libemulated_a_SOURCES += %D%/cuda/emulated/attention.cc
libemulated_a_SOURCES += %D%/cuda/emulated/attention_backward.cc
libemulated_a_SOURCES += %D%/cuda/emulated/attention_forward.cc
libemulated_a_SOURCES += %D%/cuda/emulated/attention_plain.cc
