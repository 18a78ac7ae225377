#!/bin/sh
# embed.sh SYMBOL FILE…: a C file on standard output that holds these files, as an array `SYMBOL` of struct embedded_file
# (base/embedded.h) with a NULL name at its end. A file's name there is its last path component.
set -e
symbol=$1
shift
printf '/* Made by share/embed.sh. */\n#include "config.h"\n\n#include "base/embedded.h"\n\n'
printf 'extern const struct embedded_file %s[];\n\n' "$symbol"
n=0
for file in "$@"; do
	printf 'static const unsigned char bytes_%d[] = {\n' "$n"
	od -An -v -tx1 "$file" | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'
	printf '0x00 };\n\n' # a NUL behind each file, so that text can be read as a string
	n=$((n + 1))
done
printf 'const struct embedded_file %s[] = {\n' "$symbol"
n=0
for file in "$@"; do
	printf '\t{ "%s", bytes_%d, sizeof(bytes_%d) - 1 },\n' "${file##*/}" "$n" "$n"
	n=$((n + 1))
done
printf '\t{ 0, 0, 0 },\n};\n'
