/* Checkpoints: which are kept, what becomes of damaged ones, and what a training that goes wrong leaves. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tap.h"
#include "tests/train/trainings.h"

static void
test_checkpoints(struct ops_device *d, const struct shard *shard, const char *folder, const struct buf *tokenizer)
{
	char path[4096] = "", inside[4200];
	struct trainer_options o = options_in(path, tokenizer), other;
	struct error err = { "" };
	struct trainer *t, *second;
	struct trainer_step s;
	struct model_result dev;

	snprintf(path, sizeof(path), "%s/kept", folder);
	t = trainer_open(d, shard, &o, &err);
	second = trainer_open(d, shard, &o, &err);
	ok(!second, "a second training in the folder is refused");
	contains(err.text, "another training writes into", "and told why");
	snprintf(inside, sizeof(inside), "process %ld", (long)getpid());
	contains(err.text, inside, "and which process it is");
	for (int i = 0; i < 6; i++) {
		ok(!trainer_step(t, &s, &err) && (i != 1 || !trainer_evaluate(t, 3, &dev, &err)) && !trainer_save(t, &err), "step %d is kept", i + 1);
	}
	ok(!exists(path, "step-4") && exists(path, "step-5") && exists(path, "step-6"), "the last two are there");
	ok(exists(path, "step-2") && exists(path, "best"), "and the best");
	trainer_close(t);

	snprintf(inside, sizeof(inside), "%s/step-9.tmp", path);
	ok(!mkdir(inside, 0777), "one that was not finished");
	t = trainer_open(d, shard, &o, &err);
	is_int(t ? (int64_t)trainer_done(t) : -1, 6, "is not taken");
	ok(t && !trainer_step(t, &s, &err) && !trainer_save(t, &err) && !exists(path, "step-9.tmp"), "and removed when the next is written");
	trainer_close(t);

	other = o;
	other.rate = 1e-3;
	ok(!trainer_open(d, shard, &other, &err), "another rate of learning is another training");
	contains(err.text, "of another training", "and is told so");
	snprintf(path, sizeof(path), "/proc/none");
	ok(!trainer_open(d, shard, &o, &err), "a folder that cannot be made: %s", err.text);
}

/* Writes the first `len` bytes, with what follows left out. */
static void
write_file(const char *path, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "wb");

	if (!ok(file && fwrite(bytes, 1, len, file) == len, "%s is cut to %zu bytes", path, len))
		return;
	fclose(file);
}

/* Three steps, a checkpoint of each; the path of the newest. */
static struct trainer *
three_steps(struct ops_device *d, const struct shard *shard, const struct trainer_options *o)
{
	struct trainer *t = trainer_open(d, shard, o, NULL);
	struct trainer_step s;

	for (int i = 0; t && i < 3; i++)
		if (trainer_step(t, &s, NULL) || trainer_save(t, NULL))
			return t;
	return t;
}

/* One file of the newest checkpoint, cut at every byte of its header: the one before it is taken, each time with a warning. */
static void
cut_everywhere(struct ops_device *d, const struct shard *shard, const struct trainer_options *o, const char *name)
{
	char newest[4200], file[4400], aside[4400];
	size_t len, header, taken = 0, warned = 0, kept = 0;
	CLEANUP(freep) char *bytes = NULL;

	snprintf(newest, sizeof(newest), "%s/step-3", o->folder);
	snprintf(aside, sizeof(aside), "%s.damaged", newest);
	snprintf(file, sizeof(file), "%s/%.100s", newest, name);
	bytes = test_read_file(file, &len);
	if (!ok(bytes && len > 8, "there is a %s", name))
		return;
	header = 8 + (size_t)(unsigned char)bytes[0] + 256 * (size_t)(unsigned char)bytes[1];
	for (size_t n = 0; n <= header; n++) {
		struct trainer *t;
		FILE *out = fopen(file, "wb");

		if (!out || fwrite(bytes, 1, n, out) != n || fclose(out))
			break;
		t = trainer_open(d, shard, o, NULL);
		taken += t && trainer_done(t) == 2;
		warned += t && trainer_warning(t) && strstr(trainer_warning(t), "step-3");
		trainer_close(t);
		kept += !rename(aside, newest);
	}
	is_int((int64_t)taken, (int64_t)header + 1, "%s cut at each of the %zu bytes of its header: the checkpoint before is taken", name, header);
	is_int((int64_t)warned, (int64_t)header + 1, "and it is said");
	is_int((int64_t)kept, (int64_t)header + 1, "and the damaged one is kept");
	write_file(file, bytes, len);
}

