/* The workflow model: objects one after the other, whatever they are. A line is an object. What is refused changes nothing; after
 * what is taken the living nodes are those of that object alone. */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "runtime/cluster/workflow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
living(const struct workflow_model *model)
{
	size_t n = 0;

	for (size_t i = 0; i < workflow_model_count(model); i++) {
		const struct workflow_node *node = workflow_model_node(model, i);

		if (workflow_model_find(model, node->id) != i)
			BUG("node %s is not found at its place", node->id);
		n += !node->removed;
	}
	return n;
}

static int
feed(struct workflow_model *model, const char *text, size_t len, size_t piece)
{
	const size_t *changed;
	size_t n;
	bool head;
	struct error err = { 0 };

	workflow_model_begin(model);
	for (size_t i = 0; i < len; i += piece)
		workflow_model_feed(model, text + i, len - i < piece ? len - i : piece);
	if (workflow_model_end(model, &changed, &n, &head, &err)) {
		if (!err.text[0])
			BUG("refused without words");
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		if (changed[i] >= workflow_model_count(model))
			BUG("news of a node that is not there");
	return 0;
}

static void
check_line(struct workflow_model *model, const char *text, size_t len)
{
	struct workflow_model *fresh = workflow_model_new();
	size_t before = living(model);
	int taken = feed(model, text, len, 5);

	if (taken != feed(fresh, text, len, len + 1))
		BUG("a new model says otherwise");
	if (taken && living(model) != before)
		BUG("what was refused changed something");
	if (!taken && !workflow_model_head(model)->offloaded && living(model) != living(fresh))
		BUG("%zu nodes live, of the object %zu", living(model), living(fresh));
	workflow_model_free(fresh);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct workflow_model *model = workflow_model_new();
	const char *p = (const char *)data, *end = p + size;

	while (p < end) {
		const char *line = memchr(p, '\n', (size_t)(end - p));

		if (!line)
			line = end;
		check_line(model, p, (size_t)(line - p));
		p = line + 1;
	}
	workflow_model_free(model);
	return 0;
}
