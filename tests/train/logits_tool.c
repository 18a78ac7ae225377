/* What a model of ours says, for the tests that compare it with others.
 *
 *     logits_tool MODEL < lines    each line a document's ids; writes the logits of all its places, (n, V) in single precision */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/train/checkpoint.h"

enum { LINE = 1 << 16 };

struct document {
	int32_t *ids;
	size_t n, max;
};

static void
read_ids(char *line, struct document *d)
{
	char *end;

	d->n = 0;
	for (long id = strtol(line, &end, 10); end != line && d->n < d->max; id = strtol(line, &end, 10)) {
		d->ids[d->n++] = (int32_t)id;
		line = end;
	}
}

static void
write_logits(struct model *model, const struct document *d)
{
	int32_t starts[2] = { 0, (int32_t)d->n }, *places = xcalloc(d->n + 1, sizeof(*places)), *labels = xcalloc(d->n + 1, sizeof(*labels));
	float *weights = xcalloc(d->n + 1, sizeof(*weights)), *logits = xcalloc(d->n * model_config(model)->vocabulary + 1, sizeof(*logits));
	struct model_batch batch = { .N = d->n, .documents = 1, .longest = d->n, .ids = d->ids, .places = places, .labels = labels,
		.weights = weights, .starts = starts };
	struct error err;

	for (size_t i = 0; i < d->n; i++)
		places[i] = (int32_t)i;
	if (model_logits(model, &batch, places, d->n, logits, &err))
		BUG("%s", err.text);
	fwrite(logits, sizeof(*logits), d->n * model_config(model)->vocabulary, stdout);
	free(places);
	free(labels);
	free(weights);
	free(logits);
}

int
main(int argc, char **argv)
{
	const char *why;
	struct ops_device *device = ops_open("cpu", 1, OPS_F32, &why);
	struct document d = { 0 };
	struct model_config config;
	struct model *model;
	struct error err;
	char *line = xmalloc(LINE);

	if (argc != 2 || !device) {
		fprintf(stderr, "see the top of tests/train/logits_tool.c\n");
		return 2;
	}
	if (checkpoint_read_config(argv[1], &config, &err) || !(model = model_new(device, &config, config.context, false, 0, &err)) ||
		checkpoint_load(argv[1], model, false, &err))
		BUG("%s", err.text);
	d.max = config.context;
	d.ids = xcalloc(d.max, sizeof(*d.ids));
	while (fgets(line, LINE, stdin)) {
		read_ids(line, &d);
		if (d.n)
			write_logits(model, &d);
	}
	free(line);
	free(d.ids);
	model_free(model);
	device->ops->close(device);
	return fflush(stdout) != 0;
}
