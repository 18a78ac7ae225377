#include "config.h"

#include "kernel/session_state.h"

#include <stdlib.h>
#include <string.h>

/* A name from a message's content; NULL if it is none. */
static const char *
name_field(const json_t *content, const char *field)
{
	const json_t *name = json_object_get(content, field);

	return json_is_string(name) && json_string_length(name) <= MESSAGE_ID_MAX ? json_string_value(name) : NULL;
}

static void
forget(struct session *session, const char *comm_id)
{
	free(map_remove(&session->comms, comm_id));
}

static void
send_close(struct session *session, const struct request *request, const char *comm_id)
{
	publish_json(session, request->parent, "comm_close", NULL, json_pack("{s:s, s:{}}", "comm_id", comm_id, "data"));
}

/* The language answers with messages to send; types are mapped onto constants, others are not for it to send. */
static void
send_back(struct session *session, const struct request *request, json_t *messages)
{
	json_t *message;
	size_t i;

	json_array_foreach(messages, i, message) {
		const char *type = json_string_value(json_object_get(message, "msg_type"));
		json_t *content = json_object_get(message, "content");
		bool closes = type && !strcmp(type, "comm_close");
		json_t *metadata = json_object_get(message, "metadata");
		CLEANUP(buf_release) struct buf text = { 0 };

		if (!json_is_object(content) || !(closes || (type && !strcmp(type, "comm_msg"))))
			continue;
		if (json_is_object(metadata))
			message_dump(metadata, &text);
		if (closes && name_field(content, "comm_id"))
			forget(session, name_field(content, "comm_id"));
		publish_json(session, request->parent, closes ? "comm_close" : "comm_msg", text.len ? text.data : NULL,
			json_incref(content));
	}
	json_decref(messages);
}

static void
ask_language(struct session *session, const struct request *request, const char *comm_id)
{
	const struct language *language = session->language;
	const char *target = map_get(&session->comms, comm_id);

	if (language->ops->comm)
		send_back(session, request,
			language->ops->comm(language->self, request->msg_type, comm_id, target, request->content));
}

void
handle_comm_open(struct session *session, const struct request *request, struct answer *answer UNUSED)
{
	const struct language *language = session->language;
	const char *comm_id = name_field(request->content, "comm_id");
	const char *target = name_field(request->content, "target_name");

	if (!comm_id)
		return;
	forget(session, comm_id); /* a second open replaces the first */
	if (!target || !language->ops->comm_target_known || session->comms.live >= SESSION_COMMS_MAX ||
		!language->ops->comm_target_known(language->self, target)) {
		send_close(session, request, comm_id);
		return;
	}
	map_set(&session->comms, comm_id, xstrdup(target));
	ask_language(session, request, comm_id);
}

void
handle_comm_msg(struct session *session, const struct request *request, struct answer *answer UNUSED)
{
	const char *comm_id = name_field(request->content, "comm_id");

	if (comm_id && map_has(&session->comms, comm_id))
		ask_language(session, request, comm_id);
}

void
handle_comm_close(struct session *session, const struct request *request, struct answer *answer UNUSED)
{
	const char *comm_id = name_field(request->content, "comm_id");

	if (!comm_id || !map_has(&session->comms, comm_id))
		return;
	ask_language(session, request, comm_id);
	forget(session, comm_id);
}

void
handle_comm_info(struct session *session, const struct request *request, struct answer *answer)
{
	const char *wanted = name_field(request->content, "target_name");
	json_t *comms = json_object();
	const struct map_entry *entry;
	size_t at = 0;

	while ((entry = map_next(&session->comms, &at)))
		if (!wanted || !strcmp(wanted, entry->value))
			json_object_set_new(comms, entry->key, json_pack("{s:s}", "target_name", (const char *)entry->value));
	answer->content = json_pack("{s:s, s:o}", "status", "ok", "comms", comms);
}
