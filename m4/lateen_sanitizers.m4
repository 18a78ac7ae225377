# LATEEN_SANITIZERS: --enable-sanitizers=LIST compiles and links everything with -fsanitize=LIST.
AC_DEFUN([LATEEN_SANITIZERS], [
	AC_ARG_ENABLE([sanitizers],
		[AS_HELP_STRING([--enable-sanitizers@<:@=LIST@:>@], [build with sanitizers @<:@address,undefined@:>@])],
		[], [enable_sanitizers=no])
	AS_IF([test "x$enable_sanitizers" = xyes], [enable_sanitizers=address,undefined])
	SANITIZER_CFLAGS=
	AS_IF([test "x$enable_sanitizers" != xno], [
		SANITIZER_CFLAGS="-fsanitize=$enable_sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer"
		lateen_saved_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS $SANITIZER_CFLAGS"
		AC_MSG_CHECKING([whether $CC links with -fsanitize=$enable_sanitizers])
		AC_LINK_IFELSE([AC_LANG_PROGRAM([])], [AC_MSG_RESULT([yes])],
			[AC_MSG_RESULT([no])
			 AC_MSG_ERROR([$CC cannot build with -fsanitize=$enable_sanitizers; leave out --enable-sanitizers])])
		CFLAGS=$lateen_saved_CFLAGS
	])
	AC_SUBST([SANITIZER_CFLAGS])
	AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" != xno])
])
