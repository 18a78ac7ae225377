# LATEEN_WARNINGS: WARN_CFLAGS holds what the compiler knows of the house's warnings; --enable-werror makes
# them errors. All flags are tried at once, and one by one only when that fails.
AC_DEFUN([LATEEN_TRY_FLAGS], [
	lateen_saved_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -Werror $1"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([])], [$2], [$3])
	CFLAGS=$lateen_saved_CFLAGS
])

AC_DEFUN([LATEEN_WARNINGS], [
	AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [make compiler warnings errors])],
		[], [enable_werror=no])
	lateen_all_warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
-Wformat=2 -Wundef -Wvla -Wcast-qual -Wwrite-strings -Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough"
	AC_MSG_CHECKING([which warnings $CC knows])
	WARN_CFLAGS=
	LATEEN_TRY_FLAGS([$lateen_all_warnings], [WARN_CFLAGS=$lateen_all_warnings], [
		for lateen_flag in $lateen_all_warnings; do
			LATEEN_TRY_FLAGS([$lateen_flag], [WARN_CFLAGS="$WARN_CFLAGS $lateen_flag"], [])
		done
	])
	AS_IF([test "x$WARN_CFLAGS" = "x$lateen_all_warnings"], [AC_MSG_RESULT([all])], [AC_MSG_RESULT([$WARN_CFLAGS])])
	AS_IF([test "x$enable_werror" != xno], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
	AC_SUBST([WARN_CFLAGS])
])
