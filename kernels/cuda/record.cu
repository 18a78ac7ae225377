#include "config.h"

#include "kernels/cuda/record.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/calls.h"
#include "kernels/cuda/host.h"

enum {
	GRAPHS = 16, /* that are kept: batches have a few sizes */
	STAGING = 8 << 20, /* bytes that a list may upload */
	LINE = 64,
};

struct list {
	struct call *calls;
	size_t n, cap;
};

struct graph {
	struct list list;
	void *graph; /* NULL: came once */
	uint64_t used;
};

struct record {
	bool recording, whole; /* whole: nothing was carried out in between */
	struct list list;
	unsigned char *staging;
	size_t staged;
	uint64_t time; /* counts lists */
	struct graph graphs[GRAPHS];
};

struct record *
record_new(void)
{
	struct record *r = (struct record *)calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->staging = (unsigned char *)host_pinned(STAGING);
	if (r->staging)
		return r;
	free(r);
	return NULL;
}

void
record_free(struct record *r)
{
	if (!r)
		return;
	for (int i = 0; i < GRAPHS; i++) {
		host_forget(r->graphs[i].graph);
		free(r->graphs[i].list.calls);
	}
	free(r->list.calls);
	host_unpin(r->staging);
	free(r);
}

/* ---- lists ---- */

static bool
add(struct list *list, const struct call *call)
{
	if (list->n == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 256;
		struct call *calls = (struct call *)realloc(list->calls, cap * sizeof(*calls));

		if (!calls)
			return false;
		list->calls = calls;
		list->cap = cap;
	}
	memcpy(&list->calls[list->n++], call, sizeof(*call));
	return true;
}

static void
submit(struct cuda *c, const struct call *call)
{
	struct record *r = c->record;

	if (c->device.failure)
		return;
	if (!r->recording)
		calls_run(c, call, 1, false);
	else if (!add(&r->list, call))
		cuda_fail(c, "there is no more memory for a list of calls");
}

static bool
is_same(const struct list *a, const struct list *b)
{
	return a->n == b->n && !memcmp(a->calls, b->calls, a->n * sizeof(*a->calls));
}

/* The one that came before, or the place of the one that was not used for longest, emptied. */
static struct graph *
graph_of(struct record *r, bool *ret_known)
{
	struct graph *oldest = &r->graphs[0];

	for (int i = 0; i < GRAPHS; i++) {
		if (r->graphs[i].list.n && is_same(&r->graphs[i].list, &r->list)) {
			*ret_known = true;
			return &r->graphs[i];
		}
		if (r->graphs[i].used < oldest->used)
			oldest = &r->graphs[i];
	}
	*ret_known = false;
	host_forget(oldest->graph);
	oldest->graph = NULL;
	oldest->list.n = 0;
	return oldest;
}

/* The first time it runs as it is: what is made on first use, as algorithms of products, is made then. */
static void
play(struct cuda *c)
{
	struct record *r = c->record;
	bool known;
	struct graph *g = graph_of(r, &known);

	g->used = ++r->time;
	if (known && !g->graph) {
		host_capture(c);
		calls_run(c, g->list.calls, g->list.n, true);
		g->graph = host_captured(c);
	}
	if (g->graph && !c->device.failure) {
		host_play(c, g->graph);
		return;
	}
	if (known) /* the emulation has no graphs, and has run it */
		return;
	calls_run(c, r->list.calls, r->list.n, false);
	for (size_t i = 0; i < r->list.n; i++)
		if (!add(&g->list, &r->list.calls[i])) {
			g->list.n = 0;
			break;
		}
}

void
record_begin(struct cuda *c)
{
	struct record *r = c->record;

	host_wait(c); /* until the list before has read what was staged for it */
	r->recording = r->whole = true;
	r->list.n = r->staged = 0;
}

void
record_end(struct cuda *c)
{
	struct record *r = c->record;

	r->recording = false;
	if (c->device.failure || !r->list.n)
		return;
	if (r->whole)
		play(c);
	else
		calls_run(c, r->list.calls, r->list.n, false);
	host_mark(c);
}

