#include "config.h"

#include "dsl/svg_parts.h"

#include "base/macros.h"

/* Colours of one theme, by class. The phases are told apart by lightness too, and never by colour alone. */
struct rule {
	const char *selector, *light, *dark;
};

static const struct rule rules[] = {
	{ ".lt-page", "fill:#f8f9fb;stroke:#e3e7ee", "fill:#14181f;stroke:#262d38" },
	{ ".lt-box", "fill:#ffffff;stroke:#d3d9e4", "fill:#1d232d;stroke:#394352" },
	{ ".lt-shade", "fill:#1f2a44;fill-opacity:.05", "fill:#000000;fill-opacity:.28" },
	{ ".lt-group", "fill:#5b6b8c;fill-opacity:.045;stroke:#c3cbd9", "fill:#9fb0d0;fill-opacity:.05;stroke:#465266" },
	{ ".lt-name,.lt-label", "fill:#1b2433", "fill:#e8ecf3" },
	{ ".lt-sub,.lt-time", "fill:#5d6a7e", "fill:#a3aec0" },
	{ ".lt-title", "fill:#4d3fb3", "fill:#b5abff" },
	{ ".lt-loop", "fill:#0f6b66", "fill:#6fd3cb" },
	{ ".lt-mark", "fill:none;stroke:#4d3fb3", "fill:none;stroke:#b5abff" },
	{ ".lt-markloop", "fill:none;stroke:#0f6b66", "fill:none;stroke:#6fd3cb" },
	{ ".lt-badge", "fill:#eef1f6;stroke:#dde2eb", "fill:#29313d;stroke:#3a4454" },
	{ ".lt-badgetext", "fill:#48546a", "fill:#c3ccda" },
	{ ".lt-icon", "fill:none;stroke:#8a96a9", "fill:none;stroke:#7f8ba0" },
	{ ".lt-bar", "fill:#d3d9e4", "fill:#394352" },
	{ ".lt-line", "fill:none;stroke:#97a3b6", "fill:none;stroke:#66728a" },
	{ ".lt-head", "fill:#97a3b6", "fill:#66728a" },
	{ ".lt-cond", "fill:none;stroke:#8578dd", "fill:none;stroke:#8f83e6" },
	{ ".lt-condhead", "fill:#8578dd", "fill:#8f83e6" },
	{ ".lt-white", "fill:none;stroke:#ffffff", "fill:none;stroke:#14181f" },
	{ ".lt-hatch", "fill:#ffffff;stroke:#ffffff", "fill:#14181f;stroke:#14181f" },
	{ ".lt-Pending", "fill:#a9b3c3;stroke:#a9b3c3", "fill:#5d687b;stroke:#5d687b" },
	{ ".lt-Running", "fill:#2673dd;stroke:#2673dd", "fill:#5a9cff;stroke:#5a9cff" },
	{ ".lt-Succeeded", "fill:#1f8a4c;stroke:#1f8a4c", "fill:#4cc27c;stroke:#4cc27c" },
	{ ".lt-Failed", "fill:#c9252d;stroke:#c9252d", "fill:#ff7b7f;stroke:#ff7b7f" },
	{ ".lt-Error", "fill:#a8327f;stroke:#a8327f", "fill:#f08bcf;stroke:#f08bcf" },
	{ ".lt-Skipped", "fill:#8a96a9;stroke:#8a96a9", "fill:#7f8ba0;stroke:#7f8ba0" },
	{ ".lt-Omitted", "fill:#b3bccb;stroke:#b3bccb", "fill:#5d687b;stroke:#5d687b" },
};

/* What is the same in both. In a crowded picture, which is seen from afar, lines keep their strength. */
static const char shapes[] =
	".lt text{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,\"Noto Sans\",sans-serif}"
	".lt tspan{unicode-bidi:isolate}"
	".lt-name{font-size:16px;font-weight:600}.lt-label{font-size:13px;font-weight:600}.lt-sub{font-size:11px}"
	".lt-display{font-size:12px}.lt-time{font-size:11px;text-anchor:end}.lt-badgetext{font-size:10px}"
	".lt .lt-title,.lt .lt-loop{font-size:11px;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace}"
	".lt-page,.lt-box,.lt-group,.lt-badge{stroke-width:1}.lt-if{stroke-dasharray:6 4}"
	".lt-line,.lt-cond{stroke-width:1.5;stroke-linecap:round}.lt-after{stroke-dasharray:6 5}.lt-cond{stroke-dasharray:1.5 4.5}"
	".lt-icon,.lt-mark,.lt-markloop{stroke-width:1.3;stroke-linejoin:round;stroke-linecap:round}"
	".lt-white{stroke-width:2;stroke-linecap:round;stroke-linejoin:round}.lt-hatch{stroke-width:0}"
	".lt-open{fill:none;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}.lt-dash{stroke-dasharray:2.6 2.6}"
	".lt-far path{vector-effect:non-scaling-stroke;stroke-width:.8}"
	".lt-flat{stroke:none}.lt-frame{fill:none;stroke-width:1.5}.lt-faint{opacity:.62}";

