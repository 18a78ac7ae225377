#include "config.h"

#include "base/json_number.h"

enum number { SIGN, ZERO, WHOLE, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, POWER };

int
json_number_begin(char c)
{
	return c == '-' ? SIGN : c == '0' ? ZERO : WHOLE;
}

bool
json_number_step(int *number, char c)
{
	bool digit = c >= '0' && c <= '9';
	int next = -1;

	switch ((enum number)*number) {
	case SIGN:
		next = c == '0' ? ZERO : digit ? WHOLE : -1;
		break;
	case ZERO:
	case WHOLE:
		next = *number == WHOLE && digit ? WHOLE : c == '.' ? POINT : c == 'e' || c == 'E' ? EXPONENT : -1;
		break;
	case POINT:
		next = digit ? FRACTION : -1;
		break;
	case FRACTION:
		next = digit ? FRACTION : c == 'e' || c == 'E' ? EXPONENT : -1;
		break;
	case EXPONENT:
		next = digit ? POWER : c == '+' || c == '-' ? EXPONENT_SIGN : -1;
		break;
	case EXPONENT_SIGN:
	case POWER:
		next = digit ? POWER : -1;
		break;
	}
	if (next >= 0)
		*number = next;
	return next >= 0;
}

bool
json_number_whole(int number)
{
	return number == ZERO || number == WHOLE || number == FRACTION || number == POWER;
}
