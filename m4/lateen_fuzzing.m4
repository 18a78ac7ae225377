# LATEEN_FUZZING: --enable-fuzzing links the targets of tests/fuzz with libFuzzer (clang only). Without it each target
# is a plain program that replays its corpus.
#
# The runtime library is named by its path, as an ordinary archive: its main() then goes only into programs that have
# none of their own, and the tests beside the targets still link.
AC_DEFUN([LATEEN_FUZZING], [
	AC_ARG_ENABLE([fuzzing], [AS_HELP_STRING([--enable-fuzzing], [build the fuzz targets with libFuzzer (needs clang)])],
		[], [enable_fuzzing=no])
	FUZZ_CFLAGS=
	FUZZ_LIBS=
	AS_IF([test "x$enable_fuzzing" != xno], [
		AC_MSG_CHECKING([for libFuzzer])
		lateen_fuzzer=`$CC -print-file-name=libclang_rt.fuzzer-x86_64.a 2>/dev/null`
		AS_IF([test -f "$lateen_fuzzer"], [], [
			lateen_fuzzer=`$CC -print-runtime-dir 2>/dev/null`
			lateen_fuzzer=`ls "$lateen_fuzzer"/libclang_rt.fuzzer*.a 2>/dev/null | $AWK '!/interceptors|no_main/' | head -n 1`
		])
		AS_IF([test -f "$lateen_fuzzer"], [AC_MSG_RESULT([$lateen_fuzzer])],
			[AC_MSG_RESULT([no])
			 AC_MSG_ERROR([--enable-fuzzing needs clang with libFuzzer: try CC=clang])])
		FUZZ_CFLAGS="-fsanitize=fuzzer-no-link"
		FUZZ_LIBS="$lateen_fuzzer -lstdc++ -lm -lpthread"
	])
	AC_SUBST([FUZZ_CFLAGS])
	AC_SUBST([FUZZ_LIBS])
	AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" != xno])
])
