#include "config.h"

#include "kernel/session_state.h"

static void
put_text(json_t *object, const char *name, const char *text)
{
	if (text)
		json_object_set_new(object, name, json_string(text));
}

static json_t *
help_links(const struct language_info *info)
{
	json_t *links = json_array();

	for (size_t i = 0; info->help_links && info->help_links[i][0]; i++)
		json_array_append_new(
			links, json_pack("{s:s, s:s}", "text", info->help_links[i][0], "url", info->help_links[i][1]));
	return links;
}

/* No nulls: nbformat copies language_info into the notebook and validates it. */
static json_t *
language_info(const struct language_info *info)
{
	json_t *language = json_object();

	put_text(language, "name", info->name);
	put_text(language, "version", info->version);
	put_text(language, "mimetype", info->mimetype);
	put_text(language, "file_extension", info->file_extension);
	put_text(language, "pygments_lexer", info->pygments_lexer);
	put_text(language, "codemirror_mode", info->codemirror_mode);
	return language;
}

void
handle_kernel_info(struct session *session, const struct request *request UNUSED, struct answer *answer)
{
	const struct language_info *info = session->language->ops->info;

	answer->content = json_pack("{s:s, s:s, s:o, s:b, s:o, s:[s]}", "status", "ok", "protocol_version", PROTOCOL_VERSION,
		"language_info", language_info(info), "debugger", 0, "help_links", help_links(info), "supported_features",
		"iopub_welcome");
	put_text(answer->content, "implementation", info->implementation);
	put_text(answer->content, "implementation_version", info->implementation_version);
	put_text(answer->content, "banner", info->banner);
}

void
handle_connect(struct session *session, const struct request *request UNUSED, struct answer *answer)
{
	answer->content = json_pack("{s:s}", "status", "ok");
	for (size_t i = 0; session->connection && i < N_CHANNELS; i++)
		json_object_set_new(
			answer->content, CONNECTION_PORT_NAMES[i], json_integer(session->connection->ports[i]));
}
