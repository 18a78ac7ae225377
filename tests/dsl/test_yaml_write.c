/* Values through yaml_write and back through libyaml's reader; what is quoted and what is not. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/yaml.h"
#include "dsl/target.h"
#include "tests/tap.h"

/* Texts that some reader or other takes for something else. tests/argo/test_hostile.py reads the same list through PyYAML. */
static const char *const hostile[] = {
	"",	     " ",	   "a b",      " lead",	   "trail ",	 "yes",	      "No",	   "ON",	"off",	   "true",
	"False",     "null",	   "~",	       "NULL",	   "y",		 "N",	      "1",	   "-1",	"+1",	   "1.5",
	".5",	     "1e3",	   "1.0e+3",   "0x1F",	   "0o17",	 "017",	      "0b11",	   "1_000",	"12:30",   "1:30:45",
	"2001-12-14", "2001-12-14t21:59:43.10-05:00", ".inf", "-.INF", ".NaN",	 "-",	      "- a",	   "?",		"? a",	   ":",
	": a",	     "a: b",	   "a:",       "a:b",	   "a #b",	 "#a",	      "a#b",	   "&a",	"*a",	   "!a",
	"|",	     ">",	   "%a",       "@a",	   "`a`",	 "'",	      "\"",	   "it's",	"say \"x\"", "\\",
	"\\n",	     "a\\b",	   "[a]",      "{a}",	   "a, b",	 "{{x}}",     "{{=1}}",	   "}}",	"---",	   "...",
	"--- a",     "--flag",	   "-x",       "=",	   "<<",	 "\n",	      "\n\n",	   "a\n",	"a\nb",	   "a\nb\n",
	"a\n\nb",    "a\n\n",	   "\na",      " a\nb",	   "a\n b",	 "a \nb",     "a\n  ",	   "a\n#b\n",	"a\r\nb",  "\ta",
	"a\tb",	     "a\n\tb",	   "\x01",     "\x7f",	   "\x1b[0m",	 "\xc2\x85",  "\xc2\xa0",  "\xe2\x80\xa8", "\xef\xbb\xbf" "a", "h\xc3\xa9",
	"\xe4\xb8\xad", "\xf0\x9f\x98\x80", "\xf3\xa0\x80\x81", "$(x)", "$$", "a\xe2\x80\xae" "b", "0", "00", "1.", "e3",	   "0x",
	"key with: colon and #hash", "end:", "{", "}", "[", "]", ",", ", a", "a ,b", "(a)", "$", ";", "/", "a=b", "=b", "+", "+a", "1a", "_", "__",
};

static const struct value *
all(struct arena *arena)
{
	const struct value *items[ARRAY_LEN(hostile)], *inner[ARRAY_LEN(hostile)], *both[2];

	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		items[i] = value_string(arena, hostile[i]);
		inner[i] = value_dict(arena, &hostile[i], &items[i], 1);
	}
	both[0] = value_list(arena, items, ARRAY_LEN(hostile));
	both[1] = value_list(arena, inner, ARRAY_LEN(hostile));
	return value_list(arena, both, 2);
}

static const struct value *
read_back(struct arena *arena, const struct buf *text)
{
	struct source *source = source_new("written", buf_text(text), text->len);
	struct yaml yaml = { 0 };
	struct yaml_problem problem;
	bool good = ok(!yaml_read(arena, source, &yaml, &problem) && yaml.n == 1, "it reads");

	if (!good)
		tap_note("%s", problem.error.text);
	source_unref(source);
	return good ? yaml.documents[0]->value : NULL;
}

static void
test_round_trip(struct arena *arena)
{
	CLEANUP(buf_release) struct buf text = { 0 };
	const struct value *back;

	yaml_write(&text, all(arena));
	back = read_back(arena, &text);
	for (size_t i = 0; back && i < ARRAY_LEN(hostile); i++) {
		const struct value *as_item = back->list.items[0]->list.items[i];
		const struct value *as_pair = back->list.items[1]->list.items[i];

		is_str(value_text(as_item), hostile[i], "item %zu comes back as the text that it was", i);
		is_str(as_pair->dict.keys[0], hostile[i], "key %zu comes back", i);
		is_str(value_text(as_pair->dict.items[0]), hostile[i], "value %zu comes back", i);
	}
}

static const struct {
	const char *name, *json, *yaml;
} layouts[] = {
	{ "nesting", "{\"a\":{\"b\":[1,{\"c\":2,\"d\":[]},[3,4]]},\"e\":{}}",
	  "a:\n  b:\n  - 1\n  - c: 2\n    d: []\n  - - 3\n    - 4\ne: {}\n" },
	{ "scalars", "[null,true,false,-7,0.5,1e300,1.5e-7,\"x\"]", "- null\n- true\n- false\n- -7\n- 0.5\n- 1.0e+300\n- 1.5e-07\n- x\n" },
	{ "blocks", "{\"a\":\"x\\ny\\n\",\"b\":[\"p\\n\\n q\"]}", "a: |\n  x\n  y\nb:\n- |-\n  p\n\n   q\n" },
	{ "tags", "{\"when\":\"\\\"{{tasks.a.outputs.parameters.b}}\\\" == \\\"true\\\"\"}",
	  "when: '\"{{tasks.a.outputs.parameters.b}}\" == \"true\"'\n" },
	{ "plain words", "[\"--data-dir\",\"gcr.io/p/i:v3ap\",\"gs://b/c/\",\"a b\",\"key: x\"]",
	  "- --data-dir\n- gcr.io/p/i:v3ap\n- gs://b/c/\n- a b\n- 'key: x'\n" },
	{ "lone scalar", "\"yes\"", "'yes'\n" },
	{ "empty", "{}", "{}\n" },
};

static void
test_layouts(struct arena *arena)
{
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		CLEANUP(buf_release) struct buf text = { 0 };
		struct error err;
		const struct value *value = value_read_json(arena, layouts[i].json, strlen(layouts[i].json), &err);

		yaml_write(&text, value);
		is_str(buf_text(&text), layouts[i].yaml, "layout: %s", layouts[i].name);
	}
}

/* With an argument: writes the list for another reader, and its JSON. */
int
main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	CLEANUP(buf_release) struct buf text = { 0 };
	int status = 0;

	if (argc > 1) {
		if (!strcmp(argv[1], "--json"))
			value_write_json(&text, all(arena));
		else
			yaml_write(&text, all(arena));
		fwrite(buf_text(&text), 1, text.len, stdout);
	} else {
		test_round_trip(arena);
		test_layouts(arena);
		status = done_testing();
	}
	arena_free(arena);
	return status;
}
