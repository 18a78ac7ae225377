/* Carries calls out, those that belong together as one. */
#include "config.h"

#include "kernels/cuda/calls.h"

#include "kernels/cuda/attention.h"
#include "kernels/cuda/numbers.h"
#include "kernels/cuda/side.h"

namespace {

/* ---- uploads ---- */

enum { UPLOADS_MAX = 8, THREADS = 256, WORDS_MAX = 1 << 18 /* more go faster by the copy engine */ };

/* Words of memory that the host sees as well. */
struct uploads {
	struct {
		uint32_t *to;
		const uint32_t *from;
		unsigned words;
	} items[UPLOADS_MAX];
};

__global__ void __launch_bounds__(THREADS)
take_over(uploads u)
{
	for (unsigned i = blockIdx.x * THREADS + threadIdx.x; i < u.items[blockIdx.y].words; i += gridDim.x * THREADS)
		u.items[blockIdx.y].to[i] = u.items[blockIdx.y].from[i];
}

bool
is_small_upload(const call *call)
{
	return call->kind == CALL_UPLOAD && call->n[0] % 4 == 0 && call->n[0] / 4 <= WORDS_MAX && cuda_aligned(call->p[0], 4) &&
	       cuda_aligned(call->from[0], 4);
}

size_t
run_uploads(cuda *c, const call *calls, size_t n)
{
	uploads u = {};
	unsigned most = 1, k = 0;

	for (; k < n && k < UPLOADS_MAX && is_small_upload(&calls[k]); k++) {
		u.items[k] = { (uint32_t *)calls[k].p[0], (const uint32_t *)calls[k].from[0], (unsigned)(calls[k].n[0] / 4) };
		most = u.items[k].words > most ? u.items[k].words : most;
	}
	if (k)
		launch(take_over, dim3(cuda_blocks(most, THREADS * 4), k), THREADS, 0, c->stream, u);
	else
		cuda_check(c, cudaMemcpyAsync(calls->p[0], calls->from[0], calls->n[0], cudaMemcpyHostToDevice, c->stream), "an upload");
	return k ? k : 1;
}

/* ---- adam ---- */

size_t
run_adam(cuda *c, const call *calls, size_t n)
{
	const ops_adam *all[CUDA_ADAM_PIECES] = { &calls->adam };
	size_t k = 1;

	for (; k < n && k < CUDA_ADAM_PIECES && calls[k].kind == CALL_ADAM && cuda_adam_joins(all[0], &calls[k].adam); k++)
		all[k] = &calls[k].adam;
	cuda_adam(c, all, k);
	return k;
}

/* ---- all others ---- */

void
run_attention_back(cuda *c, const ops_attention *a, const void *dout, void *dqkv)
{
	if (a->N > CUDA_SCRATCH / sizeof(float) / a->NH)
		cuda_fail(c, "attention's way back over %zu tokens of %zu heads at a time is more than the GPU's device does", a->N, a->NH);
	else
		attention_backward(c->stream, a, cuda_is_narrow(c), dout, dqkv, (float *)c->scratch);
}

void
run_one(cuda *c, const call *call)
{
	void *const *p = call->p;
	const void *const *from = call->from;

	switch (call->kind) {
	case CALL_UPLOAD:
	case CALL_ADAM:
		break;
	case CALL_CLEAR:
		cuda_check(c, cudaMemsetAsync(p[0], 0, call->n[0], c->stream), "clearing memory");
		break;
	case CALL_COPY:
		cuda_check(c, cudaMemcpyAsync(p[0], from[0], call->n[0], cudaMemcpyDeviceToDevice, c->stream), "copying memory");
		break;
	case CALL_EMBED:
		cuda_embed_forward(c, &call->embed, p[0]);
		break;
	case CALL_EMBED_BACK:
		cuda_embed_backward(c, &call->embed, from[0], p[0], p[1]);
		break;
	case CALL_NORM:
		cuda_norm_forward(c, &call->norm, p[0]);
		break;
	case CALL_NORM_BACK:
		cuda_norm_backward(c, &call->norm, from[0], p[0], p[1], p[2], p[3]);
		break;
	case CALL_MATMUL:
		cuda_matmul(c, &call->matmul);
		break;
	case CALL_COLUMN_SUMS:
		cuda_column_sums(c, call->n[0], call->n[1], from[0], p[0]);
		break;
	case CALL_ACTIVATE:
		cuda_activate_forward(c, call->activation, call->n[0], from[0], p[0], &call->dropout);
		break;
	case CALL_ACTIVATE_BACK:
		cuda_activate_backward(c, call->activation, call->n[0], from[0], p[0], &call->dropout);
		break;
	case CALL_GATE:
		cuda_gate_forward(c, call->activation, call->n[0], call->n[1], from[0], p[0]);
		break;
	case CALL_GATE_BACK:
		cuda_gate_backward(c, call->activation, call->n[0], call->n[1], p[0], from[0]);
		break;
	case CALL_ROTATE:
		cuda_rotate(c, &call->rotate);
		break;
	case CALL_ATTENTION:
		attention_forward(c->stream, &call->attention, cuda_is_narrow(c));
		break;
	case CALL_ATTENTION_BACK:
		run_attention_back(c, &call->attention, from[0], p[0]);
		break;
	case CALL_KEEP:
		cuda_keep(c, &call->keep);
		break;
	case CALL_DECODE:
		cuda_decode_attention(c, &call->decode);
		break;
	case CALL_XENT:
		cuda_xent(c, &call->xent);
		break;
	case CALL_CLIP:
		cuda_clip(c, call->n[0], from[0], call->x[0], p[0], p[1]);
		break;
	case CALL_MUON_BEGIN:
		cuda_muon_begin(c, &call->muon);
		break;
	case CALL_MUON_END:
		cuda_muon_end(c, &call->muon);
		break;
	case CALL_DIAGONAL:
		cuda_diagonal(c, call->n[0], call->x[0], call->x[1], from[0], p[0]);
		break;
	}
}

} // namespace

void
calls_run(struct cuda *c, const struct call *calls, size_t n, bool beside)
{
	side side = {};

	for (size_t i = 0; i < n && !c->device.failure;) {
		const call *call = &calls[i];

		if (beside && side_takes(c, call)) {
			side_start(c, &side, call);
			i++;
			continue;
		}
		side_join(c, &side, call);
		if (call->kind == CALL_UPLOAD) {
			i += run_uploads(c, call, n - i);
		} else if (call->kind == CALL_ADAM) {
			i += run_adam(c, call, n - i);
		} else {
			run_one(c, call);
			i++;
		}
		cuda_check(c, cudaGetLastError(), "a kernel");
	}
	side_join(c, &side, NULL);
}
