#include "config.h"

#include "kernel/progress.h"

#include <fcntl.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/json_text.h"

enum { READ_AT_ONCE = 1 << 20, READ_MAX = 64 << 20 /* of one file, in all */ };

static const double LARGEST = 1e15; /* of what a step may say */

void
progress_init(struct progress *p, const char *path)
{
	*p = (struct progress){ .path = xstrdup(path), .rest.max = PROGRESS_LINE_MAX };
}

void
progress_release(struct progress *p)
{
	for (size_t i = 0; i < p->n_curves; i++)
		vec_release(&p->curves[i].points);
	buf_release(&p->rest);
	free(p->path);
	*p = (struct progress){ 0 };
}

/* ---- points ---- */

/* Two by two, so that a long training has a curve like a short one. */
static void
halve(struct progress_curve *c)
{
	for (size_t i = 0; i < c->points.n / 2; i++) {
		struct progress_point a = c->points.items[2 * i], b = c->points.items[2 * i + 1];

		c->points.items[i] = (struct progress_point){ (a.x + b.x) / 2, (a.y + b.y) / 2 };
	}
	c->points.n /= 2;
	c->stride *= 2;
}

static void
add_point(struct progress_curve *c, double x, double y)
{
	struct progress_point mean;

	c->last = (struct progress_point){ x, y };
	c->sum.x += x;
	c->sum.y += y;
	if (++c->pending < c->stride)
		return;
	mean = (struct progress_point){ c->sum.x / (double)c->pending, c->sum.y / (double)c->pending };
	c->pending = 0;
	c->sum = (struct progress_point){ 0, 0 };
	vec_push(&c->points, mean);
	if (c->points.n == PROGRESS_POINTS_MAX)
		halve(c);
}

/* NULL: there are enough of them. */
static struct progress_curve *
curve_named(struct progress *p, const char *name)
{
	struct progress_curve *c;

	for (size_t i = 0; i < p->n_curves; i++)
		if (!strncmp(p->curves[i].name, name, sizeof(p->curves[i].name) - 1))
			return &p->curves[i];
	if (p->n_curves == PROGRESS_CURVES_MAX || !*name)
		return NULL;
	c = &p->curves[p->n_curves++];
	*c = (struct progress_curve){ .stride = 1 };
	snprintf(c->name, sizeof(c->name), "%s", name);
	return c;
}

static bool
is_good(double number)
{
	return isfinite(number) && fabs(number) <= LARGEST;
}

static void
take_object(struct progress *p, json_t *object)
{
	double step = json_number_value(json_object_get(object, "step"));
	const char *key, *text = json_string_value(json_object_get(object, "text"));
	json_t *value;

	if (!json_is_number(json_object_get(object, "step")) || !is_good(step) || step < 0)
		return;
	p->step = step;
	if (text)
		snprintf(p->text, sizeof(p->text), "%s", text);
	json_object_foreach(object, key, value) {
		double number = json_number_value(value);
		struct progress_curve *c;

		if (!json_is_number(value) || !is_good(number) || !strcmp(key, "step"))
			continue;
		if (!strcmp(key, "of"))
			p->of = number > 0 ? number : 0;
		else if ((c = curve_named(p, key)))
			add_point(c, step, number);
	}
}

/* ---- the file ---- */

static void
take_line(struct progress *p, const char *line, size_t len)
{
	json_error_t problem;
	json_t *object = len < PROGRESS_LINE_MAX ? json_loadb(line, len, JSON_REJECT_DUPLICATES, &problem) : NULL;

	if (json_is_object(object))
		take_object(p, object);
	json_decref(object);
}

static void
take_bytes(struct progress *p, const char *bytes, size_t len)
{
	while (len) {
		const char *end = memchr(bytes, '\n', len);
		size_t n = end ? (size_t)(end - bytes) : len;

		buf_add(&p->rest, bytes, n);
		if (!end)
			return;
		if (!p->rest.overflow)
			take_line(p, buf_text(&p->rest), p->rest.len);
		buf_release(&p->rest);
		p->rest.max = PROGRESS_LINE_MAX;
		bytes += n + 1;
		len -= n + 1;
	}
}