void
record_flush(struct cuda *c)
{
	struct record *r = c->record;

	if (!r->recording || !r->list.n)
		return;
	r->whole = false;
	calls_run(c, r->list.calls, r->list.n, false);
	r->list.n = 0;
}

/* ---- calls ---- */

static struct call
call_of(enum call_kind kind)
{
	struct call ret;

	memset(&ret, 0, sizeof(ret));
	ret.kind = kind;
	return ret;
}

/* Field by field, so that gaps stay zero. */
template <typename S, typename... F>
static void
take(S *to, const S *from, F S::*...fields)
{
	((to->*fields = from->*fields), ...);
}

static void
take_dropout(struct ops_dropout *to, const struct ops_dropout *from)
{
	if (from->rate > 0)
		take(to, from, &ops_dropout::rate, &ops_dropout::site, &ops_dropout::step);
}

static struct cuda *
self(struct ops_device *d)
{
	return (struct cuda *)d;
}

void
record_upload(struct cuda *c, void *to, const void *from, size_t bytes)
{
	struct record *r = c->record;
	struct call call = call_of(CALL_UPLOAD);
	size_t room = (bytes + LINE - 1) / LINE * LINE;

	if (r->recording && room <= STAGING - r->staged) {
		memcpy(r->staging + r->staged, from, bytes);
		call.p[0] = to;
		call.from[0] = r->staging + r->staged;
		call.n[0] = bytes;
		r->staged += room;
		submit(c, &call);
		return;
	}
	record_flush(c);
	if (bytes && !c->device.failure)
		cuda_check(c, cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, c->stream), "an upload");
	cuda_check(c, cudaStreamSynchronize(c->stream), "an upload"); /* who calls may go on and change it */
}

void
record_clear(struct ops_device *d, void *at, size_t bytes)
{
	struct call call = call_of(CALL_CLEAR);

	call.p[0] = at;
	call.n[0] = bytes;
	if (bytes)
		submit(self(d), &call);
}

void
record_copy(struct ops_device *d, void *to, const void *from, size_t bytes)
{
	struct call call = call_of(CALL_COPY);

	call.p[0] = to;
	call.from[0] = from;
	call.n[0] = bytes;
	if (bytes)
		submit(self(d), &call);
}

static void
take_embed(struct call *to, const struct ops_embed *e)
{
	take(&to->embed, e, &ops_embed::N, &ops_embed::C, &ops_embed::ids, &ops_embed::places, &ops_embed::table, &ops_embed::positions,
		&ops_embed::scale, &ops_embed::blank);
	take_dropout(&to->embed.dropout, &e->dropout);
}

void
record_embed_forward(struct ops_device *d, const struct ops_embed *e, void *out)
{
	struct call call = call_of(CALL_EMBED);

	take_embed(&call, e);
	call.p[0] = out;
	submit(self(d), &call);
}

void
record_embed_backward(struct ops_device *d, const struct ops_embed *e, const void *dout, void *dtable, void *dpositions)
{
	struct call call = call_of(CALL_EMBED_BACK);

	take_embed(&call, e);
	call.from[0] = dout;
	call.p[0] = dtable;
	call.p[1] = dpositions;
	submit(self(d), &call);
}

static void
take_norm(struct call *to, const struct ops_norm *n)
{
	take(&to->norm, n, &ops_norm::kind, &ops_norm::N, &ops_norm::C, &ops_norm::x, &ops_norm::branch, &ops_norm::sum, &ops_norm::mean,
		&ops_norm::rstd, &ops_norm::gain, &ops_norm::bias, &ops_norm::epsilon);
	take_dropout(&to->norm.dropout, &n->dropout);
}

void
record_norm_forward(struct ops_device *d, const struct ops_norm *n, void *out)
{
	struct call call = call_of(CALL_NORM);

	take_norm(&call, n);
	call.p[0] = out;
	submit(self(d), &call);
}

