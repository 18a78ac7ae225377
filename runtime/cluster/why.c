#include "config.h"

#include "runtime/cluster/why.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"

enum when { PENDING = 1, FAILED = 2, BOTH = 3 };

enum { HOLES_MAX = 6, WHAT_MAX = 600 };

struct rule {
	enum when when;
	const char *text, *what, *help;
};

struct predicate {
	const char *text, *all, *some, *help;
};

static const struct rule rules[] = {
#define WHY(when, text, what, help) { when, text, what, help },
#define PREDICATE(text, all, some, help)
#include "runtime/cluster/why.def"
#undef WHY
#undef PREDICATE
};

static const struct predicate predicates[] = {
#define WHY(when, text, what, help)
#define PREDICATE(text, all, some, help) { text, all, some, help },
#include "runtime/cluster/why.def"
#undef WHY
#undef PREDICATE
};

/* What stood where a pattern has `%`. */
struct holes {
	struct {
		const char *text;
		size_t len;
	} at[HOLES_MAX];
	size_t n;
};

/* What templates may name. */
struct telling {
	const struct why_facts *facts;
	struct arena *arena;
	struct holes holes;
	const char *n, *total; /* of nodes; or NULL */
};

/* ---- patterns ---- */

/* The first place at or after `from` where the pattern's letters up to its next `%` or end stand. */
static const char *
find_piece(const char *from, const char *end, const char *piece, size_t len, bool at_end)
{
	if (at_end)
		return (size_t)(end - from) >= len && memcmp(end - len, piece, len) == 0 ? end - len : NULL;
	return len ? memmem(from, (size_t)(end - from), piece, len) : from;
}

/* Each `%` takes as little as it can, the last one what is left. */
static bool
fits(const char *pattern, const char *text, size_t len, struct holes *ret)
{
	const char *end = text + len, *from = text;
	size_t piece = strcspn(pattern, "%");

	ret->n = 0;
	if (len < piece || memcmp(text, pattern, piece) != 0)
		return false;
	for (from += piece, pattern += piece; *pattern; pattern += piece) {
		const char *found;

		piece = strcspn(++pattern, "%");
		found = !piece && !pattern[piece] ? end : find_piece(from, end, pattern, piece, !pattern[piece]);
		if (!found || ret->n == HOLES_MAX)
			return false;
		ret->at[ret->n].text = from;
		ret->at[ret->n++].len = (size_t)(found - from);
		from = found + piece;
	}
	return from == end;
}

/* ---- templates ---- */

static const char *
memory_of(const struct telling *t)
{
	const struct expr *memory = t->facts->step ? t->facts->step->settings->memory : NULL;

	return memory && memory->kind == EXPR_VALUE ? value_text(memory->value) : NULL;
}

static const char *
timeout_of(const struct telling *t)
{
	int64_t timeout = t->facts->step ? t->facts->step->settings->timeout : 0;

	return timeout > 0 ? arena_printf(t->arena, "%lld", (long long)timeout) : NULL;
}

/* Letters and digits are the same, whatever stands between them. */
static bool
alike(const char *a, const char *b, size_t len)
{
	const char *end = b + len;

	for (;;) {
		while (*a && !isalnum((unsigned char)*a))
			a++;
		while (b < end && !isalnum((unsigned char)*b))
			b++;
		if (!*a || b == end)
			return !*a && b == end;
		if (tolower((unsigned char)*a++) != tolower((unsigned char)*b++))
			return false;
	}
}

/* The output whose file was to lie at the path: `/tmp/outputs/NAME/data`, or where its component says. */
static bool
lies_at(const struct port *port, const char *path, size_t len)
{
	const char *tail = memrchr(path, '/', len), *name;

	if (port->path && len >= strlen(port->path) && memcmp(path, port->path, strlen(port->path)) == 0)
		return true;
	name = tail ? memrchr(path, '/', (size_t)(tail - path)) : NULL;
	return name && alike(port->name, name + 1, (size_t)(tail - name - 1));
}

static const struct port *
missing_port(const struct telling *t)
{
	const struct component *component = t->facts->step ? t->facts->step->component : NULL;

	for (size_t i = 0; component && i < component->n_outputs; i++)
		if (t->holes.n > 1 && lies_at(&component->outputs[i], t->holes.at[1].text, t->holes.at[1].len))
			return &component->outputs[i];
	return NULL;
}

static const char *
output_of(const struct telling *t)
{
	const struct port *port = missing_port(t);

	return port ? port->name : NULL;
}

/* The words of a run on this machine. */
static const char *
missing_of(const struct telling *t)
{
	const struct port *port = missing_port(t);

	if (port && t->facts->step->component->script)
		return arena_printf(t->arena, "the script did not write it to the path in `$out_%s`", port->id);
	return "the step did not write it";
}

static const char *
image_of(const struct telling *t)
{
	return t->facts->step ? t->facts->step->component->image : NULL;
}

static const char *
number_of(const struct telling *t)
{
	return t->n;
}

static const char *
total_of(const struct telling *t)
{
	return t->total;
}

