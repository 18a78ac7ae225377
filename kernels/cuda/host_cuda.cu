#include "config.h"

#include "kernels/cuda/host.h"
#include "kernels/cuda/side.h"

#include <ctype.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4096, CAPABILITY = 80 /* the A100's: bfloat16 in tensor cores */ };

struct host {
	cudaEvent_t mark, start, stop, fork, joins[SIDE_MAX];
	struct cudaDeviceProp chip;
	int driver;
};

/* ---- cuBLASLt ---- */

static const char *const LIBRARY = "libcublasLt.so.13";

/* Where the loader looks, then where toolkits lie. Half a gigabyte: opened once, and never closed. */
static void *
open_library(void)
{
	const char *named = getenv("LATEEN_CUBLASLT"), *home = getenv("CUDA_HOME");
	const char *folders[] = { home ? home : "", "/usr/local/cuda", "/opt/cuda" };
	char path[PATH_SIZE];
	void *library = dlopen(named ? named : LIBRARY, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; !library && !named && i < sizeof(folders) / sizeof(*folders); i++)
		for (int wide = 1; !library && *folders[i] && wide >= 0; wide--) {
			snprintf(path, sizeof(path), "%s/%s/%s", folders[i], wide ? "lib64" : "lib", LIBRARY);
			library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		}
	return library;
}

static bool
find_functions(struct cublaslt *lt)
{
	static const char *const names[] = CUBLASLT_NAMES;
	void *library = open_library(), *function;

	static_assert(sizeof(*lt) == sizeof(names) / sizeof(*names) * sizeof(function), "a name for each function");
	for (size_t i = 0; library && i < sizeof(names) / sizeof(*names); i++) {
		function = dlsym(library, names[i]);
		if (!function)
			return false;
		memcpy((char *)lt + i * sizeof(function), &function, sizeof(function));
	}
	return library != NULL;
}

/* ---- the chip ---- */

static const char *
find_chip(void)
{
	int n = 0;
	cudaError_t error = cudaGetDeviceCount(&n);

	if (error == cudaErrorInsufficientDriver)
		return "there is no driver for GPUs here, or it is older than CUDA's runtime in the plugin";
	if (error == cudaErrorNoDevice || (error == cudaSuccess && !n))
		return "there is a driver, but no GPU that it sees";
	return error == cudaSuccess ? NULL : cudaGetErrorString(error);
}

bool
host_open(struct cuda *c, struct cublaslt *lt, const char **why)
{
	struct host *h = (struct host *)calloc(1, sizeof(*h));
	int at = 0;

	c->host = h;
	*why = h ? find_chip() : "there is no more memory";
	if (*why)
		return false;
	*why = "the GPU does not answer; `nvidia-smi` may say more";
	if (cudaGetDevice(&at) != cudaSuccess || cudaGetDeviceProperties(&h->chip, at) != cudaSuccess ||
	    cudaDriverGetVersion(&h->driver) != cudaSuccess)
		return false;
	if (h->chip.major * 10 + h->chip.minor < CAPABILITY) {
		*why = "the GPU is too old: compute capability 8.0 is wanted, as the A100 has it";
		return false;
	}
	if (cudaStreamCreateWithFlags(&c->stream, cudaStreamNonBlocking) != cudaSuccess || cudaEventCreate(&h->start) != cudaSuccess ||
	    cudaEventCreate(&h->stop) != cudaSuccess || cudaEventCreateWithFlags(&h->mark, cudaEventDisableTiming) != cudaSuccess)
		return false;
	if (cudaStreamCreateWithFlags(&c->side_stream, cudaStreamNonBlocking) != cudaSuccess ||
	    cudaEventCreateWithFlags(&h->fork, cudaEventDisableTiming) != cudaSuccess)
		return false;
	for (int i = 0; i < SIDE_MAX; i++)
		if (cudaEventCreateWithFlags(&h->joins[i], cudaEventDisableTiming) != cudaSuccess)
			return false;
	*why = "libcublasLt.so.13 is not there: it was looked for where the loader looks, in lib64 and lib of $CUDA_HOME, /usr/local/cuda and "
	       "/opt/cuda; LATEEN_CUBLASLT may name it";
	return find_functions(lt);
}

