/* Workflow objects, whatever they are: retried, let go on, copied, deleted, looked through for what they need. What is refused has
 * words for it; a retried run is one that can be retried again, once it has failed. */
#include "config.h"

#include <stdint.h>

#include "runtime/cluster/control.h"
#include "base/value.h"
#include "runtime/cluster/needs.h"
#include "runtime/cluster/nodes.h"
#include "runtime/cluster/retry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_words(const struct api_failure *failure)
{
	if (!*failure->what)
		BUG("refused without words");
}

/* The nodes that are left hang together still, unless an exit handler's hung among them. */
static void
check_retry(struct arena *arena, const struct value *workflow, const char *from)
{
	struct api_failure failure = { 0 };
	struct retry retry;
	const struct value *nodes;

	if (retry_formulate(arena, workflow, from, 0, &retry, &failure)) {
		check_words(&failure);
		return;
	}
	nodes = nodes_of(arena, retry.workflow, &failure);
	if (!nodes)
		BUG("the nodes of a retried run cannot be read");
	for (size_t i = 0; i < retry.n_pods; i++)
		if (!retry.pods[i])
			BUG("a pod without a name");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const args[1][2] = { { "a", "1" } };
	struct arena *arena = arena_new();
	struct api_failure failure = { 0 };
	struct door_submission submission;
	struct error err;
	struct needs needs;
	const struct value *workflow = value_read_json(arena, (const char *)data, size, &err);
	size_t n;

	if (workflow) {
		check_retry(arena, workflow, NULL);
		check_retry(arena, workflow, "a");
		if (!control_resumed(arena, workflow, 0, &failure))
			check_words(&failure);
		if (control_clone(arena, workflow, args, 1, &submission, &failure))
			check_words(&failure);
		control_remains(arena, workflow, &n);
		needs_find(&needs, arena, workflow);
		needs_release(&needs);
	}
	arena_free(arena);
	return 0;
}
