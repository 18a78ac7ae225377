/* What runtime/train/t2t_metrics.h says of titles and logits in a file, for test_t2t_metrics.py.
 *
 *     metrics_tool FILE    u32 V, then titles until the end: u32 n, n ids (i32), n * V logits (f32); prints a metric a line */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"
#include "runtime/train/t2t_metrics.h"

static void
need(FILE *file, void *to, size_t size, size_t n)
{
	if (fread(to, size, n, file) != n)
		BUG("the file is cut");
}

int
main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	struct t2t_metrics metrics = { 0 };
	uint32_t V, n;

	if (!file)
		BUG("usage: metrics_tool FILE");
	need(file, &V, sizeof(V), 1);
	while (fread(&n, sizeof(n), 1, file) == 1) {
		CLEANUP(freep) int32_t *ids = xcalloc(n, sizeof(*ids));
		CLEANUP(freep) float *logits = xcalloc((size_t)n * V, sizeof(*logits));

		need(file, ids, sizeof(*ids), n);
		need(file, logits, sizeof(*logits), (size_t)n * V);
		if (t2t_metrics_add(&metrics, ids, logits, n, V, NULL))
			BUG("a title is too long");
	}
	fclose(file);
	for (int i = 0; i < T2T_METRICS; i++)
		printf("%s %.17g\n", t2t_metric_name((enum t2t_metric)i), t2t_metrics_value(&metrics, (enum t2t_metric)i));
	return 0;
}