void
host_close(struct cuda *c)
{
	struct host *h = c->host;

	if (!h)
		return;
	if (h->mark)
		cudaEventDestroy(h->mark);
	if (h->start)
		cudaEventDestroy(h->start);
	if (h->stop)
		cudaEventDestroy(h->stop);
	if (h->fork)
		cudaEventDestroy(h->fork);
	for (int i = 0; i < SIDE_MAX; i++)
		if (h->joins[i])
			cudaEventDestroy(h->joins[i]);
	if (c->side_stream)
		cudaStreamDestroy(c->side_stream);
	if (c->stream)
		cudaStreamDestroy(c->stream);
	free(h);
}

void
host_describe(const struct cuda *c, char *ret, size_t size)
{
	int runtime = 0;

	cudaRuntimeGetVersion(&runtime);
	snprintf(ret, size, "%s-%d-%d-%d", c->host->chip.name, c->host->chip.multiProcessorCount, c->host->driver, runtime);
	for (; *ret; ret++)
		if (!isalnum((unsigned char)*ret) && *ret != '.')
			*ret = '-';
}

/* ---- memory ---- */

void *
host_pinned(size_t bytes)
{
	void *ret;

	if (cudaHostAlloc(&ret, bytes, cudaHostAllocDefault) == cudaSuccess)
		return ret;
	(void)cudaGetLastError();
	return NULL;
}

void
host_unpin(void *memory)
{
	if (memory)
		cudaFreeHost(memory);
}

void
host_memory(size_t *ret_free, size_t *ret_total)
{
	*ret_free = *ret_total = 0;
	cudaMemGetInfo(ret_free, ret_total);
}

/* ---- time ---- */

void
host_mark(struct cuda *c)
{
	cuda_check(c, cudaEventRecord(c->host->mark, c->stream), "an event");
}

void
host_wait(struct cuda *c)
{
	cuda_check(c, cudaEventSynchronize(c->host->mark), "waiting for the GPU");
}

void
host_clock_start(struct cuda *c)
{
	cudaEventRecord(c->host->start, c->stream);
}

float
host_clock_stop(struct cuda *c)
{
	float ret = 0;

	cudaEventRecord(c->host->stop, c->stream);
	cudaEventSynchronize(c->host->stop);
	cudaEventElapsedTime(&ret, c->host->start, c->host->stop);
	return ret;
}

/* ---- beside ---- */

void
host_side(struct cuda *c, const struct ops_matmul *m, size_t which)
{
	cudaStream_t stream = c->stream;
	void *scratch = c->scratch;

	cuda_check(c, cudaEventRecord(c->host->fork, stream), "an event");
	cuda_check(c, cudaStreamWaitEvent(c->side_stream, c->host->fork, 0), "an event");
	c->stream = c->side_stream;
	c->scratch = c->side_scratch;
	cuda_matmul(c, m);
	c->stream = stream;
	c->scratch = scratch;
	cuda_check(c, cudaEventRecord(c->host->joins[which], c->side_stream), "an event");
}

void
host_join(struct cuda *c, size_t which)
{
	cuda_check(c, cudaStreamWaitEvent(c->stream, c->host->joins[which], 0), "an event");
}

/* ---- graphs ---- */

void
host_capture(struct cuda *c)
{
	cuda_check(c, cudaStreamBeginCapture(c->stream, cudaStreamCaptureModeRelaxed), "recording a graph");
}

void *
host_captured(struct cuda *c)
{
	cudaGraph_t graph = NULL;
	cudaGraphExec_t ret = NULL;

	if (!cuda_check(c, cudaStreamEndCapture(c->stream, &graph), "recording a graph"))
		return NULL;
	cuda_check(c, cudaGraphInstantiate(&ret, graph, 0), "making a graph");
	cudaGraphDestroy(graph);
	return ret;
}

void
host_play(struct cuda *c, void *graph)
{
	cuda_check(c, cudaGraphLaunch((cudaGraphExec_t)graph, c->stream), "starting a graph");
}

void
host_forget(void *graph)
{
	if (graph)
		cudaGraphExecDestroy((cudaGraphExec_t)graph);
}