static void
test_damage(struct ops_device *d, const struct shard *shard, const char *folder, const struct buf *tokenizer)
{
	char path[4096] = "", inside[4200];
	struct trainer_options o = options_in(path, tokenizer);
	struct error err = { "" };
	struct trainer *t;

	snprintf(path, sizeof(path), "%s/damaged", folder);
	o.keep = 3;
	t = three_steps(d, shard, &o);
	is_int(t ? (int64_t)trainer_done(t) : -1, 3, "three checkpoints");
	trainer_close(t);
	cut_everywhere(d, shard, &o, "optimizer.safetensors");
	cut_everywhere(d, shard, &o, "model.safetensors");
	t = trainer_open(d, shard, &o, &err);
	ok(t && trainer_done(t) == 3 && !trainer_warning(t), "mended, it is taken without a word");
	trainer_close(t);

	snprintf(inside, sizeof(inside), "%s/step-3", path);
	cut_file(inside, "model.safetensors", 100);
	t = trainer_open(d, shard, &o, &err);
	trainer_close(t);
	ok(exists(path, "step-3.damaged") && !exists(path, "step-3"), "the place of a damaged one is free");
	t = three_steps(d, shard, &o);
	is_int(t ? (int64_t)trainer_done(t) : -1, 5, "for the same step, done again");
	trainer_close(t);
	ok(exists(path, "step-3"), "which is written");

	for (int i = 3; i <= 5; i++) {
		snprintf(inside, sizeof(inside), "%s/step-%d", path, i);
		cut_file(inside, "optimizer.safetensors", 20);
	}
	ok(!trainer_open(d, shard, &o, &err), "where all are damaged nothing is begun anew");
	contains(err.text, "no checkpoint of", "and it is said");
	ok(exists(path, "step-3") && exists(path, "step-4") && exists(path, "step-5"), "and they stay as they are");
}

static void
test_divergence(struct ops_device *d, const struct shard *shard, const char *folder, const struct buf *tokenizer)
{
	char path[4096] = "";
	struct trainer_options o = options_in(path, tokenizer);
	struct error err = { "" };
	struct trainer_step s;
	struct trainer *t;
	int steps = 0;

	snprintf(path, sizeof(path), "%s/wild", folder);
	o.rate = 1e30;
	t = trainer_open(d, shard, &o, &err);
	while (steps < 20 && !trainer_step(t, &s, &err))
		steps++;
	ok(steps < 20, "a wild rate of learning ends the training");
	contains(err.text, " no number", "and is told");
	contains(err.text, ": document", "with the documents that it learnt from");
	contains(err.text, "smaller lr than 1e+30", "with what to do");
	trainer_close(t);
}

static int
fail_for_memory(struct ops_device *d)
{
	d->failure = "out of memory: 80 of 80 GiB are taken";
	return -1;
}

/* As a GPU fails: at the next sync, with a sentence of its own. */
static void
test_device_memory(struct ops_device *d, const struct shard *shard, const char *folder, const struct buf *tokenizer)
{
	const struct ops *good = d->ops;
	struct ops bad = *good;
	char path[4096] = "";
	struct trainer_options o = options_in(path, tokenizer);
	struct error err = { "" };
	struct trainer_step s;
	struct trainer *t;

	snprintf(path, sizeof(path), "%s/starved", folder);
	bad.sync = fail_for_memory;
	t = trainer_open(d, shard, &o, &err);
	ok(!trainer_step(t, &s, &err) && !trainer_save(t, &err), "a step that goes well");
	d->ops = &bad;
	ok(trainer_step(t, &s, &err) < 0, "and one that the device has no memory for");
	d->ops = good;
	d->failure = NULL;
	contains(err.text, "step 2 (epoch 1, batch 2)", "is told with the step");
	contains(err.text, "80 of 80 GiB", "and what the device says");
	contains(err.text, "MiB: lower --batch-tokens (96), or take a smaller --size", "how much it was, and what to lower");
	is_int((int64_t)trainer_done(t), 1, "the step is not taken");
	trainer_close(t);
	t = trainer_open(d, shard, &o, &err);
	is_int(t ? (int64_t)trainer_done(t) : -1, 1, "and the next start goes on");
	trainer_close(t);
}

int
main(void)
{
	CLEANUP(freep) char *folder = test_temp_dir();
	const char *why;
	struct ops_device *d = ops_open("cpu", 2, OPS_F32, &why);
	struct shard *two = make_shard(folder, 2);
	struct buf tokenizer = { 0 };

	buf_puts(&tokenizer, "{}");
	test_checkpoints(d, two, folder, &tokenizer);
	test_damage(d, two, folder, &tokenizer);
	test_divergence(d, two, folder, &tokenizer);
	test_device_memory(d, two, folder, &tokenizer);
	shard_close(two);
	d->ops->close(d);
	buf_release(&tokenizer);
	test_remove_tree(folder);
	return done_testing();
}
