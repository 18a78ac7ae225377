#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"
#include "runtime/step/memory.h"
#include "runtime/step/train.h"
#include "runtime/train/bpe.h"
#include "runtime/train/weights.h"

enum { STEPS_MAX = 1000000000, STEPS_ELSE = 1000, EPOCHS_MAX = 1000000, MINUTES_MAX = 60 * 24 * 365, MEBI = 1024 * 1024 };

int
train_read_file(const char *path, size_t max, struct buf *ret, struct error *err)
{
	FILE *file = fopen(path, "rbe");
	char *space;
	size_t n;

	if (!file)
		return error_errno(err, errno, "cannot open `%s`", path);
	while (ret->len <= max && (space = buf_space(ret, 65536)) && (n = fread(space, 1, 65536, file)) > 0)
		buf_commit(ret, n);
	if (ferror(file) || ret->len > max) {
		int why = errno;

		fclose(file);
		return ret->len > max ? error_set(err, "`%s` is larger than %zu bytes", path, max) : error_errno(err, why, "cannot read `%s`", path);
	}
	fclose(file);
	return 0;
}

/* ---- the device ---- */

/* Processors' worth of time that the control group gives, rounded up; 0 where it says nothing. A container on a large machine may have many
 * processors and the time of one. */
static int
processors_of_group(void)
{
	FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
	char line[64], *end;
	int ret = 0;

	if (file && fgets(line, sizeof(line), file)) {
		long long quota = strtoll(line, &end, 10), period = strtoll(end, NULL, 10);

		if (end != line && quota > 0 && period > 0 && quota / period < OPS_THREADS_MAX)
			ret = (int)((quota + period - 1) / period);
	}
	if (file)
		fclose(file);
	return ret;
}

static bool
is_one_of(const char *text, const char *a, const char *b, const char *c)
{
	return !strcmp(text, a) || !strcmp(text, b) || !strcmp(text, c);
}

/* A GPU computes in bfloat16 unless it is told otherwise: its tensor cores know no single precision. */
static enum ops_precision
precision_on(const char *device, const char *precision)
{
	if (!strcmp(precision, "auto"))
		return !strcmp(device, "cuda") ? OPS_BF16 : OPS_F32;
	return !strcmp(precision, "bf16") ? OPS_BF16 : OPS_F32;
}

static void
say_device(const struct ops_device *device, const char *asked, const char *why)
{
	printf("device: %s", device->name);
	if (device->threads)
		printf(", %d threads", device->threads);
	printf(", %s", device->precision == OPS_BF16 ? "bf16" : "f32");
	if (why && !access("/dev/nvidiactl", F_OK))
		printf("\nwarning: this machine has a GPU, and it is not used: %s; --device cuda refuses to go on without it", why);
	else if (why)
		printf(" (--device %s: no GPU, for %s)", asked, why);
	putchar('\n');
	fflush(stdout);
}

/* What was asked for is taken or refused; `auto` takes the GPU where there is one, and else says why it did not. */
int
train_open_device(const struct step_call *call, const char *precision, struct ops_device **ret, struct error *err)
{
	const char *name = step_text(call, "device"), *why = NULL, *no_gpu = NULL;
	int64_t threads;

	if (step_number(call, "threads", OPS_THREADS_MAX, &threads, err))
		return -1;
	if (!is_one_of(name, "auto", "cpu", "cuda"))
		return error_set(err, "--device wants `auto`, `cpu` or `cuda`, not `%s`", name);
	if (!is_one_of(precision, "auto", "f32", "bf16"))
		return error_set(err, "--precision wants `auto`, `f32` or `bf16`, not `%s`", precision);
	*ret = NULL;
	if (strcmp(name, "cpu") != 0)
		*ret = ops_open("cuda", 0, precision_on("cuda", precision), &no_gpu);
	if (!*ret && !strcmp(name, "cuda"))
		return error_set(err, "--device cuda: %s; `cpu` would be slower, and is taken only when it is asked for", no_gpu);
	if (!threads && processors_of_group() < sysconf(_SC_NPROCESSORS_ONLN))
		threads = processors_of_group();
	if (!*ret)
		*ret = ops_open("cpu", (int)threads, precision_on("cpu", precision), &why);
	if (!*ret)
		return error_set(err, "--precision %s: %s", precision, why);
	say_device(*ret, name, no_gpu);
	return 0;
}

