# LATEEN_LIBRARIES: what we link, and libzmq and libcurl, of which only the headers are used: they draw in a dozen and two
# dozen libraries, so whoever needs them opens them on first use (base/library.h).
#
# LATEEN_CFLAGS and LATEEN_LIBS are for everything; programs are linked with --as-needed, so that each carries only
# what it uses.
AC_DEFUN([LATEEN_LIBRARIES], [
	PKG_PROG_PKG_CONFIG
	PKG_CHECK_MODULES([ZMQ], [libzmq >= 4.3])
	PKG_CHECK_MODULES([JANSSON], [jansson >= 2.12])
	PKG_CHECK_MODULES([CRYPTO], [libcrypto >= 3.0])
	PKG_CHECK_MODULES([CURL], [libcurl >= 7.74])
	PKG_CHECK_MODULES([UUID], [uuid])
	PKG_CHECK_MODULES([YAML], [yaml-0.1])
	PKG_CHECK_MODULES([SQLITE], [sqlite3 >= 3.34])
	PKG_CHECK_MODULES([ZLIB], [zlib])
	PKG_CHECK_MODULES([UTF8PROC], [libutf8proc])
	PKG_CHECK_MODULES([PCRE2], [libpcre2-8 >= 10.34])
	LATEEN_CFLAGS="$ZMQ_CFLAGS $JANSSON_CFLAGS $CRYPTO_CFLAGS $CURL_CFLAGS $UUID_CFLAGS $YAML_CFLAGS $SQLITE_CFLAGS \
$ZLIB_CFLAGS $UTF8PROC_CFLAGS $PCRE2_CFLAGS"
	LATEEN_LIBS="$JANSSON_LIBS $CRYPTO_LIBS $UUID_LIBS $YAML_LIBS $SQLITE_LIBS $ZLIB_LIBS $UTF8PROC_LIBS \
$PCRE2_LIBS -lm -lpthread"
	AC_SUBST([LATEEN_CFLAGS])
	AC_SUBST([LATEEN_LIBS])
])
