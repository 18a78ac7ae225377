#include "config.h"

#include "kernel/language.h"

#include <stdlib.h>

void
execute_outcome_release(struct execute_outcome *outcome)
{
	for (size_t i = 0; i < outcome->n_traceback; i++)
		free(outcome->traceback[i]);
	free(outcome->traceback);
	free(outcome->ename);
	free(outcome->evalue);
	*outcome = (struct execute_outcome){ 0 };
}
