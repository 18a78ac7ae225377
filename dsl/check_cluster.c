/* `cluster NAME { … }`: where runs can go. */
#include "config.h"

#include "dsl/check.h"

#include <string.h>

enum { NAMESPACE_MAX = 63 };

struct cluster_check {
	struct check *check;
	struct arena *arena; /* the unit's */
	struct cluster *cluster;
	const struct setting_info *info;
	const struct ast_setting *ast;
};

static void
bad(struct cluster_check *c, struct span span, const char *text)
{
	struct diag *d = diags_add(c->check->diags, DIAG_L0406, span, "%s", text);

	diag_help(c->check->diags, d, "it is written `%s%s%s`", c->info->word, *c->info->arguments ? " " : "", c->info->arguments);
}

/* The one text behind the word, not empty; NULL after a complaint. */
static const char *
one_text(struct cluster_check *c)
{
	const struct ast_expr *arg = c->ast->n_args ? c->ast->args[0] : NULL;
	const char *text;

	if (c->ast->n_args != 1) {
		bad(c, c->ast->span, arena_printf(c->check->arena, "`%s` takes one text", c->info->word));
		return NULL;
	}
	if (arg->kind == AST_POISON)
		return NULL;
	text = check_text(c->check, c->arena, arg, c->info->word);
	if (text && !*text) {
		bad(c, arg->span, arena_printf(c->check->arena, "the text of `%s` is empty", c->info->word));
		return NULL;
	}
	return text;
}

static void
read_namespace(struct cluster_check *c)
{
	const char *text = one_text(c);
	size_t len = text ? strlen(text) : 0;

	if (!text)
		return;
	if (len > NAMESPACE_MAX || text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] || *text == '-' || text[len - 1] == '-')
		bad(c, c->ast->args[0]->span, "a namespace has at most 63 lower-case letters, digits and `-`, and no `-` at its ends");
	else
		c->cluster->namespace_ = text;
}

static void
read_kind(struct cluster_check *c)
{
	const struct ast_expr *arg = c->ast->n_args == 1 ? c->ast->args[0] : NULL;
	const char *word = arg && arg->kind == AST_NAME ? arg->name.text : NULL;

	if (!word || (strcmp(word, "argo") != 0 && strcmp(word, "kfp") != 0 && strcmp(word, "auto") != 0))
		bad(c, arg ? arg->span : c->ast->span, "what runs on the cluster is `argo` or `kfp`");
	else if (strcmp(word, "argo") != 0)
		check_later(c->check, arg->span, "`kind %s`", word);
}

static void
read_setting(struct cluster_check *c)
{
	const char *word = c->info->word;

	if (!strcmp(word, "context"))
		c->cluster->context = one_text(c);
	else if (!strcmp(word, "kubeconfig"))
		c->cluster->kubeconfig = one_text(c);
	else if (!strcmp(word, "namespace"))
		read_namespace(c);
	else if (!strcmp(word, "kind"))
		read_kind(c);
	else if (c->ast->n_args)
		bad(c, c->ast->span, "`in_cluster` stands alone");
	else
		c->cluster->in_cluster = true;
}

static void
read_field(struct cluster_check *c, const struct ast_field *field, struct map *seen)
{
	if (field->kind != AST_FIELD_SETTING) {
		diags_add(c->check->diags, DIAG_L0407, field->span, "this is a field of a component, not of a cluster");
		return;
	}
	c->ast = &field->setting;
	if (!c->ast->word.text)
		return;
	c->info = check_setting_word(c->check, c->ast, SETTING_IN_CLUSTER, NULL, 0);
	if (!c->info) {
		map_set(seen, c->ast->word.text, NULL); /* complained of */
		return;
	}
	if (map_has(seen, c->info->word)) {
		diags_add(c->check->diags, DIAG_L0401, c->ast->word.span, "`%s` is set twice", c->info->word);
		return;
	}
	map_set(seen, c->info->word, NULL);
	read_setting(c);
}

static void
check_place(struct check *check, const struct ast_stmt *stmt, const struct cluster *cluster)
{
	struct diag *d;

	if (cluster->in_cluster && (cluster->context || cluster->kubeconfig)) {
		d = diags_add(check->diags, DIAG_L1001, stmt->name.span, "the cluster `%s` is given in two ways", stmt->name.text);
		diag_help(check->diags, d, "`in_cluster` is the pod that Lateen runs in, and needs no `%s`", cluster->context ? "context" : "kubeconfig");
	} else if (!cluster->in_cluster && !cluster->context && !cluster->kubeconfig) {
		d = diags_add(check->diags, DIAG_L1001, stmt->name.span, "where the cluster `%s` is, is not said", stmt->name.text);
		diag_help(check->diags, d, "name a context of your kubeconfig: `context \"…\"` (`kubectl config get-contexts` lists them), a file: "
			"`kubeconfig \"…\"`, or within a pod `in_cluster`");
	}
}

void
check_declare_cluster(struct check *check, const struct ast_stmt *stmt)
{
	struct cluster_check c = { .check = check, .arena = check->unit->arena };
	size_t errors = check->diags->n_errors;
	struct map seen = { 0 };
	struct decl *d;

	if (!stmt->name.text || !check_new_name(check, &stmt->name))
		return;
	d = decl_new(BINDING_CLUSTER, stmt->name.text, check->unit, stmt->name.span);
	d->in_this_cell = true;
	d->binding.cluster = c.cluster = arena_new_struct(c.arena, struct cluster);
	c.cluster->name = arena_strdup(c.arena, stmt->name.text);
	for (size_t i = 0; i < stmt->n_fields; i++)
		read_field(&c, &stmt->fields[i], &seen);
	map_release(&seen);
	if (!stmt->n_fields && !strcmp(stmt->name.text, "auto"))
		check_later(check, stmt->name.span, "`cluster auto`, which finds clusters by itself");
	if (check->diags->n_errors == errors)
		check_place(check, stmt, c.cluster);
	check_stage(check, d);
}

/* A copy in the program's arena: the declaration may be replaced while the program is carried out. */
const struct cluster *
cluster_of(struct check *check, const struct ast_expr *ast)
{
	struct ast_name names[PATH_MAX_NAMES];
	size_t n = ast ? path_names(ast, names, PATH_MAX_NAMES) : 0;
	const struct decl *d;
	struct cluster *copy;
	const char *text;
	struct diag *diag;

	if (!n) {
		if (ast && ast->kind != AST_POISON)
			diags_add(check->diags, DIAG_L0216, ast->span, "behind `on` stands the name of a cluster");
		return NULL;
	}
	d = check_lookup_path(check, check->arena, names, n, &text);
	if (!d) {
		unknown_callee(check, ast->span, text, "cluster", 1U << BINDING_CLUSTER);
		return NULL;
	}
	if (d->binding.kind != BINDING_CLUSTER) {
		diag = diags_add(check->diags, DIAG_L0216, ast->span, "`%s` is no cluster", text);
		diag_label(check->diags, diag, d->binding.span, "declared here");
		return NULL;
	}
	copy = arena_copy(check->arena, d->binding.cluster, sizeof *copy);
	copy->name = arena_strdup(check->arena, copy->name);
	copy->context = copy->context ? arena_strdup(check->arena, copy->context) : NULL;
	copy->kubeconfig = copy->kubeconfig ? arena_strdup(check->arena, copy->kubeconfig) : NULL;
	copy->namespace_ = copy->namespace_ ? arena_strdup(check->arena, copy->namespace_) : NULL;
	return copy;
}
