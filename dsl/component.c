#include "config.h"

#include "dsl/component.h"

#include <stdint.h>
#include <string.h>

static size_t
find_port(const struct port *ports, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(ports[i].name, name))
			return i;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(ports[i].id, name))
			return i;
	return SIZE_MAX;
}

size_t
component_input(const struct component *component, const char *name)
{
	return find_port(component->inputs, component->n_inputs, name);
}

size_t
component_output(const struct component *component, const char *name)
{
	return find_port(component->outputs, component->n_outputs, name);
}

bool
component_digest(const struct component *component, char ret[SHA256_HEX])
{
	if (component->file)
		sha256_hex_of_text(component->file->text, component->file->len, ret);
	return component->file != NULL;
}
