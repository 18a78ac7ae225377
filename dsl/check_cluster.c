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

/* The word behind the setting, as its place in the list and one; 0 after a complaint. */
static size_t
one_word(struct cluster_check *c, const char *const *words, size_t n, const char *complaint)
{
	const struct ast_expr *arg = c->ast->n_args == 1 ? c->ast->args[0] : NULL;
	const char *word = arg && arg->kind == AST_NAME ? arg->name.text : NULL;
	struct diag *d;

	for (size_t i = 0; word && i < n; i++)
		if (!strcmp(word, words[i]))
			return i + 1;
	if (arg && arg->kind == AST_POISON)
		return 0;
	d = diags_add(c->check->diags, DIAG_L0406, arg ? arg->span : c->ast->span, "%s", complaint);
	if (word)
		diag_near(c->check->diags, d, "word", arg->span, word, words, n);
	diag_help(c->check->diags, d, "it is written `%s %s`", c->info->word, c->info->arguments);
	return 0;
}

static void
read_kind(struct cluster_check *c)
{
	static const char *const kinds[] = { "argo", "kfp", "auto" };

	c->cluster->kind = (enum cluster_kind)one_word(c, kinds, ARRAY_LEN(kinds), "what runs on the cluster is `argo` or `kfp`, or `auto` looks");
}

static void
read_auth(struct cluster_check *c)
{
	static const char *const ways[] = { "plain", "token", "audience", "dex", "iap", "gcp" };

	c->cluster->auth = (enum cluster_auth)one_word(c, ways, ARRAY_LEN(ways), "one signs in by `plain`, `token`, `audience`, `dex`, `iap` or `gcp`");
}

/* A reference; a secret's text in a cell would be in the notebook for all to read. */
static const struct secret *
one_secret(struct cluster_check *c)
{
	const struct ast_expr *arg = c->ast->n_args == 1 ? c->ast->args[0] : NULL;
	struct expr_check x;
	const struct expr *e;
	struct diag *d;

	if (arg && (arg->kind == AST_STRING || arg->kind == AST_RAW)) {
		d = diags_add(c->check->diags, DIAG_L0310, arg->span, "the text of `%s` must not stand in a program", c->info->word);
		diag_note(c->check->diags, d, "whoever can read the notebook could use it; if it is a real one, have it replaced");
		diag_help(c->check->diags, d, "name where it is: `%s env(\"VARIABLE\")`, or `%s secret(\"name\", \"key\")` for a file of yours "
			"or the variable NAME_KEY", c->info->word, c->info->word);
		return NULL;
	}
	if (!arg) {
		bad(c, c->ast->span, arena_printf(c->check->arena, "`%s` takes one secret", c->info->word));
		return NULL;
	}
	variable_context(&x, c->check);
	x.arena = c->arena;
	e = check_expr(&x, arg);
	if (!e)
		return NULL;
	if (e->kind != EXPR_SECRET) {
		bad(c, arg->span, arena_printf(c->check->arena, "`%s` wants a secret", c->info->word));
		return NULL;
	}
	return secret_clone(c->arena, e->secret);
}

/* Of http or https, with a host and without a password in it. */
static const char *
one_address(struct cluster_check *c)
{
	const char *text = one_text(c), *host = text ? strstr(text, "://") : NULL;
	size_t scheme = host ? (size_t)(host - text) : 0;
	struct diag *d;

	if (!text)
		return NULL;
	if (!((scheme == 5 && !strncmp(text, "https", 5)) || (scheme == 4 && !strncmp(text, "http", 4))) || !host[3] || host[3] == '/' ||
	    strpbrk(text, " \t\r\n\"<>")) {
		d = diags_add(c->check->diags, DIAG_L0406, c->ast->args[0]->span, "`%s` wants the address of a server", c->info->word);
		diag_help(c->check->diags, d, "it begins with `https://` and a host");
		return NULL;
	}
	host += 3;
	if (memchr(host, '@', strcspn(host, "/?#"))) {
		d = diags_add(c->check->diags, DIAG_L0310, c->ast->args[0]->span, "a name or password must not stand in an address");
		diag_help(c->check->diags, d, "write `user \"…\"`, and `password env(\"VARIABLE\")` or `password secret(\"name\", \"key\")`");
		return NULL;
	}
	return text;
}

