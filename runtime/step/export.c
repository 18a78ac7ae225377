#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/step/step.h"
#include "runtime/step/train.h"
#include "runtime/train/bpe.h"
#include "runtime/train/checkpoint.h"
#include "runtime/train/folder.h"
#include "runtime/train/huggingface.h"
#include "runtime/train/onnx_model.h"

enum { MEBI = 1024 * 1024 };

struct exporting {
	const char *from; /* the model's folder */
	enum tensor_dtype dtype;
	enum onnx_model_weights weights;
	struct model_config config;
	struct buf tokenizer; /* its file */
	struct ops_device *device;
	struct model *model;
};

struct format {
	const char *name;
	int (*write)(const struct exporting *e, const char *folder, struct error *err);
};

static int
write_huggingface(const struct exporting *e, const char *folder, struct error *err)
{
	return huggingface_write(folder, e->model, e->dtype, &e->tokenizer, err);
}

static int
write_onnx(const struct exporting *e, const char *folder, struct error *err)
{
	bool known;

	return onnx_model_write(folder, e->model, e->dtype, e->weights, err) ||
	       huggingface_tokenizer(folder, &e->config, &e->tokenizer, &known, err) ? -1 : 0;
}

static const struct format FORMATS[] = {
	{ "huggingface", write_huggingface },
	{ "onnx", write_onnx },
};

/* ---- options ---- */

static int
read_format(const char *name, const struct format **ret, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(FORMATS); i++)
		if (!strcmp(FORMATS[i].name, name)) {
			*ret = &FORMATS[i];
			return 0;
		}
	return error_set(err, "--format wants `huggingface` or `onnx`, not `%s`", name);
}

static int
read_dtype(const char *name, enum tensor_dtype *ret, struct error *err)
{
	static const struct {
		const char *name;
		enum tensor_dtype dtype;
	} dtypes[] = { { "f32", TENSOR_F32 }, { "bf16", TENSOR_BF16 }, { "f16", TENSOR_F16 } };

	for (size_t i = 0; i < ARRAY_LEN(dtypes); i++)
		if (!strcmp(dtypes[i].name, name)) {
			*ret = dtypes[i].dtype;
			return 0;
		}
	return error_set(err, "--dtype wants `f32`, `bf16` or `f16`, not `%s`", name);
}

static int
read_weights(const char *name, enum onnx_model_weights *ret, struct error *err)
{
	static const char *const names[] = { [ONNX_WEIGHTS_AUTO] = "auto", [ONNX_WEIGHTS_INSIDE] = "inside", [ONNX_WEIGHTS_BESIDE] = "beside" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(names[i], name)) {
			*ret = (enum onnx_model_weights)i;
			return 0;
		}
	return error_set(err, "--weights wants `auto`, `inside` or `beside`, not `%s`", name);
}

/* ---- the model ---- */

static int
check_memory(const struct exporting *e, struct error *err)
{
	size_t needed = model_memory(&e->config, e->device, 1, false), available = train_free_memory();

	printf("memory: %zu MiB\n", needed / MEBI);
	fflush(stdout);
	return needed <= available ? 0 :
				     error_set(err, "the model takes %zu MiB of memory, and %zu are free", needed / MEBI, available / MEBI);
}

static int
load_model(struct exporting *e, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	const char *why;

	buf_printf(&path, "%s/tokenizer.json", e->from);
	if (checkpoint_read_config(e->from, &e->config, err) || train_read_file(buf_text(&path), BPE_FILE_MAX, &e->tokenizer, err))
		return -1;
	e->device = ops_open("cpu", 1, OPS_F32, &why);
	if (!e->device)
		return error_set(err, "%s", why);
	if (check_memory(e, err))
		return -1;
	e->model = model_new(e->device, &e->config, 1, MODEL_TO_USE, MODEL_NO_SEED, err);
	return e->model ? checkpoint_load(e->from, e->model, false, err) : -1;
}

static void
release(struct exporting *e)
{
	model_free(e->model);
	if (e->device)
		e->device->ops->close(e->device);
	buf_release(&e->tokenizer);
}

static int
write_folder(const struct exporting *e, const struct format *format, const char *path, struct error *err)
{
	struct folder folder;

	if (folder_begin(&folder, path, err))
		return -1;
	if (!format->write(e, buf_text(&folder.made), err))
		return folder_finish(&folder, err);
	folder_abandon(&folder);
	return -1;
}

/* A model's tokenizer decides what its ids mean: who uses it elsewhere needs one that does the same. */
static void
say(const struct exporting *e, const struct format *format)
{
	printf("%s: %s, %zu layers, %zu channels, %zu parameters\n", format->name, model_arch_name(e->config.arch), e->config.layers,
		e->config.channels, params_count(model_params(e->model)));
	if (buf_text(&e->tokenizer)[strspn(buf_text(&e->tokenizer), " \t\r\n")] != '{')
		puts("its vocabulary is one of Tensor2Tensor's subwords, which no tokenizer.json can describe: it is written as vocab.subwords, and "
		     "whoever uses the model needs a program that reads it");
	fflush(stdout);
}

int
step_export(const struct step_call *call, struct error *err)
{
	struct exporting e = { .from = step_text(call, "model"), .tokenizer = { .max = (size_t)BPE_FILE_MAX * 2 } };
	const struct format *format = NULL;
	int result = read_format(step_text(call, "format"), &format, err) || read_dtype(step_text(call, "dtype"), &e.dtype, err) ||
				     read_weights(step_text(call, "weights"), &e.weights, err) ||
				     load_model(&e, err) || write_folder(&e, format, step_text(call, "output"), err) ?
			     -1 :
			     0;

	if (!result)
		say(&e, format);
	release(&e);
	return result;
}
