#include "config.h"

#include "kernel/bundle_file.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/rfc3339.h"
#include "kernel/doctor.h"
#include "kernel/redact.h"
#include "kernel/target.h"
#include "runtime/secrets.h"
#include "runtime/store.h"

struct bundling {
	const struct bundle_request *request;
	struct arena *arena;
	struct buf text; /* as it is; what goes out is redacted */
	struct map asked; /* of clusters, by where they are */
	size_t n_asked;
};

/* ---- the machine ---- */

static void
write_machine(struct bundling *b)
{
	struct utsname name;

	buf_puts(&b->text, "Lateen " PACKAGE_VERSION ", ");
	rfc3339_write(&b->text, (int64_t)time(NULL) * 1000);
	buf_putc(&b->text, '\n');
	if (uname(&name) == 0)
		buf_printf(&b->text, "%s %s %s\n", name.sysname, name.release, name.machine);
	buf_putc(&b->text, '\n');
	doctor_report(&b->text);
}

/* ---- clusters ---- */

static void
write_diags(struct bundling *b, const struct diags *diags)
{
	for (size_t i = 0; i < diags->n; i++) {
		const struct diag *d = diags->items[i];

		buf_printf(&b->text, "    %s: %s\n", diag_info(d->code)->code, d->message);
		for (size_t k = 0; k < d->n_notes; k++)
			buf_printf(&b->text, "      %s\n", d->notes[k]);
	}
}

/* Is it there, and what is it? */
static void
ask_cluster(struct bundling *b, const struct cluster *cluster)
{
	const struct target_request where = { .cluster = cluster, .stop = b->request->stop, .context = b->request->context };
	const char *key = target_where(cluster, b->arena), *version = NULL;
	struct target_door target;
	struct api_failure failure;
	struct diags diags;

	if (map_has(&b->asked, key) || b->n_asked >= BUNDLE_CLUSTERS)
		return;
	map_set(&b->asked, key, NULL);
	b->n_asked++;
	buf_printf(&b->text, "  %s\n", cluster->name);
	diags_init(&diags);
	if (target_open(&target, &where, &diags) == 0) {
		if (target.chosen)
			buf_printf(&b->text, "    found: %s\n", target.chosen);
		if (target.door->ops->probe(target.door, target.arena, &version, &failure) == 0)
			buf_printf(&b->text, "    answers: %s\n", version && *version ? version : "it does not say which version it is");
		else
			target_explain(&diags, (struct span){ 0 }, NULL, &failure);
	}
	write_diags(b, &diags);
	target_close(&target);
	diags_release(&diags);
}

static void
ask_clusters(struct bundling *b, const struct store_run *runs, size_t n)
{
	struct cluster current = { .name = "auto", .automatic = true };
	const struct binding *binding;

	buf_puts(&b->text, "\nreached\n");
	ask_cluster(b, &current);
	for (size_t at = 0; b->request->scope && (binding = scope_next(b->request->scope, &at));)
		if (binding->kind == BINDING_CLUSTER)
			ask_cluster(b, binding->cluster);
	for (size_t i = 0; i < n; i++) {
		const struct cluster *cluster = runs[i].place.target ? target_read_where(b->arena, runs[i].place.where) : NULL;

		if (cluster)
			ask_cluster(b, cluster);
	}
}

/* ---- runs ---- */

static void
write_steps(struct bundling *b, struct store *store, const struct store_run *run)
{
	struct store_step *steps;
	struct error err;
	size_t n = 0;

	steps = store_steps(store, b->arena, run->id, &n, &err);
	for (size_t i = 0; steps && i < n; i++)
		if (phase_bad(steps[i].phase))
			buf_printf(&b->text, "      %s%s: %s, exit code %d, %d attempts%s%s\n", steps[i].name, steps[i].key, phase_name(steps[i].phase),
				steps[i].exit_code, steps[i].attempts, steps[i].message ? ": " : "", steps[i].message ? steps[i].message : "");
}

static void
write_runs(struct bundling *b, struct store *store, const struct store_run *runs, size_t n)
{
	size_t counts[PHASE_COUNT] = { 0 }, failed = 0;

	for (size_t i = 0; i < n; i++)
		counts[runs[i].phase]++;
	buf_printf(&b->text, "\nruns (the last %zu of this folder)\n ", n);
	for (size_t i = 0; i < PHASE_COUNT; i++)
		if (counts[i])
			buf_printf(&b->text, " %s %zu", phase_name((enum phase)i), counts[i]);
	buf_puts(&b->text, "\n\nrecent errors\n");
	for (size_t i = 0; i < n && failed < BUNDLE_FAILED; i++) {
		if (!phase_bad(runs[i].phase))
			continue;
		failed++;
		buf_printf(&b->text, "  %s %s%s%s%s%s\n", runs[i].name, phase_name(runs[i].phase), runs[i].place.target ? " on " : "",
			runs[i].place.target ? runs[i].place.target : "", runs[i].message ? ": " : "", runs[i].message ? runs[i].message : "");
		write_steps(b, store, &runs[i]);
	}
	if (!failed)
		buf_puts(&b->text, "  none\n");
}

static void
write_store(struct bundling *b)
{
	CLEANUP(freep) char *folder = store_folder_of(".");
	const char *file = arena_printf(b->arena, "%s/store.db", folder);
	struct error err = { "" };
	struct store *store = access(folder, F_OK) == 0 ? store_open(folder, true, &err) : NULL;
	struct store_run *runs = NULL;
	struct stat st;
	size_t n = 0;

	buf_puts(&b->text, "\nstore\n");
	if (!store) {
		buf_printf(&b->text, "  %s\n", *err.text ? err.text : "nothing has run in this folder yet");
		ask_clusters(b, NULL, 0);
		return;
	}
	buf_printf(&b->text, "  version %d%s, %lld bytes\n", STORE_VERSION, store_read_only(store) ? ", to be read only" : "",
		stat(file, &st) == 0 ? (long long)st.st_size : 0LL);
	runs = store_runs(store, b->arena, BUNDLE_RUNS, &n, &err);
	if (!runs)
		n = 0;
	ask_clusters(b, runs, n);
	write_runs(b, store, runs, n);
	store_close(store);
}

/* Secrets that clusters are signed in with are references: what they lead to is taken out, too. */
static void
add_secret(struct redaction *redaction, const struct secret *secret)
{
	struct buf text = { 0 };

	if (secret && secret_read(secret, &text, NULL) == 0)
		redaction_add(redaction, buf_text(&text));
	if (text.len)
		explicit_bzero(text.data, text.len);
	buf_release(&text);
}

static void
add_secrets_of(struct redaction *redaction, const struct scope *scope)
{
	const struct binding *b;

	for (size_t at = 0; scope && (b = scope_next(scope, &at));) {
		if (b->kind != BINDING_CLUSTER)
			continue;
		add_secret(redaction, b->cluster->token);
		add_secret(redaction, b->cluster->password);
	}
}

void
bundle_file_write(struct buf *ret, const struct bundle_request *request)
{
	struct bundling b = { .request = request, .arena = arena_new() };
	struct redaction *redaction = redaction_new();

	add_secrets_of(redaction, request->scope);
	write_machine(&b);
	write_store(&b);
	redact(redaction, buf_text(&b.text), b.text.len, ret);
	redaction_free(redaction);
	explicit_bzero(b.text.data, b.text.len);
	buf_release(&b.text);
	map_release(&b.asked);
	arena_free(b.arena);
}
