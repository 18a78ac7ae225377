/* The forms of a web page, as far as a sign-in page needs them. Any text is taken; what is no form is passed over. */
#ifndef RUNTIME_CLUSTER_HTML_FORM_H
#define RUNTIME_CLUSTER_HTML_FORM_H

#include <stddef.h>

#include "base/arena.h"

enum {
	HTML_FORMS_MAX = 16, /* further ones are passed over */
	HTML_FIELDS_MAX = 64,
};

struct html_field {
	const char *type, *name, *value; /* type in lower case, "text" where the page has none; "" where there is no value */
};

struct html_form {
	const char *action; /* "" is the page itself */
	const char *method; /* "get" or "post" */
	struct html_field fields[HTML_FIELDS_MAX];
	size_t n_fields;
};

/* Returns how many; *ret is in the arena. */
size_t html_read_forms(struct arena *arena, const char *text, size_t len, struct html_form **ret);
/* The first link (`href`) that holds `part`; NULL if there is none. */
const char *html_find_link(struct arena *arena, const char *text, size_t len, const char *part);

#endif
