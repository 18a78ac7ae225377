#include "config.h"

#include "base/rfc3339.h"
#include "tests/tap.h"

int
main(void)
{
	static const struct {
		const char *text;
		int64_t ms;
		const char *again; /* NULL: the text itself */
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0, NULL },
		{ "2026-11-26T12:34:56Z", 1795696496000, NULL },
		{ "2026-11-26T12:34:56.5Z", 1795696496500, "2026-11-26T12:34:56.500Z" },
		{ "2026-11-26T12:34:56.123456789Z", 1795696496123, "2026-11-26T12:34:56.123Z" },
		{ "2026-11-26t14:34:56+02:00", 1795696496000, "2026-11-26T12:34:56Z" },
		{ "2024-02-29T23:59:59-00:30", 1709252999000, "2024-03-01T00:29:59Z" },
		{ "2026-11-26", -1, "" },
		{ "2026-11-26T12:34:56", -1, "" },
		{ "2026-11-26T12:34:56.Z", -1, "" },
		{ "2026-11-26T12:34:56+0200", -1, "" },
		{ "2026-11-26T12:34:56Z ", -1, "" },
		{ "0001-01-01T00:00:00Z", -1, "" },
		{ "yesterday", -1, "" },
		{ "", -1, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf buf = { 0 };
		int64_t ms = rfc3339_read(cases[i].text);

		is_int(ms, cases[i].ms, "reads `%s`", cases[i].text);
		if (ms >= 0)
			rfc3339_write(&buf, ms);
		is_str(buf_text(&buf), cases[i].again ? cases[i].again : cases[i].text, "writes `%s` again", cases[i].text);
		buf_release(&buf);
	}
	return done_testing();
}
