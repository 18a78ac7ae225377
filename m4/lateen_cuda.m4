# LATEEN_CUDA: --with-cuda[=DIR] builds the plugin for GPUs, liblateen-cuda.so, with the nvcc of a toolkit. Nothing is built unless
# it is asked for; then a missing or old toolkit is an error. No GPU and no driver is needed for it.
AC_DEFUN([LATEEN_CUDA], [
	AC_ARG_WITH([cuda],
		[AS_HELP_STRING([--with-cuda@<:@=DIR@:>@], [build the plugin for GPUs with the toolkit in DIR (share/cuda-toolkit.sh lays one out)])],
		[], [with_cuda=no])
	NVCC=
	AS_IF([test "x$with_cuda" != xno], [LATEEN_NVCC])
	AC_SUBST([NVCC])
	AC_SUBST([NVCC_TARGETS])
	AC_SUBST([NVCC_FLAGS])
	AM_CONDITIONAL([CUDA], [test "x$with_cuda" != xno])
])

# Machine code for the A100 and for the H100 with its own instructions, and for all others what a driver compiles.
AC_DEFUN([LATEEN_NVCC], [
	AC_MSG_CHECKING([for nvcc])
	AS_IF([test "x$with_cuda" != xyes], [lateen_cuda=$with_cuda],
		[test "x$CUDA_HOME" != x], [lateen_cuda=$CUDA_HOME],
		[lateen_cuda=`command -v nvcc`
		 lateen_cuda=`readlink -f "$lateen_cuda"`
		 lateen_cuda=${lateen_cuda%/bin/nvcc}
		 test "x$lateen_cuda" != x || lateen_cuda=/usr/local/cuda])
	AS_IF([test -x "$lateen_cuda/bin/nvcc"], [], [
		AC_MSG_RESULT([no])
		AC_MSG_ERROR([--with-cuda: there is no $lateen_cuda/bin/nvcc; share/cuda-toolkit.sh lays out a toolkit and prints its folder])])
	lateen_nvcc=`"$lateen_cuda/bin/nvcc" --version 2>/dev/null | $SED -n 's/.*release \([[0-9]]*\)\.\([[0-9]]*\).*/\1.\2/p'`
	AC_MSG_RESULT([$lateen_cuda/bin/nvcc $lateen_nvcc])
	AS_CASE([$lateen_nvcc],
		[''], [AC_MSG_ERROR([--with-cuda: $lateen_cuda/bin/nvcc does not say its version])],
		[?.*|10.*|11.*], [AC_MSG_ERROR([--with-cuda: nvcc $lateen_nvcc is too old; 12.0 is the first that fits, 13.0 the one we test with])])
	AS_IF([test "x$have_cxx" = xyes], [], [AC_MSG_ERROR([--with-cuda: nvcc needs a C++ compiler])])
	NVCC="$lateen_cuda/bin/nvcc -ccbin ${CXX%% *}"
	NVCC_TARGETS="-gencode=arch=compute_80,code=sm_80 -gencode=arch=compute_90a,code=sm_90a -gencode=arch=compute_80,code=compute_80"
	NVCC_FLAGS="-O3 -std=c++17 -Xcompiler -fPIC,-fvisibility=hidden"
	AS_IF([test "x$enable_werror" != xno], [NVCC_FLAGS="$NVCC_FLAGS -Werror all-warnings"])
	AC_MSG_CHECKING([whether nvcc makes shared libraries])
	cat >conftest.cu <<'END'
#include <cuda_bf16.h>
#include <cuda_runtime.h>
static __global__ void twice(float *x) { x[[threadIdx.x]] *= __bfloat162float(__float2bfloat16(2.0f)); }
extern "C" int run(float *x) { twice<<<1, 32>>>(x); return (int)cudaGetLastError(); }
END
	AS_IF([$NVCC $NVCC_FLAGS $NVCC_TARGETS -shared conftest.cu -o conftest.so >&AS_MESSAGE_LOG_FD 2>&1],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		 AC_MSG_ERROR([--with-cuda: $lateen_cuda/bin/nvcc cannot compile and link a kernel; config.log says why])])
	rm -f conftest.cu conftest.so
])
