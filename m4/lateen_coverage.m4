# LATEEN_COVERAGE: --enable-coverage adds --coverage, for gcov. CFLAGS of the user stay as they are.
AC_DEFUN([LATEEN_COVERAGE], [
	AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage], [record what the tests reach, for gcov])],
		[], [enable_coverage=no])
	COVERAGE_CFLAGS=
	AS_IF([test "x$enable_coverage" != xno], [COVERAGE_CFLAGS="--coverage -O0"])
	AC_SUBST([COVERAGE_CFLAGS])
])
