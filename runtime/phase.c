#include "config.h"

#include "runtime/phase.h"

#include <string.h>

static const char *const names[PHASE_COUNT] = {
	"Pending", "Running", "Succeeded", "Failed", "Error", "Skipped", "Omitted",
};

const char *
phase_name(enum phase phase)
{
	return names[phase];
}

int
phase_from_name(const char *name, enum phase *ret)
{
	for (int i = 0; i < PHASE_COUNT; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*ret = (enum phase)i;
		return 0;
	}
	return -1;
}

bool
phase_ended(enum phase phase)
{
	return phase > PHASE_RUNNING;
}

bool
phase_bad(enum phase phase)
{
	return phase == PHASE_FAILED || phase == PHASE_ERROR;
}

bool
phase_ran(enum phase phase)
{
	return phase == PHASE_SUCCEEDED || phase_bad(phase);
}
