/* Tensor2Tensor's measures of the documents to look at, as its evaluation writes them for TensorBoard. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/macros.h"
#include "runtime/step/t2t.h"
#include "runtime/train/events.h"
#include "runtime/train/t2t_metrics.h"

enum { BATCHES = 8 };

static int
measure_all(struct loader *loader, struct model *model, struct t2t_metrics *metrics, struct error *err)
{
	size_t n = loader_dev_batches(loader) < BATCHES ? loader_dev_batches(loader) : BATCHES;
	const struct model_batch *batch;

	for (size_t i = 0; i < n; i++)
		if (loader_dev(loader, i, &batch, err) || t2t_metrics_measure(metrics, model, batch, err))
			return -1;
	return 0;
}

static int
write_events(const char *folder, const char *problem, uint64_t step, const struct t2t_metrics *metrics, struct error *err)
{
	struct events *events = events_open(folder, (double)time(NULL), err);
	int result = events ? 0 : -1;

	for (int i = 0; !result && i < T2T_METRICS; i++) {
		CLEANUP(buf_release) struct buf tag = { 0 };

		buf_printf(&tag, "metrics-%s/targets/%s", problem, t2t_metric_name((enum t2t_metric)i));
		result = events_scalar(events, (int64_t)step, (double)time(NULL), buf_text(&tag), t2t_metrics_value(metrics, (enum t2t_metric)i), err);
	}
	if (result) {
		events_close(events, NULL);
		return -1;
	}
	return events_close(events, err);
}

int
t2t_evaluate(const struct shard *shard, const struct trainer_options *options, struct trainer *trainer, const char *folder, const char *problem,
	struct error *err)
{
	struct loader_options data = options->data;
	struct t2t_metrics metrics = { 0 };
	struct loader *loader;
	int result;

	if (!data.dev_from)
		return 0;
	data.target_only = true;
	loader = loader_open(shard, &data, err);
	if (!loader)
		return -1;
	result = measure_all(loader, trainer_model(trainer), &metrics, err);
	loader_close(loader);
	if (result)
		return -1;
	printf("step %" PRIu64 ": of %" PRIu64 " titles to look at", trainer_done(trainer), metrics.titles);
	for (int i = 0; i < T2T_METRICS; i++)
		printf("%s %s %.4f", i ? "," : ":", t2t_metric_name((enum t2t_metric)i), t2t_metrics_value(&metrics, (enum t2t_metric)i));
	putchar('\n');
	return write_events(folder, problem, trainer_done(trainer), &metrics, err);
}
