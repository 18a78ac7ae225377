# LATEEN_CXX: a C++ compiler of $CC's family, for the CUDA kernels on the host (kernels/cuda/emulate.h). Without one these are not tested.
AC_DEFUN([LATEEN_CXX_DEFAULTS], [
	AC_BEFORE([$0], [AC_PROG_CXX])
	: ${CXXFLAGS="$CFLAGS"}
	AS_CASE([$CC], [*clang*], [: ${CXX=clang++}])
])

AC_DEFUN([LATEEN_CXX], [
	AC_REQUIRE([LATEEN_CXX_DEFAULTS])
	AC_REQUIRE([AC_PROG_CXX])
	AC_MSG_CHECKING([whether $CXX compiles C++17])
	AC_LANG_PUSH([C++])
	lateen_saved_CXXFLAGS=$CXXFLAGS
	CXXFLAGS="$CXXFLAGS -std=gnu++17 $SANITIZER_CFLAGS"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([template <typename... T> static int f(T... t) { return (t + ...); }], [return f(0, 0);])],
		[have_cxx=yes], [have_cxx=no])
	CXXFLAGS=$lateen_saved_CXXFLAGS
	AC_LANG_POP([C++])
	AC_MSG_RESULT([$have_cxx])
	WARN_CXXFLAGS="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wvla -Wcast-qual -Wwrite-strings"
	AS_IF([test "x$enable_werror" != xno], [WARN_CXXFLAGS="$WARN_CXXFLAGS -Werror"])
	AC_SUBST([WARN_CXXFLAGS])
	AS_IF([test $have_cxx = yes], [AC_DEFINE([HAVE_EMULATION], [1], [Define to 1 if the kernels for GPUs are there as host code, for tests.])])
	AM_CONDITIONAL([HAVE_CXX], [test $have_cxx = yes])
])
