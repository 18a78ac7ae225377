/* Runs in the background on a cluster. */
#include "config.h"

#include "kernel/background_private.h"

static struct run *
there_start(struct background *background UNUSED, const struct background_request *request, const struct run_observer *observer UNUSED,
	    struct diags *diags)
{
	diags_add(diags, DIAG_L0900, request->span, "a run on a cluster: not carried out by this version of Lateen");
	return NULL;
}

static bool
there_go_on(struct background *background UNUSED, int timeout UNUSED)
{
	return false;
}

static bool
there_end(struct background *background UNUSED)
{
	return false;
}

static void
there_close(struct background *background UNUSED)
{
}

const struct driver background_there = { there_start, there_go_on, there_end, there_close };
