/* Would the cluster make the volumes that the run claims for itself? */
#include "config.h"

#include <string.h>

#include "runtime/cluster/edit.h"
#include "runtime/cluster/preflight_private.h"

static struct api_request
classes_request(void)
{
	return (struct api_request){ .method = "GET", .path = "/apis/storage.k8s.io/v1/storageclasses", .repeatable = true,
		.right = { "list", "storage.k8s.io", "storageclasses", NULL } };
}

void
flight_foresee_volumes(struct flight *flight)
{
	const struct api_request request = classes_request();

	flight_foresee(flight, &request);
}

static bool
is_default(const struct value *class)
{
	const struct value *annotations = value_get(value_get(class, "metadata"), "annotations");
	const char *text = value_text(value_get(annotations, "storageclass.kubernetes.io/is-default-class"));

	return text && !strcmp(text, "true");
}

static bool
has_class(const struct value *classes, const char *wanted)
{
	for (size_t i = 0; i < value_count(classes); i++) {
		const char *name = edit_text_in(value_item(classes, i), "metadata", "name");

		if (wanted ? name && !strcmp(name, wanted) : is_default(value_item(classes, i)))
			return true;
	}
	return false;
}

void
flight_check_volumes(struct flight *flight, const struct needs *needs)
{
	const struct api_request request = classes_request();
	struct api_failure failure;
	const struct value *answer = flight_call(flight, &request, flight->arena, &failure), *classes = value_get(answer, "items");

	if (!answer) {
		flight_add_failure(flight, &failure, "whether the cluster can make the run's volumes is not known");
		return;
	}
	flight->ret->n_checked++;
	for (size_t i = 0; i < needs->volumes.n; i++) {
		const struct need_volume *v = &needs->volumes.items[i];

		if (has_class(classes, v->class))
			continue;
		flight_add(flight, PREFLIGHT_MISSING, v->class ?
			flight_print(flight, "the cluster has no storage class `%s`, of which the run's volume `%s` would be", v->class, v->name) :
			flight_print(flight, "the cluster has no storage class by default, of which the run's volume `%s` would be", v->name),
			"name one that is there: `kubectl get storageclass`")->why = "the steps that mount it would wait for ever (Unschedulable)";
	}
}
