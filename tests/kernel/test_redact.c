#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/redact.h"
#include "tests/tap.h"

/* What stands in `secret` must not come out; NULL: the text comes out as it is. */
static const struct {
	const char *what, *text, *want;
} cases[] = {
	{ "nothing", "", "" },
	{ "a sentence", "the step `train` ended as Failed: exit code 3", "the step `train` ended as Failed: exit code 3" },
	{ "words that only sound secret", "the token of the kubeconfig has ended; keys of Secrets", "the token of the kubeconfig has ended; keys of Secrets" },
	{ "a variable of this machine", "x planted-env-1 y", "x [removed] y" },
	{ "twice, and one within a word", "planted-env-1planted-env-1", "[removed][removed]" },
	{ "the longer one first", "planted-env-1-longer", "[removed]" },
	{ "a path in a variable that is named like a secret", "/etc/planted/file", "/etc/planted/file" },
	{ "a JSON web token", "got eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln, and", "got [removed], and" },
	{ "GitHub's", "ghp_0123456789abcdef", "[removed]" },
	{ "within a longer word it is no token", "xghp_0123456789abcdef", "xghp_0123456789abcdef" },
	{ "too short for one", "eyJ is how they begin", "eyJ is how they begin" },
	{ "Google's", "ya29.a0AfH6SMBxxxxxxxx", "[removed]" },
	{ "Amazon's", "AKIAIOSFODNN7EXAMPLE", "[removed]" },
	{ "a bearer", "Authorization: Bearer abc.def-ghi", "Authorization: Bearer [removed]" },
	{ "basic authentication", "authorization: basic dXNlcjpwYXNz", "authorization: basic [removed]" },
	{ "an address with a password", "at https://me:pass@example.org/x", "at https://[removed]@example.org/x" },
	{ "one without", "at https://example.org/x@y", "at https://example.org/x@y" },
	{ "a field", "password=hunter22 user=me", "password=[removed] user=me" },
	{ "a JSON field", "{\"client_secret\": \"hunter22\", \"a\": 1}", "{\"client_secret\": \"[removed]\", \"a\": 1}" },
	{ "a YAML field", "token: abcdefg\nnamespace: x", "token: [removed]\nnamespace: x" },
	{ "a cookie", "Set-Cookie: authservice_session=MTY5; Path=/", "Set-Cookie: [removed]; Path=/" },
	{ "a private key", "a -----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY----- b", "a [removed] b" },
	{ "a key without an end", "-----BEGIN PRIVATE KEY-----\nMIIE", "[removed]" },
	{ "a secret of a program", "hello planted-added", "hello [removed]" },
	{ "UTF-8", "é漢🙂 planted-env-1 é", "é漢🙂 [removed] é" },
};

int
main(void)
{
	struct redaction *redaction;

	setenv("HOME", "/nonexistent", 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("KUBECONFIG");
	setenv("SOME_API_TOKEN", "planted-env-1", 1);
	setenv("OTHER_PASSWORD", "planted-env-1-longer\n", 1);
	setenv("TOKEN_FILE", "/etc/planted/file", 1);
	setenv("SHORT_SECRET", "abc", 1);
	redaction = redaction_new();
	redaction_add(redaction, "planted-added");
	redaction_add(redaction, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out = { 0 };

		redact(redaction, cases[i].text, strlen(cases[i].text), &out);
		is_str(buf_text(&out), cases[i].want, "%s", cases[i].what);
		buf_release(&out);
	}
	redaction_free(redaction);
	redaction_free(NULL);
	done_testing();
}
