#!/usr/bin/env bash
# Lays out a CUDA toolkit out of PyPI's packages, for ./configure --with-cuda=DIR, and prints its folder. Needs no GPU, no driver and no
# root; 110 MB of download, 280 MB on disk. What is there already is not fetched again; an interrupted run leaves nothing that a later
# one would take for a toolkit.
set -euo pipefail

# The release that the plugin is built and tested with. cccl is wanted for <nv/target>, which cuda_bf16.h includes. The two programs
# that look into machine code have no build of that release; newer ones read its output.
release=13.0.2
packages=("cuda-toolkit[nvcc,crt,nvvm,cudart,cccl]==$release" nvidia-cuda-cuobjdump==13.2.86 nvidia-cuda-nvdisasm==13.2.86)

help() {
	cat <<END
usage: $0 [FOLDER]

Puts the CUDA $release compiler into FOLDER (default: \$LATEEN_CUDA_HOME, or lateen/cuda-$release below \$XDG_CACHE_HOME or ~/.cache) and
prints that folder. Needs python3 with venv, and PyPI.
END
}

fail() {
	printf 'cuda-toolkit: %s\n' "$*" >&2
	exit 1
}

case ${1:-} in
-h | --help)
	help
	exit 0
	;;
-*)
	help >&2
	exit 2
	;;
esac

home=${1:-${LATEEN_CUDA_HOME:-${XDG_CACHE_HOME:-${HOME:?is not set}/.cache}/lateen/cuda-$release}}
mkdir -p "$(dirname "$home")"
home=$(cd "$(dirname "$home")" && pwd)/$(basename "$home")

# Of two at a time, one waits.
exec 9>"$home.lock"
flock 9

if [ "$(cat "$home/lateen-release" 2>/dev/null)" = "$release" ]; then
	printf '%s\n' "$home"
	exit 0
fi
[ ! -e "$home" ] || [ -e "$home/lateen-release" ] || fail "$home is there and was not made by this script; name another folder"

python=
for python in /usr/bin/python3 python3 ''; do
	[ -n "$python" ] && "$python" -c 'import ensurepip, venv' 2>/dev/null && break
done
[ -n "$python" ] || fail "no python3 with its venv module was found (on Debian: the package python3-venv)"

partial=$home.partial
rm -rf "$partial"
trap 'rm -rf "$partial"' EXIT
"$python" -m venv "$partial" >&2 || fail "no virtual environment could be made in $partial"
"$partial/bin/python" -m pip install --disable-pip-version-check --no-input --no-cache-dir --progress-bar off "${packages[@]}" >"$home.log" 2>&1 </dev/null ||
	fail "the packages cannot be had from PyPI ($home.log says why)"
found=$(echo "$partial"/lib/python3*/site-packages/nvidia/cu13)
[ -x "$found/bin/nvcc" ] || fail "the packages hold no nvcc"

# Two things that linkers look for and the packages lack.
ln -sfn lib "$found/lib64"
for library in "$found"/lib/lib*.so.[0-9]*; do
	ln -sf "${library##*/}" "${library%%.so.*}.so"
done
printf '%s\n' "$release" >"$found/lateen-release"
rm -rf "$home"
mv "$found" "$home"
rm -f "$home.log"
printf '%s\n' "$home"
