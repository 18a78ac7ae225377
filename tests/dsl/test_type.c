#include "config.h"

#include <string.h>

#include "dsl/type.h"
#include "tests/tap.h"

static struct arena *arena;

/* "Integer": predeclared. "Name=Base": an alias. "yaml:…": the type of a component.yaml, as JSON. "any". */
static const struct type *
make(const char *text)
{
	const char *equals = strchr(text, '=');
	struct type *alias;

	if (!strcmp(text, "any"))
		return &TYPE_OF_ANY;
	if (!strcmp(text, "null"))
		return &TYPE_OF_NULL;
	if (!strncmp(text, "yaml:", 5))
		return type_from_yaml(arena, value_read_json(arena, text + 5, strlen(text + 5), NULL));
	if (!equals)
		return type_predeclared(text);
	alias = arena_new_struct(arena, struct type);
	*alias = *make(equals + 1);
	alias->name = arena_strndup(arena, text, (size_t)(equals - text));
	alias->base = make(equals + 1);
	return alias;
}

static const char *
fit_name(enum type_fit fit)
{
	return fit == TYPE_FITS ? "fits" : fit == TYPE_MISFITS ? "misfits" : "if literal";
}

static const struct {
	const char *from, *to, *fit;
} fits[] = {
	{ "String", "String", "fits" },
	{ "Integer", "Float", "fits" },
	{ "Float", "Integer", "misfits" },
	{ "Integer", "String", "misfits" },
	{ "Boolean", "Integer", "misfits" },
	{ "List", "Dict", "misfits" },
	/* aliases */
	{ "GCSPath", "String", "fits" },
	{ "String", "GCSPath", "if literal" },
	{ "GCSPath", "GCSPath", "fits" },
	{ "GCSPath", "URI", "misfits" },
	{ "Integer", "GCSPath", "misfits" },
	{ "Bucket=GCSPath", "GCSPath", "fits" },
	{ "Bucket=GCSPath", "String", "fits" },
	{ "GCSPath", "Bucket=GCSPath", "misfits" },
	{ "String", "Bucket=GCSPath", "if literal" },
	{ "Steps=Integer", "Float", "fits" },
	{ "Integer", "Steps=Integer", "if literal" },
	{ "Steps=Integer", "Integer", "fits" },
	/* files */
	{ "Dataset", "Dataset", "fits" },
	{ "Dataset", "Artifact", "fits" },
	{ "Artifact", "Dataset", "misfits" },
	{ "Dataset", "Model", "misfits" },
	{ "Table=Dataset", "Dataset", "fits" },
	{ "Dataset", "Table=Dataset", "misfits" },
	{ "Table=Dataset", "Artifact", "fits" },
	/* secrets fit nothing, not even what has no type */
	{ "Secret", "Secret", "fits" },
	{ "Secret", "String", "misfits" },
	{ "Secret", "any", "misfits" },
	{ "any", "Secret", "misfits" },
	{ "String", "Secret", "misfits" },
	/* no type */
	{ "any", "Integer", "fits" },
	{ "Integer", "any", "fits" },
	{ "Dataset", "any", "fits" },
	/* component.yaml */
	{ "yaml:\"String\"", "String", "fits" },
	{ "yaml:\"GCSPath\"", "yaml:\"GCSPath\"", "fits" },
	{ "yaml:\"GCSPath\"", "yaml:\"String\"", "misfits" },
	{ "yaml:\"GCSPath\"", "GCSPath", "fits" },
	{ "GCSPath", "yaml:\"GCSPath\"", "fits" },
	{ "GCSPath", "yaml:\"String\"", "fits" },
	{ "String", "yaml:\"GCSPath\"", "if literal" },
	{ "yaml:\"URI\"", "yaml:\"GCSPath\"", "misfits" },
	{ "yaml:null", "yaml:\"CSV\"", "fits" },
	{ "yaml:{\"CSV\":{}}", "yaml:\"CSV\"", "fits" },
	{ "yaml:{\"CSV\":{\"a\":1}}", "yaml:{\"CSV\":{\"a\":1,\"b\":2}}", "fits" },
	{ "yaml:{\"CSV\":{\"a\":1}}", "yaml:{\"CSV\":{\"a\":2}}", "misfits" },
	{ "yaml:{\"CSV\":{\"a\":1}}", "yaml:\"CSV\"", "misfits" },
	{ "List", "yaml:\"JsonArray\"", "fits" },
	{ "Dict", "yaml:\"JsonArray\"", "misfits" },
	{ "yaml:\"Bool\"", "Boolean", "fits" },
	{ "Integer", "yaml:\"GCSPath\"", "misfits" },
	{ "yaml:\"Secret\"", "Secret", "fits" },
};

static const struct {
	const char *json, *text;
} written[] = {
	{ "5", "Integer" },
	{ "5.0", "Float" },
	{ "\"x\"", "String" },
	{ "true", "Boolean" },
	{ "null", "null" },
	{ "[]", "List" },
	{ "[1, 2]", "List of Integer" },
	{ "[1, \"a\"]", "List" },
	{ "[[1], [2]]", "List" },
	{ "{}", "Dict" },
};

int
main(void)
{
	arena = arena_new();
	for (size_t i = 0; i < ARRAY_LEN(fits); i++)
		is_str(fit_name(type_fits(make(fits[i].from), make(fits[i].to))), fits[i].fit, "%s to %s", fits[i].from, fits[i].to);
	for (size_t i = 0; i < ARRAY_LEN(written); i++) {
		const struct value *v = value_read_json(arena, written[i].json, strlen(written[i].json), NULL);
		struct buf buf = {0};

		type_write(&buf, type_of_value(v));
		is_str(buf_text(&buf), written[i].text, "the type of %s", written[i].json);
		buf_release(&buf);
	}
	for (const char *const *name = type_predeclared_names(); *name; name++)
		is_str(type_predeclared(*name)->name, *name, "predeclared");
	ok(!type_predeclared("string"), "names are exact");
	arena_free(arena);
	return done_testing();
}