/* ---- memory ---- */

size_t
train_free_memory(void)
{
	return memory_free().bytes;
}

/* What a device has of its own, or what this process may still have. */
static struct memory_free
available_to(struct ops_device *device)
{
	if (device->ops->available)
		return (struct memory_free){ device->ops->available(device), "of the device" };
	return memory_free();
}

int
train_check_memory(struct train_setup *s, struct error *err)
{
	struct memory_free available = available_to(s->device);
	const struct trainer_options *o = &s->options;

	s->memory = s->device->ops->available ? model_memory(&o->config, s->device, o->data.tokens, true) :
						trainer_memory(o, s->device, shard_info(s->shard)->documents);
	if (available.bytes == SIZE_MAX) {
		printf("memory: %zu MiB will be taken\n", s->memory / MEBI);
		return 0;
	}
	printf("memory: %zu MiB will be taken, %zu are free (%s)\n", s->memory / MEBI, available.bytes / MEBI, available.why);
	fflush(stdout);
	if (s->memory > available.bytes)
		return error_set(err, "the training takes %zu MiB of memory, and %zu are free (%s); lower --batch-tokens (%zu) or take a smaller --size",
			s->memory / MEBI, available.bytes / MEBI, available.why, o->data.tokens);
	return 0;
}

/* ---- options ---- */

/* A model that is there already: its family and sizes are what they are. */
static int
read_init(struct train_setup *s, const char *init, int64_t *context, struct error *err)
{
	struct trainer_options *o = &s->options;
	size_t vocabulary = shard_info(s->shard)->vocabulary;

	o->init = init;
	if (checkpoint_read_config(init, &o->config, err) || weights_digest(init, "model.safetensors", &o->init_digest, err))
		return error_prefix(err, "--init");
	if (vocabulary > o->config.vocabulary)
		return error_set(err, "the tokens are of a tokenizer of %zu, and the model of --init knows %zu: take its own tokenizer", vocabulary,
			o->config.vocabulary);
	if ((size_t)*context > o->config.context) {
		printf("context: %zu tokens, for the model of --init takes no more\n", o->config.context);
		*context = (int64_t)o->config.context;
	}
	return 0;
}

static int
read_model(const struct step_call *call, struct train_setup *s, struct error *err)
{
	const char *init = step_text(call, "init");
	int64_t tokens, context;
	double dropout;
	struct trainer_options *o = &s->options;

	if (step_number(call, "batch-tokens", LOADER_TOKENS_MAX, &tokens, err) ||
	    step_number(call, "context", MODEL_CONTEXT_MAX, &context, err) || step_real(call, "dropout", 0.99, &dropout, err))
		return -1;
	if (*init ? read_init(s, init, &context, err) :
		    model_config_preset(&o->config, step_text(call, "arch"), step_text(call, "size"), shard_info(s->shard)->vocabulary,
			    (size_t)context, err))
		return -1;
	o->config.dropout = dropout;
	o->data.tokens = (size_t)tokens;
	o->data.context = (size_t)context;
	return 0;
}

static int
read_optimizer(const struct step_call *call, struct trainer_options *o, struct error *err)
{
	static const enum model_optimizer known[] = { MODEL_ADAM_TF, MODEL_ADAMW, MODEL_MUON };
	const char *name = step_text(call, "optimizer");

	if (step_real(call, "lr", 100, &o->rate, err) || step_real(call, "muon-lr", 100, &o->muon_rate, err))
		return -1;
	o->optimizer = trainer_usual(o->config.arch);
	if (!strcmp(name, "auto"))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!strcmp(name, trainer_optimizer_name(known[i]))) {
			o->optimizer = known[i];
			return 0;
		}
	return error_set(err, "--optimizer wants `auto`, `adam`, `adamw` or `muon`, not `%s`", name);
}

