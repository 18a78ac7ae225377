#include "config.h"

#include <string.h>

#include "tests/cases.h"
#include "tests/tap.h"

int
main(void)
{
	struct case_file file;

	cases_open(&file, "tests/example.cases");
	if (!is_int((int64_t)file.n_cases, 3, "three cases"))
		return done_testing();
	is_str(file.comment, "The file that tests/test_cases.c reads: the format's own test.\n", "the file's comment");
	is_str(file.cases[0].name, "two parts", "a case's name");
	is_str(case_text(&file.cases[0], "program"), "a = 1\n\nb = 2\n", "a program with an empty line");
	case_is(&file, &file.cases[0], "expected", "fine", 4);
	is_str(file.cases[1].comment, "What broke: a line of dashes was taken for a part.\n", "a case's comment");
	is_str(case_text(&file.cases[1], "program"), "---- not a part\n==== not a case\n", "escaped markers");
	case_is(&file, &file.cases[1], "expected", "", 0);
	is_str(case_text(&file.cases[2], "program"), NULL, "a part that is not there");
	case_is(&file, &file.cases[2], "expected", "", 0);
	ok(!file.changed, "nothing to write");
	cases_close(&file);
	return done_testing();
}