void
record_norm_backward(struct ops_device *d, const struct ops_norm *n, const void *dout, void *dsum, void *dbranch, void *dgain, void *dbias)
{
	struct call call = call_of(CALL_NORM_BACK);
	void *const p[] = { dsum, dbranch, dgain, dbias };

	take_norm(&call, n);
	call.from[0] = dout;
	memcpy(call.p, p, sizeof(p));
	submit(self(d), &call);
}

void
record_matmul(struct ops_device *d, const struct ops_matmul *m)
{
	struct call call = call_of(CALL_MATMUL);

	take(&call.matmul, m, &ops_matmul::M, &ops_matmul::N, &ops_matmul::K, &ops_matmul::a, &ops_matmul::lda, &ops_matmul::b, &ops_matmul::ldb,
		&ops_matmul::c, &ops_matmul::ldc, &ops_matmul::at, &ops_matmul::bt, &ops_matmul::add, &ops_matmul::bias, &ops_matmul::wide);
	submit(self(d), &call);
}

void
record_column_sums(struct ops_device *d, size_t N, size_t C, const void *x, void *sums)
{
	struct call call = call_of(CALL_COLUMN_SUMS);

	call.n[0] = N;
	call.n[1] = C;
	call.from[0] = x;
	call.p[0] = sums;
	submit(self(d), &call);
}

static void
submit_activation(struct ops_device *d, enum call_kind kind, enum ops_activation activation, size_t n, const void *from, void *to,
	const struct ops_dropout *dropout)
{
	struct call call = call_of(kind);

	call.activation = activation;
	call.n[0] = n;
	call.from[0] = from;
	call.p[0] = to;
	take_dropout(&call.dropout, dropout);
	submit(self(d), &call);
}

void
record_activate_forward(struct ops_device *d, enum ops_activation kind, size_t n, const void *in, void *out,
	const struct ops_dropout *dropout)
{
	submit_activation(d, CALL_ACTIVATE, kind, n, in, out, dropout);
}

void
record_activate_backward(struct ops_device *d, enum ops_activation kind, size_t n, const void *in, void *grad,
	const struct ops_dropout *dropout)
{
	submit_activation(d, CALL_ACTIVATE_BACK, kind, n, in, grad, dropout);
}

static void
submit_gate(struct ops_device *d, enum call_kind kind, enum ops_activation activation, size_t N, size_t F, const void *from, void *to)
{
	struct call call = call_of(kind);

	call.activation = activation;
	call.n[0] = N;
	call.n[1] = F;
	call.from[0] = from;
	call.p[0] = to;
	submit(self(d), &call);
}

void
record_gate_forward(struct ops_device *d, enum ops_activation kind, size_t N, size_t F, const void *in, void *out)
{
	submit_gate(d, CALL_GATE, kind, N, F, in, out);
}

void
record_gate_backward(struct ops_device *d, enum ops_activation kind, size_t N, size_t F, void *in, const void *dout)
{
	submit_gate(d, CALL_GATE_BACK, kind, N, F, dout, in);
}

void
record_rotate(struct ops_device *d, const struct ops_rotate *r)
{
	struct call call = call_of(CALL_ROTATE);

	take(&call.rotate, r, &ops_rotate::N, &ops_rotate::C, &ops_rotate::NH, &ops_rotate::NKV, &ops_rotate::places, &ops_rotate::angles,
		&ops_rotate::qkv, &ops_rotate::back);
	submit(self(d), &call);
}

static void
take_attention(struct call *to, const struct ops_attention *a)
{
	take(&to->attention, a, &ops_attention::N, &ops_attention::C, &ops_attention::NH, &ops_attention::NKV, &ops_attention::documents,
		&ops_attention::longest, &ops_attention::starts, &ops_attention::qkv, &ops_attention::out, &ops_attention::logsum);
	take_dropout(&to->attention.dropout, &a->dropout);
}

