/* A component: what one step runs, and its inputs and outputs. From a Lateen declaration, a component.yaml, or the std
 * library; past this header nobody asks which. Immutable; lives in its unit's arena. */
#ifndef DSL_COMPONENT_H
#define DSL_COMPONENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/sha256.h"
#include "base/source.h"
#include "base/value.h"
#include "dsl/expr.h"
#include "dsl/settings.h"
#include "dsl/type.h"

enum passing { PASS_VALUE, PASS_FILE };

struct port {
	const char *name; /* as declared: "MLPipeline UI metadata" */
	const char *id; /* a Lateen identifier: "mlpipeline_ui_metadata"; unique among the component's inputs (or outputs) */
	const struct type *type;
	enum passing passing; /* by file: type is a file type, or the component.yaml asks for its path */
	const char *doc; /* or NULL */
	struct span span; /* of its declaration */
	/* of inputs */
	bool optional; /* need not be given */
	const struct value *fallback; /* taken when it is not given; NULL: none */
	const struct secret *secret_fallback; /* of a Secret input */
	/* of outputs */
	const char *path; /* fixed by the component (fileOutputs, `output NAME from`); NULL: ours to choose */
	bool produced; /* some placeholder or path names it */
};

enum part_kind {
	PART_TEXT, /* text */
	PART_INPUT, /* index: its value, or its path if passed by file */
	PART_INPUT_PATH, /* index: path of a file that holds it */
	PART_OUTPUT_PATH, /* index: path where the step writes it */
	PART_INPUT_URI, PART_OUTPUT_URI, /* index */
	PART_IS_PRESENT, /* index: a condition; as an argument "True" or "False", as the Kubeflow SDK writes it */
	PART_CONCAT, /* parts: one text */
	PART_IF, /* condition; then parts, else parts: none, one or several arguments */
	PART_FACT, /* fact: run.id … in a component of ours */
	PART_RAW_PLACEHOLDER, /* text: a placeholder that no v1 back end can resolve ({executorInput}); index: the input it is
			       * about, or SIZE_MAX. Compiling it is an error */
};

/* One element of command, args or an env value. */
struct part {
	enum part_kind kind;
	const char *text;
	size_t index;
	enum fact fact;
	struct span span;
	const struct part *parts; /* of CONCAT; the then parts of IF */
	size_t n_parts;
	const struct part *else_parts;
	size_t n_else_parts;
	const struct part *condition; /* of IF: IS_PRESENT, INPUT or TEXT ("true", "1", "yes" … hold, as Python's strtobool) */
};

struct component_env {
	const char *name;
	struct part value;
};

enum component_kind {
	COMPONENT_CONTAINER, /* image, command, args */
	COMPONENT_PROCESS, /* no image: command, args or script; default_image on a cluster */
	COMPONENT_MANIFEST, /* a Kubernetes resource; not carried out by this version */
	COMPONENT_GRAPH, /* component.yaml graph implementation; not carried out by this version */
};

struct component {
	const char *name; /* in the program */
	const char *display; /* a component.yaml's own name, or the display setting; NULL: none */
	const char *doc;
	struct span span; /* of its name where it was declared or loaded */
	enum component_kind kind;
	const char *image; /* or NULL */
	const struct part *command, *args;
	size_t n_command, n_args;
	bool has_command; /* a `command` was given, even an empty one */
	const char *script; /* text, or NULL */
	const char *script_language; /* "sh", "python" … */
	const struct component_env *env;
	size_t n_env;
	const struct port *inputs, *outputs;
	size_t n_inputs, n_outputs;
	const struct setting_pair *labels, *annotations; /* of component.yaml's metadata */
	size_t n_labels, n_annotations;
	const struct settings *settings; /* defaults of its steps; may be NULL */
	/* of a component.yaml; NULL otherwise */
	const struct value *spec; /* the document as it is */
	const struct source *file; /* its text; the unit that the component lies in holds it */
	const char *url; /* where it came from, when it was a URL */
};

/* The port with that name or id; SIZE_MAX if there is none. */
size_t component_input(const struct component *component, const char *name);
size_t component_output(const struct component *component, const char *name);
/* Kubeflow's digest of a component.yaml, the sha256 of its text; false of any other. Worked out when it is asked for. */
bool component_digest(const struct component *component, char ret[SHA256_HEX]);

#endif