static int
read_schedule(const struct step_call *call, struct train_setup *s, struct error *err)
{
	int64_t steps, epochs, warmup, every, keep, seed;
	double minutes;
	struct trainer_options *o = &s->options;

	if (step_number(call, "steps", STEPS_MAX, &steps, err) || step_number(call, "epochs", EPOCHS_MAX, &epochs, err) ||
	    step_real(call, "minutes", MINUTES_MAX, &minutes, err) || read_optimizer(call, o, err) || step_number(call, "warmup", STEPS_MAX, &warmup, err) ||
	    step_number(call, "every", STEPS_MAX, &every, err) || step_number(call, "keep", CHECKPOINT_KEEP_MAX, &keep, err) ||
	    step_number(call, "seed", INT64_MAX, &seed, err))
		return -1;
	s->steps = steps || epochs || minutes > 0 ? (uint64_t)steps : STEPS_ELSE;
	s->epochs = (uint64_t)epochs;
	s->seconds = minutes * 60;
	s->every = every ? (uint64_t)every : 1;
	o->warmup = (uint64_t)warmup;
	o->keep = keep ? (size_t)keep : 1;
	o->seed = o->data.seed = (uint64_t)seed;
	return 0;
}

static int
read_data(const struct step_call *call, struct train_setup *s, struct error *err)
{
	const char *loss = step_text(call, "loss"), *padding = step_text(call, "padding");

	s->options.data.target_only = !strcmp(loss, "title");
	if (!s->options.data.target_only && strcmp(loss, "all") != 0)
		return error_set(err, "--loss wants `all` or `title`, not `%s`", loss);
	s->options.data.padding = !strcmp(padding, "bucketed") ? LOADER_BUCKETED : LOADER_PACKED;
	if (s->options.data.padding == LOADER_PACKED && strcmp(padding, "packed") != 0)
		return error_set(err, "--padding wants `packed` or `bucketed`, not `%s`", padding);
	if (step_real(call, "dev-share", 0.9, &s->options.data.dev_share, err))
		return -1;
	s->shard = shard_open(step_text(call, "data"), err);
	s->reader = s->shard ? tokenizer_open(step_text(call, "tokenizer"), err) : NULL;
	if (!s->reader)
		return -1;
	if (memcmp(shard_info(s->shard)->tokenizer, tokenizer_digest(s->reader), SHARD_TOKENIZER) != 0)
		return error_set(err, "the tokens were made by another tokenizer than this one");
	return train_read_file(step_text(call, "tokenizer"), BPE_FILE_MAX, &s->tokenizer, err);
}

int
train_setup(const struct step_call *call, struct train_setup *s, struct error *err)
{
	const char *checkpoints = step_text(call, "checkpoints");

	s->tokenizer.max = (size_t)BPE_FILE_MAX * 2;
	if (read_data(call, s, err) || read_model(call, s, err) || read_schedule(call, s, err) ||
	    train_open_device(call, step_text(call, "precision"), &s->device, err) || train_check_memory(s, err))
		return -1;
	s->options.tokenizer = &s->tokenizer;
	if (*checkpoints) {
		buf_printf(&s->folder, "%s/", checkpoints);
		trainer_name(&s->options, s->shard, s->device, &s->folder);
		s->options.folder = buf_text(&s->folder);
	}
	return 0;
}

void
train_setup_release(struct train_setup *s)
{
	shard_close(s->shard);
	tokenizer_free(s->reader);
	if (s->device)
		s->device->ops->close(s->device);
	buf_release(&s->tokenizer);
	buf_release(&s->folder);
}
