#include "config.h"

#include "kernel/interp_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

struct magic {
	const char *word, *arguments, *doc;
	int (*run)(struct act *act, const char *rest);
};

static int
magic_cd(struct act *act, const char *rest)
{
	const char *home = getenv("HOME");
	const char *to = *rest ? rest : home ? home : "/";
	char *now;

	if (*to == '~' && home && (to[1] == '/' || !to[1]))
		to = arena_printf(act->arena, "%s%s", home, to + 1);
	if (chdir(to) < 0)
		return act_fail(act, DIAG_L0804, "cannot go to `%s`: %s", to, strerror(errno));
	now = getcwd(NULL, 0);
	to = arena_printf(act->arena, "%s\n", now ? now : to);
	free(now);
	act_print(act, to, strlen(to));
	return 0;
}

static int
compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names that likely hold a secret keep it: a notebook is saved with its outputs. */
static bool
looks_secret(const char *entry, size_t name_len)
{
	static const char *const words[] = { "TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY", "CREDENTIAL" };

	for (size_t w = 0; w < ARRAY_LEN(words); w++)
		if (memmem(entry, name_len, words[w], strlen(words[w])))
			return true;
	return false;
}

static void
print_env_entry(struct buf *text, const char *entry)
{
	size_t name_len = strcspn(entry, "=");

	if (looks_secret(entry, name_len))
		buf_printf(text, "%.*s=(hidden)\n", (int)name_len, entry);
	else
		buf_printf(text, "%s\n", entry);
}

static void
list_env(struct act *act)
{
	VEC(char *) names = { 0 };
	struct buf text = { 0 };

	for (char **e = environ; *e; e++)
		vec_push(&names, *e);
	qsort(names.items, names.n, sizeof *names.items, compare_text);
	for (size_t i = 0; i < names.n; i++)
		print_env_entry(&text, names.items[i]);
	act_print(act, buf_text(&text), text.len);
	buf_release(&text);
	vec_release(&names);
}

/* `%env`, `%env NAME`, `%env NAME=VALUE`, `%env NAME VALUE`. */
static int
magic_env(struct act *act, const char *rest)
{
	size_t n = strcspn(rest, "= \t");
	const char *name, *value;

	if (!*rest) {
		list_env(act);
		return 0;
	}
	name = arena_strndup(act->arena, rest, n);
	if (!*name)
		return act_fail(act, DIAG_L0804, "`%%env` wants NAME=VALUE");
	if (!rest[n]) {
		value = getenv(name);
		if (!value)
			return act_fail(act, DIAG_L0804, "the environment has no `%s`", name);
		value = arena_printf(act->arena, "%s\n", value);
		act_print(act, value, strlen(value));
		return 0;
	}
	value = rest + n + strspn(rest + n, " \t");
	value += *value == '=';
	setenv(name, value + strspn(value, " \t"), 1);
	return 0;
}

static const char *
kind_of(const struct binding *binding)
{
	switch (binding->kind) {
	case BINDING_COMPONENT:
		return "component";
	case BINDING_PIPELINE:
		return binding->plan ? "pipeline" : "pipeline (broken)";
	case BINDING_TYPE:
		return "type";
	case BINDING_CLUSTER:
		return "cluster";
	case BINDING_VALUE:
		return "value";
	case BINDING_RUN:
		return "run";
	case BINDING_STEP:
		return "step of a run";
	}
	BUG("binding kind %d", (int)binding->kind);
}

static int
magic_who(struct act *act, const char *rest UNUSED)
{
	struct buf text = { 0 };
	const struct binding *b;

	for (size_t at = 0; (b = scope_next(act->interp->scope, &at));)
		buf_printf(&text, "%-20s %s\n", b->name, kind_of(b));
	if (!text.len)
		buf_puts(&text, "nothing is defined yet\n");
	act_print(act, buf_text(&text), text.len);
	buf_release(&text);
	return 0;
}

static int
magic_reset(struct act *act, const char *rest UNUSED)
{
	static const char done[] = "everything that the notebook had defined is forgotten\n";

	scope_forget(act->interp->scope, NULL);
	variables_clear(&act->interp->variables);
	act_print(act, done, sizeof done - 1);
	return 0;
}

static const struct magic magics[] = {
	{ "cd", "[FOLDER]", "goes to a folder", magic_cd },
	{ "env", "[NAME[=VALUE]]", "shows or sets the environment of steps and `!` commands", magic_env },
	{ "reset", "", "forgets everything that was defined", magic_reset },
	{ "who", "", "lists what is defined", magic_who },
};

int
act_magic(struct act *act)
{
	struct buf known = { 0 };
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(magics); i++)
		if (!strcmp(act->action->text, magics[i].word))
			return magics[i].run(act, act->action->text2 ? act->action->text2 : "");
	for (size_t i = 0; i < ARRAY_LEN(magics); i++)
		buf_printf(&known, "%s`%%%s`", i ? ", " : "", magics[i].word);
	rc = act_fail(act, DIAG_L0804, "no magic `%%%s`; there are %s", act->action->text, buf_text(&known));
	buf_release(&known);
	return rc;
}
