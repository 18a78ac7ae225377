#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "tests/tap.h"

int
main(void)
{
	struct error err = { "" };
	char longer[ERROR_TEXT_MAX + 10];

	is_int(error_set(&err, "no %s", "door"), -1, "returns -1");
	is_str(err.text, "no door", "the text");
	error_prefix(&err, "house %d", 7);
	is_str(err.text, "house 7: no door", "context goes before it");
	error_errno(&err, ENOENT, "cannot open `%s`", "x");
	is_str(err.text, "cannot open `x`: No such file or directory", "the system's word goes behind it");
	is_int(error_set(NULL, "nobody asks"), -1, "no place for the text is fine");
	for (size_t i = 0; i + 2 < sizeof longer; i += 2)
		memcpy(longer + i, "é", 3);
	error_set(&err, "x%s", longer);
	ok(strlen(err.text) < ERROR_TEXT_MAX && strstr(err.text, "…"), "text that is too long ends in an ellipsis");
	ok(utf8_valid(err.text, strlen(err.text)), "and is cut between characters");
	return done_testing();
}
