# The compute ops of the model, for lateen-step: `lateen` takes nothing of it.
noinst_LIBRARIES += libkernels.a

libkernels_a_SOURCES =
libkernels_a_SOURCES += %D%/cpu.c %D%/cpu.h
libkernels_a_SOURCES += %D%/cpu_avx2.c
libkernels_a_SOURCES += %D%/cpu_avx512.c
libkernels_a_SOURCES += %D%/cpu_avx512_bf16.c
libkernels_a_SOURCES += %D%/cpu_base.c
libkernels_a_SOURCES += %D%/cuda/plugin.h
libkernels_a_SOURCES += %D%/cuda_open.c %D%/cuda_open.h
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

# The device for GPUs: a plugin that nvcc compiles, where ./configure --with-cuda asks for it.
GPU_CODE =
GPU_CODE += %D%/cuda/attention.cu
GPU_CODE += %D%/cuda/attention_backward.cu
GPU_CODE += %D%/cuda/attention_forward.cu
GPU_CODE += %D%/cuda/attention_plain.cu
GPU_CODE += %D%/cuda/calls.cu
GPU_CODE += %D%/cuda/choices.cu
GPU_CODE += %D%/cuda/decode.cu
GPU_CODE += %D%/cuda/embed.cu
GPU_CODE += %D%/cuda/host_cuda.cu
GPU_CODE += %D%/cuda/norm.cu
GPU_CODE += %D%/cuda/plugin.cu
GPU_CODE += %D%/cuda/products.cu
GPU_CODE += %D%/cuda/record.cu
GPU_CODE += %D%/cuda/rows.cu
GPU_CODE += %D%/cuda/side.cu
GPU_CODE += %D%/cuda/update.cu
GPU_CODE += %D%/cuda/xent.cu
GPU_INCLUDED =
GPU_INCLUDED += %D%/cuda/attention.cuh
GPU_INCLUDED += %D%/cuda/attention.h
GPU_INCLUDED += %D%/cuda/calls.h
GPU_INCLUDED += %D%/cuda/choices.h
GPU_INCLUDED += %D%/cuda/cublaslt.h
GPU_INCLUDED += %D%/cuda/cuda.h
GPU_INCLUDED += %D%/cuda/device.h
GPU_INCLUDED += %D%/cuda/host.h
GPU_INCLUDED += %D%/cuda/numbers.h
GPU_INCLUDED += %D%/cuda/products.h
GPU_INCLUDED += %D%/cuda/record.h
GPU_INCLUDED += %D%/cuda/side.h
EXTRA_DIST += $(GPU_CODE) $(GPU_INCLUDED)
if CUDA
SUFFIXES = .cu
GPU_PARTS = $(GPU_CODE:.cu=.o)
plugindir = $(pkglibdir)
plugin_DATA = liblateen-cuda.so
CLEANFILES += liblateen-cuda.so $(GPU_PARTS)

.cu.o:
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(NVCC) $(NVCC_TARGETS) $(NVCC_FLAGS) -I$(builddir) -I$(srcdir) -c $< -o $@
$(GPU_PARTS): $(GPU_INCLUDED) %D%/cuda/plugin.h %D%/ops.h config.h
liblateen-cuda.so: $(GPU_PARTS)
	$(AM_V_GEN)$(NVCC) $(NVCC_TARGETS) -shared -Xlinker --no-undefined,--exclude-libs,ALL $(GPU_PARTS) -ldl -o $@.tmp && mv $@.tmp $@
endif

# The same kernels as host code, under the emulation: for tests.
if HAVE_CXX
check_LIBRARIES += libemulated.a
endif
libemulated_a_SOURCES =
libemulated_a_SOURCES += %D%/cuda/emulate.cc %D%/cuda/emulate.h
libemulated_a_SOURCES += %D%/cuda/emulate_control.h
libemulated_a_SOURCES += %D%/cuda/emulate_fiber.cc %D%/cuda/emulate_fiber.h
libemulated_a_SOURCES += %D%/cuda/emulate_tensor.cc
libemulated_a_SOURCES += %D%/cuda/emulated/attention.cc
libemulated_a_SOURCES += %D%/cuda/emulated/attention_backward.cc
libemulated_a_SOURCES += %D%/cuda/emulated/attention_forward.cc
libemulated_a_SOURCES += %D%/cuda/emulated/attention_plain.cc
libemulated_a_SOURCES += %D%/cuda/emulated/calls.cc
libemulated_a_SOURCES += %D%/cuda/emulated/choices.cc
libemulated_a_SOURCES += %D%/cuda/emulated/decode.cc
libemulated_a_SOURCES += %D%/cuda/emulated/embed.cc
libemulated_a_SOURCES += %D%/cuda/emulated/norm.cc
libemulated_a_SOURCES += %D%/cuda/emulated/plugin.cc
libemulated_a_SOURCES += %D%/cuda/emulated/products.cc
libemulated_a_SOURCES += %D%/cuda/emulated/record.cc
libemulated_a_SOURCES += %D%/cuda/emulated/rows.cc
libemulated_a_SOURCES += %D%/cuda/emulated/side.cc
libemulated_a_SOURCES += %D%/cuda/emulated/update.cc
libemulated_a_SOURCES += %D%/cuda/emulated/xent.cc
libemulated_a_SOURCES += %D%/cuda/host_emulated.cc