void
record_attention_forward(struct ops_device *d, const struct ops_attention *a)
{
	struct call call = call_of(CALL_ATTENTION);

	take_attention(&call, a);
	submit(self(d), &call);
}

void
record_attention_backward(struct ops_device *d, const struct ops_attention *a, const void *dout, void *dqkv)
{
	struct call call = call_of(CALL_ATTENTION_BACK);

	take_attention(&call, a);
	call.from[0] = dout;
	call.p[0] = dqkv;
	submit(self(d), &call);
}

void
record_keep(struct ops_device *d, const struct ops_keep *k)
{
	struct call call = call_of(CALL_KEEP);

	take(&call.keep, k, &ops_keep::N, &ops_keep::C, &ops_keep::NH, &ops_keep::NKV, &ops_keep::L, &ops_keep::slots, &ops_keep::at,
		&ops_keep::qkv, &ops_keep::keys, &ops_keep::values);
	submit(self(d), &call);
}

void
record_decode_attention(struct ops_device *d, const struct ops_decode *a)
{
	struct call call = call_of(CALL_DECODE);

	take(&call.decode, a, &ops_decode::R, &ops_decode::C, &ops_decode::NH, &ops_decode::NKV, &ops_decode::L, &ops_decode::slots,
		&ops_decode::at, &ops_decode::from, &ops_decode::qkv, &ops_decode::keys, &ops_decode::values, &ops_decode::out);
	submit(self(d), &call);
}

void
record_xent(struct ops_device *d, const struct ops_xent *x)
{
	struct call call = call_of(CALL_XENT);

	take(&call.xent, x, &ops_xent::N, &ops_xent::V, &ops_xent::ld, &ops_xent::logits, &ops_xent::labels, &ops_xent::weights, &ops_xent::smoothing,
		&ops_xent::backward, &ops_xent::step, &ops_xent::losses, &ops_xent::hits);
	submit(self(d), &call);
}

void
record_clip(struct ops_device *d, size_t n, const void *g, double max, void *ret, void *norm)
{
	struct call call = call_of(CALL_CLIP);

	call.n[0] = n;
	call.x[0] = max;
	call.from[0] = g;
	call.p[0] = ret;
	call.p[1] = norm;
	submit(self(d), &call);
}

void
record_adam(struct ops_device *d, const struct ops_adam *a)
{
	struct call call = call_of(CALL_ADAM);

	take(&call.adam, a, &ops_adam::n, &ops_adam::p, &ops_adam::m, &ops_adam::v, &ops_adam::g, &ops_adam::beta1, &ops_adam::beta2,
		&ops_adam::epsilon, &ops_adam::clip, &ops_adam::decay, &ops_adam::step, &ops_adam::narrow);
	submit(self(d), &call);
}

static void
submit_muon(struct ops_device *d, enum call_kind kind, const struct ops_muon *m)
{
	struct call call = call_of(kind);

	take(&call.muon, m, &ops_muon::rows, &ops_muon::columns, &ops_muon::ld, &ops_muon::p, &ops_muon::m, &ops_muon::g, &ops_muon::x,
		&ops_muon::momentum, &ops_muon::epsilon, &ops_muon::scale, &ops_muon::clip, &ops_muon::decay, &ops_muon::step, &ops_muon::narrow);
	submit(self(d), &call);
}

void
record_muon_begin(struct ops_device *d, const struct ops_muon *m)
{
	submit_muon(d, CALL_MUON_BEGIN, m);
}

void
record_muon_end(struct ops_device *d, const struct ops_muon *m)
{
	submit_muon(d, CALL_MUON_END, m);
}

void
record_diagonal(struct ops_device *d, size_t n, double alpha, double beta, const void *in, void *out)
{
	struct call call = call_of(CALL_DIAGONAL);

	call.n[0] = n;
	call.x[0] = alpha;
	call.x[1] = beta;
	call.from[0] = in;
	call.p[0] = out;
	submit(self(d), &call);
}
