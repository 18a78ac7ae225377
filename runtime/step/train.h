/* What the options of `lateen-step train` mean, and what the steps that use a model have in common. */
#ifndef RUNTIME_STEP_TRAIN_H
#define RUNTIME_STEP_TRAIN_H

#include "runtime/step/step.h"
#include "runtime/train/tokenizer.h"
#include "runtime/train/trainer.h"

struct train_setup {
	struct trainer_options options;
	struct ops_device *device;
	struct shard *shard;
	struct tokenizer *reader;
	struct buf tokenizer; /* its file */
	struct buf folder; /* of the checkpoints */
	uint64_t steps, epochs; /* 0: no limit */
	uint64_t every; /* steps: dev is looked at, and a checkpoint written */
	double seconds; /* of training; 0: no limit */
	size_t memory; /* bytes that it will take */
};

/* Says what memory it takes, and refuses what does not fit. On failure too, to be released. */
int train_setup(const struct step_call *call, struct train_setup *ret, struct error *err);
void train_setup_release(struct train_setup *setup);
/* The last of these two, for who sets it up otherwise: of options, device and shard. */
int train_check_memory(struct train_setup *setup, struct error *err);

/* What a training leaves besides its checkpoints: files, where NULL and "" are not wanted. */
struct train_files {
	const char *metrics, *curve, *dev_loss, *ui_metadata;
	const char *events, *output; /* folders: for TensorBoard, and of the model */
	/* What there is to do with the model, once all steps are done; or NULL. */
	int (*finish)(void *context, struct trainer *trainer, struct error *err);
	void *context;
};

/* Trains to the end, or until it is told to stop, which is an error. */
int train_run(const struct train_setup *setup, const struct train_files *files, struct error *err);

/* The device that --device and --threads name; precision `f32` or `bf16`. */
int train_open_device(const struct step_call *call, const char *precision, struct ops_device **ret, struct error *err);
/* Bytes of memory that are free; SIZE_MAX when nobody knows. */
size_t train_free_memory(void);
/* A file whole, up to max bytes. */
int train_read_file(const char *path, size_t max, struct buf *ret, struct error *err);

#endif