/* A step may put anything there: what is no plain file is not opened to wait for. */
bool
progress_read(struct progress *p)
{
	int fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	CLEANUP(freep) char *bytes = NULL;
	struct stat st;
	ssize_t n = 0;

	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > p->at && p->at < READ_MAX) {
		bytes = xmalloc(READ_AT_ONCE);
		n = pread(fd, bytes, READ_AT_ONCE, p->at);
	}
	close(fd);
	if (n <= 0)
		return false;
	p->at += n;
	take_bytes(p, bytes, (size_t)n);
	return true;
}

/* ---- a run ---- */

void
run_progress_release(struct run_progress *all)
{
	for (size_t i = 0; i < all->steps.n; i++)
		progress_release(&all->steps.items[i].progress);
	vec_release(&all->steps);
}

static struct run_progress_step *
find_step(struct run_progress *all, size_t node)
{
	for (size_t i = 0; i < all->steps.n; i++)
		if (all->steps.items[i].node == node)
			return &all->steps.items[i];
	return NULL;
}

static bool
is_over(const struct run_node *node)
{
	return node->phase != PHASE_PENDING && node->phase != PHASE_RUNNING;
}

/* A new attempt has another folder, and begins anew. */
static bool
look_at_node(struct run_progress *all, const struct run *run, size_t i)
{
	const struct run_node *node = run->nodes[i];
	struct run_progress_step *known = find_step(all, i), made = { .node = i, .name = run->plan->steps[node->step].name };
	CLEANUP(buf_release) struct buf path = { 0 };
	bool news = false;

	if (!node->folder || (known && known->ended) || (!known && all->steps.n == PROGRESS_STEPS_MAX))
		return false;
	buf_printf(&path, "%s/progress", node->folder);
	if (known && strcmp(known->progress.path, buf_text(&path)) != 0) {
		progress_release(&known->progress);
		progress_init(&known->progress, buf_text(&path));
	}
	if (!known) {
		if (access(buf_text(&path), R_OK))
			return false;
		progress_init(&made.progress, buf_text(&path));
		vec_push(&all->steps, made);
		known = &all->steps.items[all->steps.n - 1];
	}
	known->ended = is_over(node);
	while (progress_read(&known->progress))
		news = true;
	return news;
}

bool
run_progress_look(struct run_progress *all, const struct run *run)
{
	bool news = false;

	for (size_t i = 0; i < run->n_nodes; i++)
		news |= look_at_node(all, run, i);
	return news;
}

/* ---- bundles ---- */

static void
add_text(json_t *bundle, const char *mime, const struct buf *more)
{
	const char *now = json_string_value(json_object_get(bundle, mime));
	CLEANUP(buf_release) struct buf text = { 0 };

	buf_puts(&text, now ? now : "");
	if (text.len && text.data[text.len - 1] != '\n')
		buf_putc(&text, '\n');
	buf_add(&text, buf_text(more), more->len);
	json_object_set_new(bundle, mime, json_text_new(buf_text(&text)));
}

static void
add_base64(struct buf *html, const struct buf *bytes)
{
	CLEANUP(freep) char *code = xmalloc((bytes->len + 2) / 3 * 4 + 1);

	EVP_EncodeBlock((unsigned char *)code, (const unsigned char *)buf_text(bytes), (int)bytes->len);
	buf_puts(html, code);
}

void
progress_chart_html(struct buf *buf, const struct progress_line *lines, size_t n, const char *title)
{
	CLEANUP(buf_release) struct buf svg = { 0 };

	if (!progress_chart(&svg, lines, n, title))
		return;
	buf_puts(buf, "<div style=\"overflow-x:auto\"><img alt=\"a chart over steps\" src=\"data:image/svg+xml;base64,");
	add_base64(buf, &svg);
	buf_puts(buf, "\"></div>");
}

void
run_progress_add_to_bundle(json_t *bundle, const struct run_progress *all)
{
	CLEANUP(buf_release) struct buf text = { 0 }, html = { 0 };
	struct progress_line lines[PROGRESS_STEPS_MAX] = { 0 };
	size_t n = all->steps.n;

	for (size_t i = 0; i < n; i++)
		lines[i] = (struct progress_line){ all->steps.items[i].name, &all->steps.items[i].progress };
	progress_text(&text, lines, n);
	progress_chart_html(&html, lines, n, n == 1 ? lines[0].label : "");
	if (text.len)
		add_text(bundle, "text/plain", &text);
	if (html.len)
		add_text(bundle, "text/html", &html);
}
