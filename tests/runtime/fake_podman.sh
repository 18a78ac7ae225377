#!/bin/sh
# What the tests take for podman: it writes down how it was called, one word a line, and does as little of it as a test needs.
# FAKE_LOG names the file; FAKE_EXIT is the exit code of `run`; FAKE_SLEEP makes `run` last; FAKE_OUTPUT is what each output holds.
{
	echo "== $1"
	shift_done=
	for word in "$@"; do
		[ -n "$shift_done" ] && echo "$word"
		shift_done=1
	done
} >>"$FAKE_LOG"
case $1 in
run)
	previous=
	for word in "$@"; do
		if [ "$previous" = --volume ]; then
			case $word in
			*:/tmp/lateen/out) out=${word%:/tmp/lateen/out} ;;
			*:/tmp/lateen/script:ro) echo "script: $(cat "${word%:/tmp/lateen/script:ro}")" ;;
			*:/tmp/lateen/in/*) echo "in: $(cat "${word%:/tmp/lateen/in/*}")" ;;
			esac
		fi
		[ "$previous" = --env ] && case $word in *=*) ;; *) eval "echo \"env: $word=\$$word\"" ;; esac
		previous=$word
	done
	[ -n "${FAKE_SLEEP:-}" ] && { touch "$FAKE_LOG.here"; sleep "$FAKE_SLEEP"; }
	[ -n "${out:-}" ] && for name in ${FAKE_NAMES:-}; do echo "$FAKE_OUTPUT" >"$out/$name"; done
	exit "${FAKE_EXIT:-0}"
	;;
cp)
	echo "copied ${2#*:}" >"$3"
	;;
esac
