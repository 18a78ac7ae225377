# LATEEN_DEFAULT_CFLAGS: -O2 -g unless the user said otherwise. Before AC_PROG_CC.
AC_DEFUN([LATEEN_DEFAULT_CFLAGS], [
	AC_BEFORE([$0], [AC_PROG_CC])
	: ${CFLAGS="-O2 -g"}
])

# LATEEN_REPRODUCIBLE_DIST: the dist tarball depends on the files alone: sorted, owned by 0, and dated by
# SOURCE_DATE_EPOCH, else by the last commit, else by configure.ac.
AC_DEFUN([LATEEN_REPRODUCIBLE_DIST], [
	[am__tar='$${TAR-tar} --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mode=u+rw,go+rX,go-w'\
' --mtime=@$${SOURCE_DATE_EPOCH-$$(git -C "$(abs_srcdir)" log -1 --format=%ct 2>/dev/null || stat -c %Y "$(abs_srcdir)/configure.ac")}'\
' -chf - "$$tardir"']
])

# LATEEN_SUMMARY: the last words of configure.
AC_DEFUN([LATEEN_SUMMARY], [
	AC_MSG_NOTICE([
lateen $PACKAGE_VERSION
  prefix        $prefix
  compiler      $CC ($CFLAGS)
  C++           $CXX (found: $have_cxx; for tests of the CUDA kernels)
  werror        $enable_werror
  sanitizers    $enable_sanitizers
  coverage      $enable_coverage
  fuzzing       $enable_fuzzing
  cuda          $with_cuda
Now: make, make check, make install.])
])
