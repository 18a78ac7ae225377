#include "config.h"

#include "kernels/cpu.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/cuda_open.h"
#include "kernels/plain.h"

enum { LINE = 64, GROW = 65536, HUGE = 2 * 1024 * 1024 /* bytes of a huge page */ };

void *
cpu_scratch(struct cpu *cpu, struct cpu_scratch *scratch, size_t bytes)
{
	if (bytes <= scratch->size)
		return scratch->memory;
	bytes = (bytes + GROW - 1) / GROW * GROW;
	free(scratch->memory);
	scratch->memory = aligned_alloc(LINE, bytes);
	scratch->size = scratch->memory ? bytes : 0;
	if (!scratch->memory)
		cpu->device.failure = "there is no more memory";
	return scratch->memory;
}

void
cpu_close(struct ops_device *d)
{
	struct cpu *cpu = (struct cpu *)d;

	team_free(cpu->team);
	free(cpu->shared.memory);
	for (int i = 0; i < OPS_THREADS_MAX; i++)
		free(cpu->own[i].memory);
	free(cpu);
}

/* What calloc gave stands before what is aligned. Fresh memory of the system is zero already, and calloc knows. */
void *
cpu_alloc(struct ops_device *d, size_t bytes)
{
	size_t align = bytes >= HUGE ? HUGE : LINE;
	char *memory, *aligned;

	(void)d;
	if (bytes > SIZE_MAX - 2 * HUGE)
		return NULL;
	memory = calloc(1, bytes + align + sizeof(memory));
	if (!memory)
		return NULL;
	aligned = memory + sizeof(memory);
	aligned += (align - (uintptr_t)aligned % align) % align;
	memcpy(aligned - sizeof(memory), &memory, sizeof(memory));
	/* Who reads all of it again and again would spend as long on looking up pages. No harm if it fails. */
	if (align == HUGE)
		madvise(aligned, bytes, MADV_HUGEPAGE);
	return aligned;
}

void
cpu_free(struct ops_device *d, void *memory)
{
	void *given;

	(void)d;
	if (!memory)
		return;
	memcpy(&given, (char *)memory - sizeof(given), sizeof(given));
	free(given);
}

void
cpu_copy(struct ops_device *d, void *to, const void *from, size_t bytes)
{
	(void)d;
	if (bytes)
		memcpy(to, from, bytes);
}

void
cpu_put(struct ops_device *d, void *to, const float *from, size_t n)
{
	cpu_copy(d, to, from, n * sizeof(float));
}

void
cpu_get(struct ops_device *d, float *to, const void *from, size_t n)
{
	cpu_copy(d, to, from, n * sizeof(float));
}

void
cpu_clear(struct ops_device *d, void *at, size_t bytes)
{
	(void)d;
	if (bytes)
		memset(at, 0, bytes);
}

int
cpu_sync(struct ops_device *d)
{
	return d->failure ? -1 : 0;
}

void
cpu_mark(struct ops_device *d)
{
	(void)d;
}

/* ---- opening ---- */

enum level { BASE, AVX2, AVX512, AVX512_BF16, LEVELS };

static const struct level_info {
	const char *name; /* of the device */
	const char *shown;
	const struct ops *ops;
} LEVEL_INFO[LEVELS] = {
	{ "cpu-base", "cpu", &CPU_BASE },
#if defined(__x86_64__)
	{ "cpu-avx2", "cpu avx2", &CPU_AVX2 },
	{ "cpu-avx512", "cpu avx512", &CPU_AVX512 },
	{ "cpu-avx512-bf16", "cpu avx512 bf16", &CPU_AVX512_BF16 },
#endif
};

static bool
has_level(enum level level)
{
#if defined(__x86_64__)
	bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");

	return level == BASE || (level == AVX2 && avx2) || (level == AVX512 && avx512) ||
	       (level == AVX512_BF16 && avx512 && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni"));
#else
	return level == BASE;
#endif
}

static int
processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return CPU_COUNT(&set) > OPS_THREADS_MAX ? OPS_THREADS_MAX : CPU_COUNT(&set);
}

static struct ops_device *
open_level(enum level level, int threads, enum ops_precision precision, const char **ret_why)
{
	struct cpu *cpu = calloc(1, sizeof(*cpu));

	*ret_why = "there is no more memory";
	if (!cpu)
		return NULL;
	cpu->team = team_new(threads > 0 ? threads : processors());
	if (!cpu->team) {
		free(cpu);
		return NULL;
	}
	cpu->device = (struct ops_device){ .ops = LEVEL_INFO[level].ops, .name = LEVEL_INFO[level].shown, .real = sizeof(float), .narrow = sizeof(float),
		.threads = team_size(cpu->team), .precision = precision };
	return &cpu->device;
}

struct ops_device *
ops_open(const char *name, int threads, enum ops_precision precision, const char **ret_why)
{
	int level = LEVELS - 1;

	*ret_why = NULL;
	if (threads < 0 || threads > OPS_THREADS_MAX)
		*ret_why = "there are at most 256 threads";
	else if (!strcmp(name, "reference"))
		return plain_open();
	else if (!strcmp(name, "cuda"))
		return cuda_open(precision, ret_why);
	else if (precision == OPS_BF16 && (!has_level(AVX512_BF16) || (strcmp(name, "cpu") != 0 && strcmp(name, "cpu-avx512-bf16") != 0)))
		*ret_why = "this processor has no instructions for bfloat16; take f32";
	if (*ret_why)
		return NULL;
	/* In single precision the two sets of AVX-512 are the same. */
	for (; level >= 0; level--)
		if (has_level((enum level)level) && (level != AVX512_BF16 || precision == OPS_BF16) &&
		    (!strcmp(name, "cpu") || !strcmp(name, LEVEL_INFO[level].name)))
			return open_level((enum level)level, threads, precision, ret_why);
	*ret_why = "there is no such device here";
	return NULL;
}