static const struct {
	const char *name;
	const char *(*value)(const struct telling *telling);
} names[] = {
	{ "image", image_of }, { "memory", memory_of }, { "timeout", timeout_of }, { "output", output_of },
	{ "missing", missing_of }, { "n", number_of }, { "total", total_of },
};

/* What `{name}` stands for; NULL when it is not known. */
static const char *
named(const struct telling *t, const char *name, size_t len)
{
	size_t number = (size_t)(*name - '0');

	if (len == 1 && isdigit((unsigned char)*name))
		return number < t->holes.n && t->holes.at[number].len ? arena_strndup(t->arena, t->holes.at[number].text, t->holes.at[number].len) : NULL;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i].name) == len && memcmp(names[i].name, name, len) == 0)
			return names[i].value(t);
	BUG("`{%.*s}` in why.def", (int)len, name);
}

/* False when something is not known. */
static bool
write_template(const struct telling *t, struct buf *buf, const char *template, size_t len)
{
	bool known = true;

	for (const char *p = template, *end = template + len; p < end;) {
		const char *close = *p == '[' ? memchr(p, ']', (size_t)(end - p)) : *p == '{' ? memchr(p, '}', (size_t)(end - p)) : NULL;
		CLEANUP(buf_release) struct buf part = { 0 };
		const char *value;

		if (!close) {
			buf_putc(buf, *p++);
			continue;
		}
		if (*p == '[') {
			if (write_template(t, &part, p + 1, (size_t)(close - p - 1)))
				buf_add(buf, buf_text(&part), part.len);
		} else {
			value = named(t, p + 1, (size_t)(close - p - 1));
			known = known && value;
			buf_puts(buf, value ? value : "?");
		}
		p = close + 1;
	}
	return known;
}

/* The text in one line, without blanks and full stops at its end, and not too long. */
static const char *
written(const struct telling *t, const char *template)
{
	CLEANUP(buf_release) struct buf buf = { 0 };
	const char *text;
	size_t len;

	if (!template || !*template)
		return NULL;
	write_template(t, &buf, template, strlen(template));
	for (size_t i = 0; i < buf.len; i++)
		if (buf.data[i] == '\n' || buf.data[i] == '\r' || buf.data[i] == '\t')
			buf.data[i] = ' ';
	text = buf_text(&buf);
	for (len = buf.len; len && strchr(" .;", text[len - 1]); len--)
		;
	if (len <= WHAT_MAX)
		return arena_strndup(t->arena, text, len);
	for (len = WHAT_MAX; len && ((unsigned char)text[len] & 0xC0) == 0x80; len--)
		;
	return arena_printf(t->arena, "%.*s…", (int)len, text);
}

/* ---- nodes that do not take a pod ---- */

/* One of the reasons, such as `2 Insufficient cpu`. */
static void
add_predicate(struct telling *t, const char *text, size_t len, struct buf *what, const char **help)
{
	size_t digits = strspn(text, "0123456789"), skip = digits && text[digits] == ' ' ? digits + 1 : 0;
	const char *said = NULL;

	if (!digits || digits > len)
		return;
	t->n = arena_strndup(t->arena, text, digits);
	for (size_t i = 0; i < ARRAY_LEN(predicates) && !said; i++) {
		if (!fits(predicates[i].text, text + skip, len - skip, &t->holes))
			continue;
		said = written(t, strcmp(t->n, t->total) == 0 ? predicates[i].all : predicates[i].some);
		if (!*help)
			*help = written(t, predicates[i].help);
	}
	buf_printf(what, "%s%s", what->len ? "; " : "", said ? said : arena_strndup(t->arena, text, len));
}

/* A taint may hold a comma, so a reason ends at one that a number follows. */
static size_t
predicate_len(const char *text)
{
	const char *p = text;

	for (; *p; p++) {
		if (p[0] == ',' && p[1] == ' ' && isdigit((unsigned char)p[2]))
			break;
		if (p[0] == '.' && (p[1] == ' ' || !p[1]))
			break;
	}
	return (size_t)(p - text);
}

/* `0/3 nodes are available: 1 Insufficient cpu, 2 … . preemption: …`. False when it is none. */
static bool
unschedulable(struct telling *t, const char *text, struct why *ret)
{
	CLEANUP(buf_release) struct buf what = { 0 };
	struct holes holes;

	if (!fits("%/% nodes are available: %", text, strlen(text), &holes))
		return false;
	t->total = arena_strndup(t->arena, holes.at[1].text, holes.at[1].len);
	for (const char *p = holes.at[2].text; *p;) {
		size_t len = predicate_len(p);

		add_predicate(t, p, len, &what, &ret->help);
		if (!what.len && fits("persistentvolumeclaim \"%\" not found", p, len, &t->holes)) {
			ret->help = "make the claim, or name another one";
			buf_puts(&what, written(t, "there is no volume claim `{0}` in the namespace"));
		}
		if (!what.len && fits("pod has unbound immediate PersistentVolumeClaims", p, len, &t->holes)) {
			ret->help = "check the claim and its storage class: `kubectl get pvc,sc`";
			buf_puts(&what, "its volume claim has no volume yet");
		}
		if (p[len] != ',')
			break;
		p += len + 2;
	}
	if (!what.len)
		buf_printf(&what, "no node takes it: %s", holes.at[2].text);
	ret->what = arena_strdup(t->arena, buf_text(&what));
	return true;
}

