/* Tokenizers on texts of any bytes, for the Python tests and bench/tokenizer.py. Texts come on standard input and ids go out, or
 * the other way round: each a 32-bit length, then that many bytes or 32-bit ids.
 *
 *     bpe_tool encode|added|decode TOKENIZER.json      `added`: mentions of added tokens mean them
 *     bpe_tool copy TOKENIZER.json                     reads and writes the file
 *     bpe_tool time TOKENIZER.json                     encodes all texts, says in how many seconds of this thread
 *     bpe_tool train SIZE MIN-FREQUENCY                trains on the texts, writes the file; the seconds to standard error
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/macros.h"
#include "runtime/train/bpe.h"
#include "runtime/train/bpe_train.h"
#include "tests/tap.h"

static bool
read_record(struct buf *buf, size_t width)
{
	uint32_t n;
	char *space;

	if (fread(&n, sizeof(n), 1, stdin) != 1)
		return false;
	buf_clear(buf);
	space = buf_space(buf, n * width);
	if (!space || fread(space, width, n, stdin) != n)
		BUG("a record of %u is cut", n);
	buf_commit(buf, n * width);
	return true;
}

static void
write_record(const void *items, size_t n, size_t width)
{
	uint32_t count = (uint32_t)n;

	fwrite(&count, sizeof(count), 1, stdout);
	if (n)
		fwrite(items, width, n, stdout);
}

static int
encode(struct bpe *bpe, bool added, struct error *err)
{
	struct token_ids ids = { 0 };
	struct buf text = { 0 };
	int result = 0;

	while (!result && read_record(&text, 1)) {
		ids.n = 0;
		result = bpe_encode(bpe, buf_text(&text), text.len, added, &ids, err);
		write_record(ids.items, ids.n, sizeof(*ids.items));
	}
	buf_release(&text);
	vec_release(&ids);
	return result;
}

static int
decode(const struct bpe *bpe, struct error *err)
{
	struct buf text = { 0 }, ids = { 0 };
	int result = 0;

	while (!result && read_record(&ids, sizeof(uint32_t))) {
		buf_clear(&text);
		result = bpe_decode(bpe, (const uint32_t *)(void *)ids.data, ids.len / sizeof(uint32_t), true, &text, err);
		write_record(text.data, text.len, 1);
	}
	buf_release(&text);
	buf_release(&ids);
	return result;
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int
measure(struct bpe *bpe, struct error *err)
{
	struct token_ids ids = { 0 };
	struct buf text = { 0 };
	double total = 0;
	int result = 0;

	while (!result && read_record(&text, 1)) {
		double begun = seconds();

		ids.n = 0;
		result = bpe_encode(bpe, buf_text(&text), text.len, false, &ids, err);
		total += seconds() - begun;
	}
	printf("%.6f\n", total);
	buf_release(&text);
	vec_release(&ids);
	return result;
}

static int
copy(const struct bpe *bpe)
{
	struct buf text = { 0 };

	bpe_write(bpe, &text);
	fwrite(buf_text(&text), 1, text.len, stdout);
	buf_release(&text);
	return 0;
}

static int
train(const char *size, const char *min_frequency, struct error *err)
{
	static const char *const special[] = { "<pad>", "<EOS>" };
	struct bpe_train_options options = { (uint32_t)strtoul(size, NULL, 10), strtol(min_frequency, NULL, 10), special, 2 };
	struct bpe_corpus corpus;
	struct buf text = { 0 };
	struct bpe *bpe = NULL;
	int result = 0;
	double begun;

	bpe_corpus_init(&corpus);
	begun = seconds();
	while (!result && read_record(&text, 1))
		result = bpe_corpus_add(&corpus, buf_text(&text), text.len, err);
	if (!result)
		bpe = bpe_train(&corpus, &options, err);
	fprintf(stderr, "%.6f\n", seconds() - begun);
	if (bpe)
		copy(bpe);
	bpe_free(bpe);
	bpe_corpus_release(&corpus);
	buf_release(&text);
	return bpe ? 0 : -1;
}

static struct bpe *
open_bpe(const char *path, struct error *err)
{
	size_t len = 0;
	CLEANUP(freep) char *text = test_read_file(path, &len);

	if (text)
		return bpe_read(text, len, err);
	error_set(err, "cannot read `%s`", path);
	return NULL;
}

int
main(int argc, char **argv)
{
	const char *verb = argc == 3 ? argv[1] : "";
	struct error err = { "wrong use" };
	bool trains = argc == 4 && !strcmp(argv[1], "train");
	struct bpe *bpe = argc == 3 ? open_bpe(argv[2], &err) : NULL;
	int result = trains ? train(argv[2], argv[3], &err) : -1;

	if (bpe && (!strcmp(verb, "encode") || !strcmp(verb, "added")))
		result = encode(bpe, !strcmp(verb, "added"), &err);
	else if (bpe && !strcmp(verb, "decode"))
		result = decode(bpe, &err);
	else if (bpe && !strcmp(verb, "copy"))
		result = copy(bpe);
	else if (bpe && !strcmp(verb, "time"))
		result = measure(bpe, &err);
	bpe_free(bpe);
	if (result)
		fprintf(stderr, "bpe_tool: %s\n", err.text);
	return result ? 1 : 0;
}