static bool
is_alone(struct cluster_check *c)
{
	if (!c->ast->n_args)
		return true;
	bad(c, c->ast->span, arena_printf(c->check->arena, "`%s` stands alone", c->info->word));
	return false;
}

static const char **
text_member(struct cluster *cluster, const char *word)
{
	const struct {
		const char *word;
		const char **member;
	} texts[] = {
		{ "context", &cluster->context }, { "kubeconfig", &cluster->kubeconfig }, { "experiment", &cluster->experiment },
		{ "user", &cluster->user }, { "audience", &cluster->audience }, { "client_id", &cluster->client_id },
		{ "user_id", &cluster->user_id },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!strcmp(texts[i].word, word))
			return texts[i].member;
	return NULL;
}

static void
read_setting(struct cluster_check *c)
{
	const char *word = c->info->word;
	const char **text = text_member(c->cluster, word);

	if (text)
		*text = one_text(c);
	else if (!strcmp(word, "argo"))
		c->cluster->argo = one_address(c);
	else if (!strcmp(word, "kfp"))
		c->cluster->kfp = one_address(c);
	else if (!strcmp(word, "page"))
		c->cluster->page = one_address(c);
	else if (!strcmp(word, "namespace"))
		read_namespace(c);
	else if (!strcmp(word, "kind"))
		read_kind(c);
	else if (!strcmp(word, "auth"))
		read_auth(c);
	else if (!strcmp(word, "token"))
		c->cluster->token = one_secret(c);
	else if (!strcmp(word, "password"))
		c->cluster->password = one_secret(c);
	else if (!strcmp(word, "insecure"))
		c->cluster->insecure = is_alone(c);
	else
		c->cluster->in_cluster = is_alone(c);
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
	c.cluster->automatic = !strcmp(stmt->name.text, "auto") && !c.cluster->context && !c.cluster->kubeconfig && !c.cluster->in_cluster &&
			       !c.cluster->argo && !c.cluster->kfp;
	if (check->diags->n_errors == errors) {
		check_cluster_place(check, stmt, c.cluster);
		check_cluster_auth(check, stmt, c.cluster);
	}
	check_stage(check, d);
}

struct cluster *
cluster_copy(struct arena *arena, const struct cluster *cluster)
{
	struct cluster *copy = arena_copy(arena, cluster, sizeof *copy);
	const char **const texts[] = { &copy->name, &copy->context, &copy->kubeconfig, &copy->argo, &copy->kfp, &copy->namespace_,
				       &copy->experiment, &copy->page, &copy->user, &copy->audience, &copy->client_id, &copy->user_id };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (*texts[i])
			*texts[i] = arena_strdup(arena, *texts[i]);
	copy->token = secret_clone(arena, cluster->token);
	copy->password = secret_clone(arena, cluster->password);
	return copy;
}

/* A copy in the program's arena: the declaration may be replaced while the program is carried out. */
const struct cluster *
cluster_named(struct check *check, const char *name, struct span span)
{
	const struct decl *d = check_lookup(check, name);
	struct cluster *cluster;
	struct diag *diag;

	if (d && d->binding.kind == BINDING_CLUSTER)
		return cluster_copy(check->arena, d->binding.cluster);
	if (d) {
		diag = diags_add(check->diags, DIAG_L0216, span, "`%s` is no cluster", name);
		diag_label(check->diags, diag, d->binding.span, "declared here");
		return NULL;
	}
	if (strcmp(name, "auto") != 0) {
		unknown_callee(check, span, name, "cluster", 1U << BINDING_CLUSTER);
		return NULL;
	}
	cluster = arena_new_struct(check->arena, struct cluster);
	cluster->name = "auto";
	cluster->automatic = true;
	return cluster;
}

const struct cluster *
cluster_of(struct check *check, const struct ast_expr *ast)
{
	struct ast_name names[PATH_MAX_NAMES];
	size_t n = ast ? path_names(ast, names, PATH_MAX_NAMES) : 0;

	if (n == 1)
		return cluster_named(check, names[0].text, ast->span);
	if (ast && ast->kind != AST_POISON)
		diags_add(check->diags, DIAG_L0216, ast->span, "here stands the name of a cluster");
	return NULL;
}
