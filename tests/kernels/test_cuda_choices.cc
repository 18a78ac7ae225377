/* Algorithms that are kept for products: found again, by other processes too; of two that choose, the first counts; a damaged file does no
 * harm. And the device writes its own there. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/cuda/choices.h"
#include "kernels/cuda/plugin.h"

extern "C" {
#include "tests/tap.h"
}

static void
test_file(const char *folder)
{
	uint64_t first[CHOICES_WORDS] = { 1, 2, 3, 0xFFFFFFFFFFFFFFFFu }, second[CHOICES_WORDS] = { 9 }, got[CHOICES_WORDS];
	struct choices *c = choices_open("some chip/1.0"), *again;
	char path[4096];
	FILE *file;

	if (!ok(c != NULL, "opened"))
		return;
	ok(!choices_find(c, "1x2x3 4", got), "nothing is chosen yet");
	choices_keep(c, "1x2x3 4", first);
	again = choices_open("some chip/1.0");
	ok(choices_find(again, "1x2x3 4", got) && !memcmp(got, first, sizeof(got)), "what was kept is found by others");
	choices_keep(again, "1x2x3 4", second);
	ok(!memcmp(second, first, sizeof(second)), "the second to choose is told what the first chose");
	ok(!choices_find(c, "1x2x3", got) && !choices_find(c, "1x2x3 44", got), "other keys are other products");
	snprintf(path, sizeof(path), "%s/lateen/cuda-some_chip_1.0", folder);
	file = fopen(path, "w");
	if (!ok(file != NULL, "the file is %s", path))
		return;
	for (int i = 0; i < 5000; i++)
		fputc(i % 251, file);
	fputs("\n1x2x3 4 1 2 3\n1x2x3 4 zz\n1x2x3 4 1 2 3 4 5 6 7 8 9\n", file);
	fclose(file);
	ok(!choices_find(c, "1x2x3 4", got), "lines that are no choice are passed over");
	choices_keep(c, "1x2x3 4", first);
	ok(choices_find(c, "1x2x3 4", got) && !memcmp(got, first, sizeof(got)), "and new ones go behind them");
	choices_close(c);
	choices_close(again);
}

/* A product of the emulated GPU, into memory that must hold what it held while algorithms are tried. */
static void
test_device(const char *folder)
{
	float a[6] = { 1, 2, 3, 4, 5, 6 }, b[6] = { 1, 0, 0, 1, 1, 1 }, c[4] = { 10, 20, 30, 40 };
	const float want[4] = { 14, 25, 40, 51 };
	struct ops_matmul m = {};
	const char *why;
	struct ops_device *d = lateen_cuda_open(OPS_ABI, sizeof(struct ops), OPS_F32, &why);
	char path[4096];

	m.M = m.N = m.ldb = m.ldc = 2;
	m.K = m.lda = 3;
	m.a = a;
	m.b = b;
	m.c = c;
	m.add = true;
	d->ops->matmul(d, &m);
	ok(!d->ops->sync(d) && !memcmp(c, want, sizeof(c)), "it is added once, whatever was tried before: %g %g %g %g", (double)c[0], (double)c[1],
		(double)c[2], (double)c[3]);
	d->ops->close(d);
	snprintf(path, sizeof(path), "%s/lateen/cuda-emulated-0", folder);
	ok(!access(path, R_OK), "and what was chosen is kept");
}

int
main(void)
{
	char *folder = test_temp_dir();

	setenv("XDG_CACHE_HOME", folder, 1);
	unsetenv("LATEEN_CUDA_TUNE");
	test_file(folder);
	test_device(folder);
	setenv("LATEEN_CUDA_TUNE", "0", 1);
	ok(!choices_open("any"), "nothing is chosen by time when that is not wanted");
	setenv("LATEEN_CUDA_TUNE", "1", 1);
	setenv("XDG_CACHE_HOME", "/proc/nowhere", 1);
	ok(!choices_open("any"), "nor where nothing can be kept");
	test_remove_tree(folder);
	free(folder);
	return done_testing();
}
