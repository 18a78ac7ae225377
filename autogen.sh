#!/bin/sh
# Makes ./configure from configure.ac. Wanted only in a checkout: the dist tarball carries ./configure.
set -e
cd "$(dirname "$0")"
mkdir -p aux
exec autoreconf --install --force --warnings=all,no-obsolete,no-portability,no-override
