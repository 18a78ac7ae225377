#include "config.h"

#include "runtime/step/ui_metadata.h"

#include <string.h>

#include "base/utf8.h"
#include "base/value.h"

void
ui_metadata_begin(struct buf *buf)
{
	buf_puts(buf, "{\"version\":1,\"outputs\":[");
}

static void
begin_entry(struct buf *buf, const char *type)
{
	buf_printf(buf, "%s{\"type\":\"%s\",", buf->len && buf->data[buf->len - 1] == '[' ? "" : ",", type);
}

static void
put_text(struct buf *buf, const char *text, size_t len)
{
	CLEANUP(buf_release) struct buf clean = { 0 };

	utf8_sanitise(&clean, text, len);
	value_write_json_string(buf, buf_text(&clean), clean.len);
}

void
ui_metadata_tensorboard(struct buf *buf, const char *source)
{
	begin_entry(buf, "tensorboard");
	buf_puts(buf, "\"source\":");
	put_text(buf, source, strlen(source));
	buf_putc(buf, '}');
}

void
ui_metadata_markdown(struct buf *buf, const char *text, size_t len)
{
	begin_entry(buf, "markdown");
	buf_puts(buf, "\"storage\":\"inline\",\"source\":");
	put_text(buf, text, len);
	buf_putc(buf, '}');
}

void
ui_metadata_end(struct buf *buf)
{
	buf_puts(buf, "]}\n");
}
