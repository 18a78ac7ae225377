#!/bin/sh
# A credential plugin: FAKE_PLUGIN says how it behaves.
if [ -t 0 ] || read -r line; then echo "standard input is not empty" >&2; exit 9; fi
answer() { # STATUS-FIELDS [VERSION]
	printf '{"apiVersion": "client.authentication.k8s.io/%s", "kind": "ExecCredential", "status": {%s}}\n' "${2:-v1}" "$1"
}
count() { # a number that grows from call to call
	n=$(($(cat "$FAKE_COUNT" 2>/dev/null || echo 0) + 1))
	echo "$n" >"$FAKE_COUNT"
	echo "$n"
}
case $FAKE_PLUGIN in
token) answer '"token": "from-plugin"' ;;
counting) answer "\"token\": \"token-$(count)\"" ;;
expiring) answer "\"token\": \"token-$(count)\", \"expirationTimestamp\": \"2001-01-01T00:00:00Z\"" ;;
lasting) answer "\"token\": \"token-$(count)\", \"expirationTimestamp\": \"2999-01-01T00:00:00Z\"" ;;
info) answer "\"token\": \"$(echo "$KUBERNETES_EXEC_INFO" | tr -d ' ' | cksum | cut -d ' ' -f 1)\"" ;;
empty) answer '' ;;
certificate-only) answer '"clientCertificateData": "x"' ;;
header) answer '"token": "a\r\nX-Evil: 1"' ;;
other-version) answer '"token": "x"' v1beta1 ;;
nonsense) echo "hunter2 is no JSON" ;;
fails) echo "hunter2"; echo "please sign in: gcloud auth login" >&2; exit 3 ;;
silent) exit 4 ;;
killed) kill -9 $$ ;;
hangs) exec sleep 600 ;;
child-hangs) sleep 600 & wait ;;
floods) exec head -c 3000000 /dev/zero ;;
*) echo "what is $FAKE_PLUGIN?" >&2; exit 8 ;;
esac
