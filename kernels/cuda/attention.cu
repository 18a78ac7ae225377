#include "kernels/cuda/attention.h"

#include <math.h>

static struct attention
attention_of(const struct ops_attention *a, const void *dout, void *dqkv, float *delta)
{
	struct attention ret = {};

	ret.qkv = a->qkv;
	ret.out = a->out;
	ret.out_read = a->out;
	ret.dout = dout;
	ret.dqkv = dqkv;
	ret.logsum = (float *)a->logsum;
	ret.delta = delta;
	ret.starts = a->starts;
	ret.documents = (int)a->documents;
	ret.N = (int)a->N;
	ret.NH = (int)a->NH;
	ret.NKV = (int)a->NKV;
	ret.D = (int)(a->C / a->NH);
	ret.row = a->C + 2 * (a->C / a->NH * a->NKV);
	ret.scale = (float)(1 / sqrt((double)ret.D));
	ret.below = ops_dropped_below(a->dropout.rate);
	ret.site = a->dropout.site;
	ret.keep = a->dropout.rate > 0 ? (float)(1 / (1 - a->dropout.rate)) : 1;
	ret.step = a->dropout.step;
	return ret;
}

void
attention_forward(cudaStream_t stream, const struct ops_attention *a, bool narrow)
{
	struct attention k = attention_of(a, NULL, NULL, NULL);

	if (a->N && !(narrow && attention_tensor_forward(stream, &k, a->longest)))
		attention_plain_forward(stream, &k, narrow);
}

void
attention_backward(cudaStream_t stream, const struct ops_attention *a, bool narrow, const void *dout, void *dqkv, float *delta)
{
	struct attention k = attention_of(a, dout, dqkv, delta);

	if (a->N && !(narrow && attention_tensor_backward(stream, &k)))
		attention_plain_backward(stream, &k, narrow);
}