/* ---- rules ---- */

static struct why
told(const struct why_facts *facts, struct arena *arena, const char *text, enum when when)
{
	struct telling t = { .facts = facts, .arena = arena };
	struct why why = { 0 };
	const char *plain = strncmp(text, "Unschedulable: ", 15) == 0 ? text + 15 : text;
	size_t len = strlen(text);

	if ((when & PENDING) && unschedulable(&t, plain, &why))
		return why;
	for (; len && strchr(" .;\n", text[len - 1]); len--)
		;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (!(rules[i].when & when) || !fits(rules[i].text, text, len, &t.holes))
			continue;
		why.what = written(&t, rules[i].what);
		why.help = written(&t, rules[i].help);
		return why;
	}
	/* What the table does not know is said as it came. */
	t.holes.n = 1;
	t.holes.at[0].text = text;
	t.holes.at[0].len = strlen(text);
	why.what = written(&t, "{0}");
	return why;
}

/* ---- the pod and its events ---- */

static const char *
reason_and_message(struct arena *arena, const struct value *dict)
{
	const char *reason = value_text_at(dict, "reason"), *message = value_text_at(dict, "message");

	return !reason ? NULL : message ? arena_printf(arena, "%s: %s", reason, message) : reason;
}

/* Each container's state of that name, where it has a reason; `boring` reasons only if there is no other. */
static const char *
container_reason(struct arena *arena, const struct value *pod, const char *state, const char *const *boring)
{
	static const char *const lists[] = { "initContainerStatuses", "containerStatuses" };
	const char *dull = NULL;

	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		const struct value *list = value_get(value_get(pod, "status"), lists[k]);

		for (size_t i = 0; list && list->kind == VALUE_LIST && i < list->list.n; i++) {
			const struct value *at = value_get(value_get(list->list.items[i], "state"), state);
			const char *reason = value_text_at(at, "reason");
			bool is_dull = false;

			for (size_t b = 0; reason && boring[b]; b++)
				is_dull |= strcmp(reason, boring[b]) == 0;
			if (reason && !is_dull)
				return reason_and_message(arena, at);
			dull = reason ? reason : dull;
		}
	}
	return dull;
}

static const char *
condition_reason(struct arena *arena, const struct value *pod, const char *type, const char *status)
{
	const struct value *list = value_get(value_get(pod, "status"), "conditions");

	for (size_t i = 0; list && list->kind == VALUE_LIST && i < list->list.n; i++) {
		const char *is_type = value_text_at(list->list.items[i], "type"), *is_status = value_text_at(list->list.items[i], "status");

		if (is_type && is_status && strcmp(is_type, type) == 0 && strcmp(is_status, status) == 0)
			return reason_and_message(arena, list->list.items[i]);
	}
	return NULL;
}

/* The last warning that says more than that something failed. */
static const char *
event_reason(struct arena *arena, const struct why_facts *facts)
{
	static const char *const telling[] = { "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedScheduling", "FailedCreate" };

	for (size_t i = facts->n_events; i-- > 0;) {
		const char *reason = value_text_at(facts->events[i], "reason"), *message = value_text_at(facts->events[i], "message");

		for (size_t k = 0; reason && message && k < ARRAY_LEN(telling); k++)
			if (strcmp(reason, telling[k]) == 0)
				return strcmp(reason, "FailedScheduling") == 0 ? arena_printf(arena, "Unschedulable: %s", message) :
				       reason_and_message(arena, facts->events[i]);
	}
	return NULL;
}

static bool
is_dull(const char *reason)
{
	return !reason || !strcmp(reason, "ContainerCreating") || !strcmp(reason, "PodInitializing");
}

struct why
why_pending(const struct why_facts *facts, struct arena *arena)
{
	static const char *const boring[] = { "ContainerCreating", "PodInitializing", NULL };
	const char *waiting = container_reason(arena, facts->pod, "waiting", boring), *other = NULL;

	if (facts->waits)
		return told(facts, arena, arena_printf(arena, "Waiting for %s lock", facts->waits), PENDING);
	if (!is_dull(waiting))
		return told(facts, arena, waiting, PENDING);
	if (!waiting)
		other = condition_reason(arena, facts->pod, "PodScheduled", "False");
	if (!other)
		other = event_reason(arena, facts);
	if (!other)
		other = facts->message ? facts->message : waiting;
	return other ? told(facts, arena, other, PENDING) : (struct why){ 0 };
}

struct why
why_failed(const struct why_facts *facts, struct arena *arena)
{
	static const char *const boring[] = { "Completed", "Error", NULL };
	const char *reason = reason_and_message(arena, value_get(facts->pod, "status"));

	if (!reason)
		reason = condition_reason(arena, facts->pod, "DisruptionTarget", "True");
	if (!reason)
		reason = facts->message ? facts->message : container_reason(arena, facts->pod, "terminated", boring);
	return reason ? told(facts, arena, reason, FAILED) : (struct why){ 0 };
}
