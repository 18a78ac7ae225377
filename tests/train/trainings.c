#include "config.h"

#include "tests/train/trainings.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct shard *
make_shard(const char *folder, uint32_t fields)
{
	struct shard_info info = { .fields = fields, .vocabulary = VOCABULARY, .tokenizer = "12345678" };
	char path[4096];
	struct shard_writer *writer;
	struct error err;

	snprintf(path, sizeof(path), "%s/tokens-%u", folder, fields);
	writer = shard_create(path, &info, &err);
	for (uint32_t d = 0; d < DOCUMENTS; d++) {
		struct token_ids texts[3] = { 0 };

		for (uint32_t i = 0; i < 3 + d * 7 % 38; i++)
			vec_push(&texts[0], 2 + (d + i * i) % (VOCABULARY - 2));
		for (uint32_t i = 0; i < 1 + d * 3 % 20; i++)
			vec_push(&texts[1], 2 + (d * d + i) % (VOCABULARY - 2));
		shard_add(writer, texts, &err);
		for (int f = 0; f < 3; f++)
			vec_release(&texts[f]);
	}
	shard_finish(writer, &info, &err);
	return shard_open(path, &err);
}

struct trainer_options
options_in(const char *folder, const struct buf *tokenizer)
{
	return (struct trainer_options){
		.config = { .arch = MODEL_PREPEND, .layers = 2, .channels = 16, .heads = 2, .inner = 24, .vocabulary = VOCABULARY, .context = CONTEXT,
			.dropout = 0.1, .epsilon = 1e-6, .smoothing = 0.1 },
		.data = { .tokens = TOKENS, .context = CONTEXT, .dev_share = 0.2, .seed = 3 }, .rate = 3e-3, .warmup = 5, .seed = 3,
		.folder = folder, .keep = 2, .tokenizer = tokenizer,
	};
}

bool
exists(const char *folder, const char *name)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return !lstat(path, &st);
}

int
cut_file(const char *folder, const char *name, long to)
{
	char path[8192];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return truncate(path, to);
}
