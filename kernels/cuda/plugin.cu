#include "config.h"

#include "kernels/cuda/plugin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/host.h"
#include "kernels/cuda/numbers.h"
#include "kernels/cuda/products.h"
#include "kernels/cuda/record.h"

static struct cuda *
self(struct ops_device *d)
{
	return (struct cuda *)d;
}

/* ---- failures ---- */

void
cuda_fail(struct cuda *c, const char *format, ...)
{
	va_list args;

	if (c->device.failure)
		return;
	va_start(args, format);
	vsnprintf(c->failure, sizeof(c->failure), format, args);
	va_end(args);
	c->device.failure = c->failure;
}

bool
cuda_check(struct cuda *c, cudaError_t error, const char *what)
{
	size_t free_bytes, total;

	if (error == cudaSuccess)
		return true;
	if (error == cudaErrorMemoryAllocation) {
		host_memory(&free_bytes, &total);
		cuda_fail(c, "%s: the GPU has no memory left for it: %zu MiB of %zu are free; lower the tokens of a batch, or take a smaller model",
			what, free_bytes >> 20, total >> 20);
	}
	cuda_fail(c, "%s: %s", what, cudaGetErrorString(error));
	return false;
}

/* ---- memory ---- */

static size_t
available(struct ops_device *)
{
	size_t ret, total;

	host_memory(&ret, &total);
	return ret;
}

static void *
alloc(struct ops_device *d, size_t bytes)
{
	struct cuda *c = self(d);
	void *ret = NULL;

	record_flush(c);
	if (cudaMalloc(&ret, bytes ? bytes : 1) != cudaSuccess) {
		(void)cudaGetLastError(); /* it is not the device's failure: who calls may ask for less */
		return NULL;
	}
	cuda_check(c, cudaMemsetAsync(ret, 0, bytes, c->stream), "clearing memory");
	return ret;
}

static void
free_memory(struct ops_device *d, void *memory)
{
	record_flush(self(d));
	if (memory)
		cudaFree(memory); /* waits for what still works on it */
}

static void
upload(struct ops_device *d, void *to, const void *from, size_t bytes)
{
	record_upload(self(d), to, from, bytes);
}

static void
download(struct ops_device *d, void *to, const void *from, size_t bytes)
{
	struct cuda *c = self(d);

	record_flush(c);
	if (bytes && !d->failure)
		cuda_check(c, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, c->stream), "a download");
	cuda_check(c, cudaStreamSynchronize(c->stream), "what came before a download");
}

static void
put(struct ops_device *d, void *to, const float *from, size_t n)
{
	record_upload(self(d), to, from, n * sizeof(float));
}

static void
get(struct ops_device *d, float *to, const void *from, size_t n)
{
	download(d, to, from, n * sizeof(float));
}

static const size_t CONVERTED = 1 << 16; /* numbers at a time */

static void
put_narrow(struct ops_device *d, void *to, const float *from, size_t n)
{
	struct cuda *c = self(d);
	uint16_t *numbers;

	if (!cuda_is_narrow(c)) {
		put(d, to, from, n);
		return;
	}
	numbers = (uint16_t *)malloc(CONVERTED * sizeof(*numbers));
	if (!numbers)
		cuda_fail(c, "there is no more memory");
	for (size_t i = 0; numbers && i < n; i += CONVERTED) {
		size_t some = n - i < CONVERTED ? n - i : CONVERTED;

		for (size_t k = 0; k < some; k++) {
			uint32_t x;

			memcpy(&x, &from[i + k], sizeof(x));
			numbers[k] = (uint16_t)((x & 0x7FFFFFFF) > 0x7F800000 ? 0x7FFF : (x + 0x7FFF + (x >> 16 & 1)) >> 16);
		}
		record_upload(c, (uint16_t *)to + i, numbers, some * sizeof(*numbers));
	}
	free(numbers);
}

static void
get_narrow(struct ops_device *d, float *to, const void *from, size_t n)
{
	struct cuda *c = self(d);
	uint16_t *numbers;

	if (!cuda_is_narrow(c)) {
		get(d, to, from, n);
		return;
	}
	numbers = (uint16_t *)malloc((n ? n : 1) * sizeof(*numbers));
	if (!numbers) {
		cuda_fail(c, "there is no more memory");
		return;
	}
	download(d, numbers, from, n * sizeof(*numbers));
	for (size_t i = 0; i < n; i++) {
		uint32_t x = (uint32_t)numbers[i] << 16;

		memcpy(&to[i], &x, sizeof(x));
	}
	free(numbers);
}

static int
sync_device(struct ops_device *d)
{
	struct cuda *c = self(d);

	record_flush(c);
	cuda_check(c, cudaStreamSynchronize(c->stream), "the GPU");
	return d->failure ? -1 : 0;
}

static void
begin(struct ops_device *d)
{
	record_begin(self(d));
}

static void
end(struct ops_device *d)
{
	record_end(self(d));
}

/* All of it is taken when the device is opened. */
static size_t
matmul_scratch(struct ops_device *, const struct ops_matmul *)
{
	return 0;
}

/* ---- opening ---- */

static void
close_device(struct ops_device *d)
{
	struct cuda *c = self(d);

	if (c->stream)
		cudaStreamSynchronize(c->stream);
	record_free(c->record);
	products_free(c->products);
	if (c->scratch)
		cudaFree(c->scratch);
	if (c->side_scratch)
		cudaFree(c->side_scratch);
	host_close(c);
	free(c);
}

static const struct ops *
table(void)
{
	static const struct ops ret = {
		OPS_ABI, sizeof(struct ops), close_device, available, alloc, free_memory, upload, download, put, get, put_narrow, get_narrow,
		record_clear, record_copy, sync_device, begin, end, record_embed_forward, record_embed_backward, record_norm_forward,
		record_norm_backward, record_matmul, matmul_scratch, NULL, NULL, NULL, record_column_sums, record_activate_forward,
		record_activate_backward, record_gate_forward, record_gate_backward, record_rotate, record_attention_forward,
		record_attention_backward, record_keep, record_decode_attention, record_xent, record_clip, record_adam, record_muon_begin,
		record_muon_end, record_diagonal
	};

	return &ret;
}

static bool
open_all(struct cuda *c, const char **why)
{
	struct cublaslt lt;

	if (!host_open(c, &lt, why))
		return false;
	*why = "the GPU has not 64 MiB of memory left: another process has it all";
	if (cudaMalloc(&c->scratch, CUDA_SCRATCH) != cudaSuccess || cudaMalloc(&c->side_scratch, CUDA_SCRATCH) != cudaSuccess)
		return false;
	*why = "there is no memory that the GPU and this process could share";
	c->record = record_new();
	if (!c->record)
		return false;
	c->products = products_new(c, &lt, why);
	return c->products != NULL;
}

struct ops_device *
lateen_cuda_open(uint32_t abi, uint32_t size, enum ops_precision precision, const char **ret_why)
{
	struct cuda *c;

	*ret_why = "the plugin for GPUs is of another version than this program";
	if (abi != OPS_ABI || size != sizeof(struct ops))
		return NULL;
	*ret_why = "there is no more memory";
	c = (struct cuda *)calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->device.ops = table();
	c->device.name = "cuda";
	c->device.real = sizeof(float);
	c->device.narrow = precision == OPS_BF16 ? sizeof(bf16) : sizeof(float);
	c->device.logit_rows = CUDA_LOGIT_ROWS;
	c->device.steady = true;
	c->device.precision = precision;
	if (open_all(c, ret_why))
		return &c->device;
	close_device(&c->device);
	return NULL;
}
