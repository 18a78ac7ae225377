#include "config.h"

#include "kernel/output.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "kernel/json_text.h"

static struct cell_output *
cell_of(struct output *output)
{
	return (struct cell_output *)(void *)((char *)output - offsetof(struct cell_output, output));
}

/* Of a kept output; the cell that it is of may be gone. */
struct kept_output {
	struct cell_output cell;
	struct request request; /* no more than the parent is set */
};

static void
send_text(struct cell_output *cell, bool is_stderr, const char *text, size_t len)
{
	struct transport *transport = cell->session->transport;
	CLEANUP(buf_release) struct buf clean = { 0 };

	if (!len)
		return;
	if (utf8_valid(text, len)) {
		transport->ops->stream(transport, cell->request->parent, is_stderr, text, len);
		return;
	}
	utf8_sanitise(&clean, text, len);
	transport->ops->stream(transport, cell->request->parent, is_stderr, buf_text(&clean), clean.len);
}

static void
on_stream(struct output *output, bool is_stderr, const char *text, size_t len)
{
	struct cell_output *cell = cell_of(output);
	struct buf *tail = &cell->tails[is_stderr];
	size_t partial;

	if (cell->silent || !len)
		return;
	if (!tail->len) {
		partial = utf8_partial_tail(text, len);
		send_text(cell, is_stderr, text, len - partial);
		buf_add(tail, text + len - partial, partial);
		return;
	}
	buf_add(tail, text, len);
	partial = utf8_partial_tail(tail->data, tail->len);
	send_text(cell, is_stderr, tail->data, tail->len - partial);
	buf_consume(tail, tail->len - partial);
}

/* Whoever writes more than is read is held up here, as with text. */
static void
publish_output(struct cell_output *cell, const char *msg_type, json_t *content)
{
	struct transport *transport = cell->session->transport;

	transport->ops->make_room(transport);
	publish_json(cell->session, cell->request->parent, msg_type, NULL, content);
}

/* {} for NULL: frontends choke on null. */
static json_t *
object_or_empty(json_t *object)
{
	return object ? json_incref(object) : json_object();
}

static json_t *
bundle(json_t *data, json_t *metadata)
{
	json_t *content = json_object();

	json_object_set(content, "data", data);
	json_object_set_new(content, "metadata", object_or_empty(metadata));
	return content;
}

static void
show(struct output *output, const char *msg_type, json_t *data, json_t *metadata, const char *display_id)
{
	struct cell_output *cell = cell_of(output);
	json_t *content, *transient;

	if (cell->silent)
		return;
	content = bundle(data, metadata);
	transient = json_object();
	if (display_id)
		json_object_set_new(transient, "display_id", json_text_new(display_id));
	json_object_set_new(content, "transient", transient);
	publish_output(cell, msg_type, content);
}

static void
on_display(struct output *output, json_t *data, json_t *metadata, const char *display_id)
{
	show(output, "display_data", data, metadata, display_id);
}

static void
on_update(struct output *output, json_t *data, json_t *metadata, const char *display_id)
{
	show(output, "update_display_data", data, metadata, display_id);
}

static void
on_result(struct output *output, json_t *data, json_t *metadata)
{
	struct cell_output *cell = cell_of(output);
	json_t *content;

	if (cell->silent)
		return;
	json_decref(cell->result_text);
	cell->result_text = json_incref(json_object_get(data, "text/plain"));
	content = bundle(data, metadata);
	json_object_set_new(content, "execution_count", json_integer(cell->execution_count));
	publish_output(cell, "execute_result", content);
}

/* Text queued before the clear is published before it: iopub keeps the order. */
static void
on_clear(struct output *output, bool wait)
{
	struct cell_output *cell = cell_of(output);

	if (!cell->silent)
		publish_output(cell, "clear_output", json_pack("{s:b}", "wait", (int)wait));
}

static void
on_page(struct output *output, json_t *data)
{
	json_t *page = json_pack("{s:s, s:O, s:i}", "source", "page", "data", data, "start", 0);

	if (page)
		json_array_append_new(cell_of(output)->payload, page);
}

static char *
on_input(struct output *output, const char *prompt, bool password, const char **ret_why)
{
	struct cell_output *cell = cell_of(output);
	struct transport *transport = cell->session->transport;

	*ret_why = "this client takes no input (allow_stdin is false)";
	if (!cell->allow_stdin)
		return NULL;
	transport->ops->flush(transport);
	return transport->ops->input(transport, cell->request, prompt, password, ret_why);
}

static void
on_flush(struct output *output)
{
	struct transport *transport = cell_of(output)->session->transport;

	transport->ops->flush(transport);
}

static struct output *on_keep(struct output *output);

static void
on_release(struct output *output)
{
	struct kept_output *kept = (struct kept_output *)(void *)cell_of(output);

	cell_output_finish(&kept->cell);
	cell_output_release(&kept->cell);
	parent_unref(kept->request.parent);
	free(kept);
}

static const struct output_ops ops = {
	.stream = on_stream,
	.display = on_display,
	.update = on_update,
	.result = on_result,
	.clear = on_clear,
	.page = on_page,
	.input = on_input,
	.flush = on_flush,
	.keep = on_keep,
	.release = on_release,
};

static struct output *
on_keep(struct output *output)
{
	struct cell_output *cell = cell_of(output);
	struct kept_output *kept = xcalloc(1, sizeof *kept);

	kept->request.parent = parent_ref(cell->request->parent);
	cell_output_init(&kept->cell, cell->session, &kept->request);
	kept->cell.silent = cell->silent;
	kept->cell.execution_count = cell->execution_count;
	return &kept->cell.output;
}

void
cell_output_init(struct cell_output *cell, struct session *session, const struct request *request)
{
	*cell = (struct cell_output){
		.output.ops = &ops,
		.session = session,
		.request = request,
		.payload = json_array(),
	};
}

void
cell_output_finish(struct cell_output *cell)
{
	for (int i = 0; i < 2; i++) {
		send_text(cell, i, buf_text(&cell->tails[i]), cell->tails[i].len);
		buf_clear(&cell->tails[i]);
	}
	on_flush(&cell->output);
}

void
cell_output_release(struct cell_output *cell)
{
	for (int i = 0; i < 2; i++)
		buf_release(&cell->tails[i]);
	json_decref(cell->payload);
	json_decref(cell->result_text);
}
