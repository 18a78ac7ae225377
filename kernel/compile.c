#include "config.h"

#include "kernel/compile.h"

#include <string.h>

static int
choose_target(const struct compile_request *request, enum package package, enum target *ret, struct error *err)
{
	bool archive = package == PACKAGE_TAR_GZ || package == PACKAGE_ZIP;

	if (!request->target)
		*ret = archive ? TARGET_KFP : TARGET_ARGO;
	else if (!strcmp(request->target, "argo"))
		*ret = TARGET_ARGO;
	else if (!strcmp(request->target, "kfp"))
		*ret = TARGET_KFP;
	else
		return error_set(err, "no target `%s`: there are `argo` and `kfp`", request->target);
	return 0;
}

static int
choose_package(const struct compile_request *request, enum package *ret, struct error *err)
{
	*ret = PACKAGE_YAML;
	if (!request->path || !strcmp(request->path, "-"))
		return 0;
	if (package_from_name(request->path, ret) < 0)
		return error_set(err, "cannot tell what `%s` is to be: it should end in .yaml, .json, .tar.gz or .zip", request->path);
	return 0;
}

int
compile(const struct compile_request *request, struct compiled *ret, struct diags *diags, struct error *err)
{
	struct arena *arena;
	enum package package;
	const struct value *object;
	int rc = -1;

	*ret = (struct compiled){ 0 };
	if (choose_package(request, &package, err) < 0 || choose_target(request, package, &ret->target, err) < 0)
		return -1;
	arena = arena_new();
	object = target_compile(arena, request->plan, ret->target, diags, &ret->report);
	if (object)
		rc = package_write(&ret->bytes, object, package, err);
	arena_free(arena);
	return rc;
}

void
compiled_release(struct compiled *compiled)
{
	buf_release(&compiled->bytes);
}

void
compiled_describe(struct buf *buf, const struct compiled *compiled)
{
	double size = (double)compiled->report.json_bytes;

	buf_printf(buf, "%s, %zu template%s, %.1f KiB as JSON (%.1f %% of the 1 MiB that a cluster takes)",
		   compiled->target == TARGET_KFP ? "Workflow for Kubeflow Pipelines" : "Argo Workflow", compiled->report.templates,
		   compiled->report.templates == 1 ? "" : "s", size / 1024, 100 * size / TARGET_OBJECT_MAX);
}
