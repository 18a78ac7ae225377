#include "config.h"

#include "runtime/cluster/http.h"

#include <string.h>
#include <strings.h>

void
http_reply_release(struct http_reply *reply)
{
	buf_release(&reply->body);
	*reply = (struct http_reply){ 0 };
}

static void
keep_header(char *ret, const char *value, size_t len)
{
	while (len && (*value == ' ' || *value == '\t'))
		value++, len--;
	while (len && (unsigned char)value[len - 1] <= ' ')
		len--;
	if (len >= HTTP_HEADER_MAX)
		len = HTTP_HEADER_MAX - 1;
	for (size_t i = 0; i < len; i++)
		ret[i] = value[i] >= ' ' && value[i] <= '~' ? value[i] : '?';
	ret[len] = '\0';
}

void
http_reply_header(struct http_reply *reply, const char *line, size_t len)
{
	const struct {
		const char *name;
		char *value;
	} kept[] = { { "content-type:", reply->content_type }, { "retry-after:", reply->retry_after }, { "date:", reply->date } };

	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		size_t n = strlen(kept[i].name);

		if (len >= n && !strncasecmp(line, kept[i].name, n))
			keep_header(kept[i].value, line + n, len - n);
	}
}

void
http_free(struct http *http)
{
	if (http)
		http->free(http);
}
