#include "config.h"

#include "runtime/train/unicode_class.h"

#include <utf8proc.h>

#include "base/macros.h"
#include "base/utf8.h"

/* Letters and numbers that Unicode 15.1 and 16 added (DerivedGeneralCategory.txt of 16.0 against that of 15.0). */
static const struct {
	uint32_t first, last;
	enum unicode_class class;
} LATER[] = {
	{ 0x1C89, 0x1C8A, UNICODE_LETTER }, { 0xA7CB, 0xA7CD, UNICODE_LETTER }, { 0xA7DA, 0xA7DC, UNICODE_LETTER },
	{ 0x105C0, 0x105F3, UNICODE_LETTER }, { 0x10D40, 0x10D49, UNICODE_NUMBER }, { 0x10D4A, 0x10D65, UNICODE_LETTER },
	{ 0x10D6F, 0x10D85, UNICODE_LETTER }, { 0x10EC2, 0x10EC4, UNICODE_LETTER }, { 0x11380, 0x11389, UNICODE_LETTER },
	{ 0x1138B, 0x1138B, UNICODE_LETTER }, { 0x1138E, 0x1138E, UNICODE_LETTER }, { 0x11390, 0x113B5, UNICODE_LETTER },
	{ 0x113B7, 0x113B7, UNICODE_LETTER }, { 0x113D1, 0x113D1, UNICODE_LETTER }, { 0x113D3, 0x113D3, UNICODE_LETTER },
	{ 0x116D0, 0x116E3, UNICODE_NUMBER }, { 0x11BC0, 0x11BE0, UNICODE_LETTER }, { 0x11BF0, 0x11BF9, UNICODE_NUMBER },
	{ 0x13460, 0x143FA, UNICODE_LETTER }, { 0x16100, 0x1611D, UNICODE_LETTER }, { 0x16130, 0x16139, UNICODE_NUMBER },
	{ 0x16D40, 0x16D6C, UNICODE_LETTER }, { 0x16D70, 0x16D79, UNICODE_NUMBER }, { 0x18CFF, 0x18CFF, UNICODE_LETTER },
	{ 0x1CCF0, 0x1CCF9, UNICODE_NUMBER }, { 0x1E5D0, 0x1E5ED, UNICODE_LETTER }, { 0x1E5F0, 0x1E5F0, UNICODE_LETTER },
	{ 0x1E5F1, 0x1E5FA, UNICODE_NUMBER }, { 0x2EBF0, 0x2EE5D, UNICODE_LETTER },
};

static enum unicode_class
later_class(uint32_t code_point)
{
	for (size_t i = 0; i < ARRAY_LEN(LATER); i++)
		if (code_point >= LATER[i].first && code_point <= LATER[i].last)
			return LATER[i].class;
	return UNICODE_OTHER;
}

enum unicode_class
unicode_class_of(uint32_t code_point)
{
	if ((code_point >= '\t' && code_point <= '\r') || code_point == 0x85)
		return UNICODE_SPACE;
	switch (utf8proc_category((utf8proc_int32_t)code_point)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
		return UNICODE_LETTER;
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO:
		return UNICODE_NUMBER;
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return UNICODE_SPACE;
	case UTF8PROC_CATEGORY_CN:
		return later_class(code_point);
	default:
		return UNICODE_OTHER;
	}
}

enum unicode_class
unicode_class_at(const char *text, size_t len, size_t *ret_len)
{
	uint32_t code_point;

	*ret_len = utf8_decode(text, len, &code_point);
	return unicode_class_of(code_point); /* U+FFFD, which stands for an invalid byte, is neither of the three */
}

bool
unicode_is_word(uint32_t code_point)
{
	if (code_point == 0x200C || code_point == 0x200D)
		return true;
	switch (utf8proc_category((utf8proc_int32_t)code_point)) {
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ME:
	case UTF8PROC_CATEGORY_PC:
		return true;
	case UTF8PROC_CATEGORY_NO:
		return false;
	default:
		return unicode_class_of(code_point) == UNICODE_LETTER || unicode_class_of(code_point) == UNICODE_NUMBER;
	}
}
