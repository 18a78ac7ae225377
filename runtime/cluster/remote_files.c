/* Outputs by file of a run on a cluster, fetched when somebody asks for them. */
#include "config.h"

#include <string.h>
#include <sys/stat.h>

#include "runtime/cluster/remote_private.h"
#include "runtime/paths.h"

static const char *
path_of(struct remote *remote, size_t node, const char *name)
{
	const struct run_node *n = remote->run->nodes[node];

	return arena_printf(remote->arena, "%s/%s%s/outputs/%s", remote->run->folder,
		paths_safe(remote->arena, remote->plan->steps[n->step].name), n->key, paths_safe(remote->arena, name));
}

/* It was fetched before, and the step has not run since. */
static bool
is_there(const struct remote *remote, size_t node, const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && (int64_t)st.st_mtime * 1000 > remote->run->nodes[node]->ended_ms;
}

static int
write_file(const char *path, const struct buf *bytes, struct api_failure *ret_failure)
{
	CLEANUP(freep) char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	struct error err = { "" };

	if (paths_make(folder, &err) || paths_write(path, buf_text(bytes), bytes->len, 0666, &err))
		return api_refuse(ret_failure, API_TROUBLE, "%s", err.text);
	return 0;
}

int
remote_fetch(struct remote *remote, size_t node, size_t output, struct api_failure *ret_failure)
{
	const struct component *component = remote->plan->steps[remote->run->nodes[node]->step].component;
	const char *name = component->outputs[output].id;
	size_t place = project_place(remote->project, node, -1);
	struct buf bytes = { .max = REMOTE_FILE_MAX };
	const char *path = path_of(remote, node, name);
	int result = 0;

	if (place == SIZE_MAX || !project_artifact(remote->project, node, output))
		return api_refuse(ret_failure, API_NOT_FOUND, "the cluster has no file `%s` of the step `%s%s`", name,
			remote->plan->steps[remote->run->nodes[node]->step].name, remote->run->nodes[node]->key);
	if (!is_there(remote, node, path)) {
		result = remote->door->ops->artifact(remote->door, &remote->where, workflow_model_node(remote->model, place)->id,
			project_output_name(remote->project, remote->run->nodes[node]->step, output), REMOTE_FILE_MAX, &bytes, ret_failure);
		if (!result)
			result = write_file(path, &bytes, ret_failure);
	}
	if (!result)
		project_set_file(remote->project, node, output, path);
	buf_release(&bytes);
	return result;
}
