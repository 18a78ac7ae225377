#include "config.h"

#include "kernel/session_state.h"

#include "kernel/usage.h"

void
handle_interrupt(struct session *session, const struct request *request UNUSED, struct answer *answer)
{
	session_interrupt(session);
	answer->content = json_pack("{s:s}", "status", "ok");
}

void
handle_shutdown(struct session *session UNUSED, const struct request *request, struct answer *answer)
{
	int restart = json_is_true(json_object_get(request->content, "restart"));

	answer->content = json_pack("{s:s, s:b}", "status", "ok", "restart", restart);
	answer->stops = true;
}

void
handle_usage(struct session *session UNUSED, const struct request *request UNUSED, struct answer *answer)
{
	answer->content = usage_report();
	json_object_set_new(answer->content, "status", json_string("ok"));
}

/* A response of the Debug Adapter Protocol inside an error reply. */
void
handle_debug(struct session *session UNUSED, const struct request *request, struct answer *answer)
{
	static const char why[] = "this kernel has no debugger";
	json_t *command = json_object_get(request->content, "command");
	json_t *seq = json_object_get(request->content, "seq");

	answer->content = error_content("DebuggerUnavailable", why);
	json_object_set_new(answer->content, "type", json_string("response"));
	json_object_set_new(answer->content, "success", json_false());
	json_object_set_new(answer->content, "message", json_string(why));
	json_object_set_new(answer->content, "request_seq", json_is_integer(seq) ? json_incref(seq) : json_integer(0));
	json_object_set_new(answer->content, "command", json_is_string(command) ? json_incref(command) : json_string(""));
}

void
handle_subshell(struct session *session UNUSED, const struct request *request UNUSED, struct answer *answer)
{
	answer->content = error_content("SubshellsUnavailable", "there are no subshells in this kernel");
}
