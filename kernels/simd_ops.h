/* All operations for one set of instructions. The including file says which: LANES floats in a vector, BF16 whether factors of products
 * are rounded to bfloat16, TABLE what the table of them is called; and it has the headers below included before. */
#include "kernels/simd.h"

#include "kernels/simd_matmul.h"
#include "kernels/simd_rows.h"

#include "kernels/simd_update.h"

#include "kernels/simd_muon.h"

#include "kernels/simd_attention.h"

#include "kernels/simd_decode_attention.h"

#include "kernels/simd_decode.h"

const struct ops TABLE = {
	.abi = OPS_ABI,
	.size = sizeof(struct ops),
	.close = cpu_close,
	.alloc = cpu_alloc,
	.free = cpu_free,
	.upload = cpu_copy,
	.download = cpu_copy,
	.put = cpu_put,
	.get = cpu_get,
	.put_narrow = cpu_put,
	.get_narrow = cpu_get,
	.clear = cpu_clear,
	.copy = cpu_copy,
	.sync = cpu_sync,
	.begin = cpu_mark,
	.end = cpu_mark,
	.embed_forward = embed_forward,
	.embed_backward = embed_backward,
	.norm_forward = norm_forward,
	.norm_backward = norm_backward,
	.matmul = matmul,
	.matmul_scratch = matmul_scratch,
	.packed_size = packed_size,
	.pack = pack_matrix,
	.packed_matmul = packed_matmul,
	.column_sums = column_sums,
	.activate_forward = activate_forward,
	.activate_backward = activate_backward,
	.gate_forward = gate_forward,
	.gate_backward = gate_backward,
	.rotate = rotate,
	.attention_forward = attention_forward,
	.attention_backward = attention_backward,
	.keep = keep,
	.decode_attention = decode_attention,
	.xent = xent,
	.clip = clip,
	.adam = adam,
	.muon_begin = muon_begin,
	.muon_end = muon_end,
	.diagonal = diagonal,
};
