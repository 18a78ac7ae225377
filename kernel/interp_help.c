#include "config.h"

#include "kernel/interp_internal.h"

#include <string.h>

#include "dsl/inspect.h"
#include "dsl/settings.h"
#include "dsl/verb.h"

/* `help` without a word: every verb that works in a line. */
static void
list_verbs(struct buf *text)
{
	size_t n;
	const struct verb *verbs = verb_table(&n);

	buf_puts(text, "verbs:\n");
	for (size_t i = 0; i < n; i++)
		if (verbs[i].works)
			buf_printf(text, "  %-12s %s\n", verbs[i].word, verbs[i].doc);
	buf_puts(text, "\n`help WORD` explains a verb, a setting or a problem's code; `NAME?` shows what the notebook defines.\n");
}

static void
say_later(struct buf *text, bool works)
{
	if (!works)
		buf_puts(text, "\nThis version does not carry it out yet (L0900).\n");
}

static bool
help_verb(struct buf *text, const char *word)
{
	const struct verb *verb = verb_lookup(word, strlen(word));

	if (!verb)
		return false;
	buf_printf(text, "%s%s\n\n%s\n", text->len ? "\nverb: " : "", verb->usage, verb->doc);
	say_later(text, verb->works);
	return true;
}

static bool
help_setting(struct buf *text, const char *word)
{
	const struct setting_info *setting = setting_lookup(word);

	if (!setting)
		return false;
	buf_printf(text, "setting: %s %s\n\n%s\n", setting->word, setting->arguments, setting->doc);
	say_later(text, setting->works);
	return true;
}

static bool
help_code(struct buf *text, const char *word)
{
	const struct diag_info *info = diag_info_by_name(word);

	if (!info)
		return false;
	buf_printf(text, "%s: %s\n\n%s\n", info->code, info->title, info->explanation);
	return true;
}

static bool
help_type(struct buf *text, const char *word)
{
	const struct type *type = type_predeclared(word);

	if (!type)
		return false;
	buf_puts(text, "type: ");
	type_write(text, type);
	buf_puts(text, type_is_file(type) ? "\n\nHanded on as a file, by its path.\n" : "\n\nHanded on by value.\n");
	return true;
}

/* Some words are a setting and a verb. */
static bool
help_word(struct buf *text, const char *word)
{
	bool found = help_setting(text, word);

	found |= help_verb(text, word);
	return found || help_code(text, word) || help_type(text, word);
}

static void
page(struct act *act, const struct buf *text)
{
	json_t *data = json_pack("{s:o}", "text/plain", json_of_text(buf_text(text), text->len));

	act->output->ops->page(act->output, data);
	json_decref(data);
}

int
act_help(struct act *act)
{
	const char *word = act->action->text;
	struct buf text = { 0 };
	int rc = 0;

	if (!word)
		list_verbs(&text);
	else if (!help_word(&text, word))
		rc = act_fail(act, DIAG_L0807, "nothing is known by the name `%s`; `help` lists the verbs, and `%s?` looks among what "
					       "the notebook defines",
			      word, word);
	if (rc == 0)
		page(act, &text);
	buf_release(&text);
	return rc;
}

int
act_inspect(struct act *act)
{
	const char *name = act->action->text;
	struct buf text = { 0 };
	int rc = 0;

	if (inspect_name(&text, act->interp->scope, name, act->action->flag))
		page(act, &text);
	else
		rc = act_fail(act, DIAG_L0807, "nothing is known by the name `%s`", name);
	buf_release(&text);
	return rc;
}