static void
colours(struct buf *buf, bool dark)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		buf_printf(buf, "%s{%s}", rules[i].selector, dark ? rules[i].dark : rules[i].light);
	/* The shapes come again: what they set is stronger than the colours. */
	buf_puts(buf, ".lt-open,.lt-frame{fill:none}.lt-flat{stroke:none}");
}

void
svg_style(struct buf *buf, enum svg_theme theme)
{
	buf_puts(buf, "<style>");
	buf_puts(buf, shapes);
	colours(buf, theme == SVG_DARK);
	if (theme == SVG_AUTO) {
		buf_puts(buf, "@media (prefers-color-scheme:dark){");
		colours(buf, true);
		buf_puts(buf, "}");
	}
	buf_puts(buf, "</style>");
}

/* Glyphs, 16 pixels across, around 0,0. */
static const struct {
	const char *name, *shape;
} glyphs[] = {
	{ "Pending", "<circle r=\"7\" class=\"lt-Pending lt-open lt-dash\"/>" },
	{ "Running", "<circle r=\"7\" class=\"lt-Running lt-open\" opacity=\".28\"/>"
		     "<path d=\"M0-7A7 7 0 1 1-7 0\" class=\"lt-Running lt-open\"/>" },
	{ "Succeeded", "<circle r=\"8\" class=\"lt-Succeeded lt-flat\"/><path d=\"M-3.6.3L-1.1 2.8 3.8-2.6\" class=\"lt-white\"/>" },
	{ "Failed", "<circle r=\"8\" class=\"lt-Failed lt-flat\"/><path d=\"M-2.8-2.8L2.8 2.8M2.8-2.8L-2.8 2.8\" class=\"lt-white\"/>" },
	{ "Error", "<path d=\"M0-7.2L7.4 5.8H-7.4Z\" class=\"lt-Error\" stroke-width=\"2\" stroke-linejoin=\"round\"/>"
		   "<path d=\"M0-3V1.2M0 4.1V4.2\" class=\"lt-white\"/>" },
	{ "Skipped", "<circle r=\"7\" class=\"lt-Skipped lt-open\"/><path d=\"M-3.2-2.6L-.6 0-3.2 2.6M.8-2.6L3.4 0 .8 2.6\" "
		     "class=\"lt-Skipped lt-open\"/>" },
	{ "Omitted", "<circle r=\"7\" class=\"lt-Omitted lt-open\"/><path d=\"M-3.2 0H3.2\" class=\"lt-Omitted lt-open\"/>" },
	{ "container", "<path d=\"M0-7.4L6.6-3.7V3.7L0 7.4-6.6 3.7V-3.7ZM-6.6-3.7L0 0 6.6-3.7M0 0V7.4\" class=\"lt-icon\"/>" },
	{ "process", "<rect x=\"-7\" y=\"-6\" width=\"14\" height=\"12\" rx=\"2.5\" class=\"lt-icon\"/>"
		     "<path d=\"M-4-2.4L-1.6 0-4 2.4M.6 2.6H4\" class=\"lt-icon\"/>" },
	{ "folded", "<path d=\"M-7-1V-5.5A1.5 1.5 0 0 1-5.5-7H3.5M-2.5-2.5H5.5A1.5 1.5 0 0 1 7-1V5.5A1.5 1.5 0 0 1 5.5 7H-2.5A1.5 1.5 "
		    "0 0 1-4 5.5V-1A1.5 1.5 0 0 1-2.5-2.5Z\" class=\"lt-icon\"/>" },
	{ "if", "<path d=\"M0-5.2L5.2 0 0 5.2-5.2 0Z\" class=\"lt-mark\"/>" },
	{ "loop", "<path d=\"M4.6-1.6A4.8 4.8 0 1 0 4.8 1.2M4.9-5V-1.6H1.5\" class=\"lt-markloop\"/>" },
};

/* Patterns of a box's mark: stripes run, bars fail, dots err, lines are skipped. */
static const char patterns[] =
	"<pattern id=\"lt-pRunning\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
	"<rect width=\"2.6\" height=\"6\" class=\"lt-hatch\"/></pattern>"
	"<pattern id=\"lt-pFailed\" width=\"6\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
	"<rect width=\"6\" height=\"3\" class=\"lt-hatch\"/></pattern>"
	"<pattern id=\"lt-pError\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
	"<circle cx=\"3\" cy=\"3\" r=\"1.7\" class=\"lt-hatch\"/></pattern>"
	"<pattern id=\"lt-pSkipped\" width=\"6\" height=\"4\" patternUnits=\"userSpaceOnUse\">"
	"<rect width=\"6\" height=\"2\" class=\"lt-hatch\"/></pattern>"
	"<pattern id=\"lt-pOmitted\" width=\"6\" height=\"10\" patternUnits=\"userSpaceOnUse\">"
	"<rect width=\"6\" height=\"7\" class=\"lt-hatch\"/></pattern>";

void
svg_defs(struct buf *buf, const struct graph *graph)
{
	buf_puts(buf, "<defs>");
	for (size_t i = 0; i < ARRAY_LEN(glyphs); i++)
		buf_printf(buf, "<g id=\"lt-g%s\">%s</g>", glyphs[i].name, glyphs[i].shape);
	if (graph->has_run)
		buf_puts(buf, patterns);
	buf_puts(buf, "</defs>");
}
