#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/step/step.h"
#include "runtime/step/train.h"
#include "runtime/train/bpe.h"
#include "runtime/train/checkpoint.h"

enum { MEBI = 1024 * 1024 };

struct pretrained {
	const char *from;
	struct model_config config;
	struct buf file; /* of its tokenizer */
	struct ops_device *device;
	struct model *model;
};

static int
read_tokenizer(struct pretrained *p, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };

	buf_printf(&path, "%s/tokenizer.json", p->from);
	return train_read_file(buf_text(&path), BPE_FILE_MAX, &p->file, err);
}

static int
load(struct pretrained *p, struct error *err)
{
	size_t needed, available = train_free_memory();
	const char *why;

	if (checkpoint_read_config(p->from, &p->config, err) || read_tokenizer(p, err))
		return -1;
	p->device = ops_open("cpu", 1, OPS_F32, &why);
	if (!p->device)
		return error_set(err, "%s", why);
	needed = model_memory(&p->config, p->device, 1, MODEL_TO_USE);
	if (needed > available)
		return error_set(err, "the model takes %zu MiB of memory, and %zu are free", needed / MEBI, available / MEBI);
	p->model = model_new(p->device, &p->config, 1, MODEL_TO_USE, 0, err);
	return p->model ? checkpoint_load(p->from, p->model, false, err) : -1;
}

static int
append_token(const struct tokenizer *tokenizer, uint32_t id, struct buf *ret, struct error *err)
{
	return id < tokenizer_size(tokenizer) ? tokenizer_decode(tokenizer, &id, 1, ret, err) : 0;
}

/* Here token 0 stands before each text and between its fields, and 1 at their ends. */
static int
check_tokens(const struct pretrained *p, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 }, pad = { 0 }, end = { 0 };
	struct tokenizer *tokenizer;
	int result;

	buf_printf(&path, "%s/tokenizer.json", p->from);
	tokenizer = tokenizer_open(buf_text(&path), err);
	if (!tokenizer)
		return -1;
	if (tokenizer_size(tokenizer) > p->config.vocabulary)
		result = error_set(err, "its tokenizer has %u tokens, and its model knows %zu", tokenizer_size(tokenizer), p->config.vocabulary);
	else
		result = append_token(tokenizer, 0, &pad, err) || append_token(tokenizer, 1, &end, err) ? -1 : 0;
	tokenizer_free(tokenizer);
	if (!result && (strcmp(buf_text(&pad), "<pad>") != 0 || strcmp(buf_text(&end), "<EOS>") != 0))
		printf("tokens 0 and 1 are `%s` and `%s` to this model: what is trained on here learns that they begin and end a text, and no title "
		       "will have the first\n",
			buf_text(&pad), buf_text(&end));
	return result;
}

int
step_pretrained(const struct step_call *call, struct error *err)
{
	struct pretrained p = { .from = step_text(call, "folder"), .file = { .max = (size_t)BPE_FILE_MAX * 2 } };
	const char *tokenizer = step_text(call, "tokenizer");
	int result = load(&p, err) || check_tokens(&p, err) ? -1 : 0;

	if (!result) {
		printf("%s, %zu layers, %zu channels, %zu tokens, texts of up to %zu, %zu parameters\n", model_arch_name(p.config.arch), p.config.layers,
			p.config.channels, p.config.vocabulary, p.config.context, params_count(model_params(p.model)));
		result = (*tokenizer ? step_write(tokenizer, &p.file, err) : 0) ||
					 checkpoint_write_model(step_text(call, "output"), p.model, &p.file, err) ?
				 -1 :
				 0;
	}
	model_free(p.model);
	if (p.device)
		p.device->ops->close(p.device);
	buf_release(&p.file);
	return result;
}
