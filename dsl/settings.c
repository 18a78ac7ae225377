#include "config.h"

#include "dsl/settings.h"

#include <string.h>

static const struct setting_info table[] = {
#define SETTING(word, places, arguments, doc, works) { word, places, arguments, doc, works },
#include "dsl/settings.def"
#undef SETTING
};

const struct setting_info *
setting_lookup_at(const char *word, enum setting_place place)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if ((table[i].places & place) && !strcmp(table[i].word, word))
			return &table[i];
	return NULL;
}

const struct setting_info *
setting_lookup(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!strcmp(table[i].word, word))
			return &table[i];
	return NULL;
}

const struct setting_info *
setting_table(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(table);
	return table;
}

bool
setting_is_cron(const char *text)
{
	static const char blanks[] = " \t", plain[] = "0123456789*,-/?LW#ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	size_t fields = 0;

	while (*(text += strspn(text, blanks))) {
		size_t len = strspn(text, plain);

		if (!len)
			return false;
		fields++;
		text += len;
	}
	return fields == 5;
}
