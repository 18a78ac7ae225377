#include "config.h"

#include "kernel/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>
#include <yaml.h>
#include <zlib.h>
#include <zmq.h>

#include "base/macros.h"
#include "kernel/kernelspecs.h"
#include "kernel/zmq_library.h"
#include "runtime/cluster/kubeconfig.h"

enum { LINE_BYTES_MAX = 512 }; /* of a driver's file; longer lines are cut */

/* What is wrong is gathered while the report grows, and ends it. */
struct doctor {
	struct buf *report;
	struct buf problems;
	int n_problems;
	char program[PATH_MAX]; /* "" when it cannot be found */
};

static void
line(struct doctor *doctor, const char *name, const char *value)
{
	buf_printf(doctor->report, "  %-12s %s\n", name, value);
}

static void problem(struct doctor *doctor, const char *format, ...) PRINTF_LIKE(2, 3);

static void
problem(struct doctor *doctor, const char *format, ...)
{
	va_list args;

	doctor->n_problems++;
	buf_puts(&doctor->problems, "  ");
	va_start(args, format);
	buf_vprintf(&doctor->problems, format, args);
	va_end(args);
	buf_putc(&doctor->problems, '\n');
}

/* The first executable of that name on PATH, in ret; false when there is none. */
static bool
find_program(const char *name, char *ret, size_t size)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t len = strcspn(path, ":");

		if (len && snprintf(ret, size, "%.*s/%s", (int)len, path, name) < (int)size && !access(ret, X_OK))
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

static void
report_program(struct doctor *doctor)
{
	ssize_t len = readlink("/proc/self/exe", doctor->program, sizeof(doctor->program) - 1);
	char step[PATH_MAX];
	char *slash;

	doctor->program[len > 0 ? len : 0] = '\0';
	buf_puts(doctor->report, "lateen " PACKAGE_VERSION "\n");
	line(doctor, "program", len > 0 ? doctor->program : "its path cannot be found");
	line(doctor, "compiler", __VERSION__);
	slash = strrchr(doctor->program, '/');
	if (!slash)
		return;
	if (snprintf(step, sizeof(step), "%.*s/lateen-step", (int)(slash - doctor->program), doctor->program) < (int)sizeof(step) &&
	    !access(step, X_OK)) {
		line(doctor, "std steps", step);
		return;
	}
	line(doctor, "std steps", "not found");
	problem(doctor, "there is no lateen-step beside this program, so std.* steps cannot run here: install both together");
}

static void
report_libzmq(struct doctor *doctor)
{
	struct error err;
	char text[64];
	int major, minor, patch;

	if (zmq_library_open(&err)) {
		line(doctor, "libzmq", "cannot be opened");
		problem(doctor, "kernels cannot start: %s; install libzmq5", err.text);
		return;
	}
	zmq_version(&major, &minor, &patch);
	snprintf(text, sizeof(text), "%d.%d.%d%s", major, minor, patch, zmq_has("curve") ? " with curve" : "");
	line(doctor, "libzmq", text);
	if (!zmq_has("curve"))
		problem(doctor, "libzmq was built without curve: kernels that ask for encryption cannot start");
}

static void
report_libraries(struct doctor *doctor)
{
	buf_puts(doctor->report, "\nlibraries\n");
	report_libzmq(doctor);
	line(doctor, "jansson", jansson_version_str());
	line(doctor, "OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING));
	line(doctor, "SQLite", sqlite3_libversion());
	line(doctor, "libyaml", yaml_get_version_string());
	line(doctor, "zlib", zlibVersion());
	line(doctor, "utf8proc", utf8proc_version());
}

static void
report_libcurl(struct doctor *doctor)
{
	static const char *const folders[] = { "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib",
		"/usr/local/lib" };
	char path[PATH_MAX];

	/* Looked for, not opened: it would draw in two dozen libraries. */
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof(path), "%s/libcurl.so.4", folders[i]);
		if (!access(path, R_OK)) {
			line(doctor, "libcurl", path);
			return;
		}
	}
	line(doctor, "libcurl", "not found in the usual folders");
	problem(doctor, "libcurl.so.4 was not found: `use … from \"https://…\"` may not work; install libcurl4");
}

static bool
first_line(const char *path, char *ret, size_t size)
{
	FILE *file = fopen(path, "re");
	bool read = file && fgets(ret, (int)size, file);

	if (file)
		fclose(file);
	if (read)
		ret[strcspn(ret, "\n")] = '\0';
	return read;
}

/* The driver says of each GPU `Model: \t\t NAME` in /proc/driver/nvidia/gpus/ADDRESS/information. */
static int
report_gpus_of_driver(struct doctor *doctor)
{
	static const char folder[] = "/proc/driver/nvidia/gpus";
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	int n = 0;

	while (dir && (entry = readdir(dir))) {
		char path[PATH_MAX], text[LINE_BYTES_MAX];
		const char *model = text;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/information", folder, entry->d_name);
		if (!first_line(path, text, sizeof(text)))
			continue;
		if (!strncmp(text, "Model:", 6))
			model = text + 6 + strspn(text + 6, " \t");
		line(doctor, entry->d_name, model);
		n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

static void
report_gpu(struct doctor *doctor)
{
	char text[LINE_BYTES_MAX], path[PATH_MAX];
	bool device = !access("/dev/nvidiactl", F_OK);
	bool driver = first_line("/proc/driver/nvidia/version", text, sizeof(text));
	int n;

	buf_puts(doctor->report, "\nGPU\n");
	if (driver)
		line(doctor, "driver", text);
	n = report_gpus_of_driver(doctor);
	if (find_program("nvidia-smi", path, sizeof(path)))
		line(doctor, "nvidia-smi", path);
	if (!driver && !device)
		line(doctor, "none", "no NVIDIA driver is loaded; steps run on the CPU");
	else if (driver && !device)
		problem(doctor, "the NVIDIA driver is loaded, but /dev/nvidiactl is not there: give this container its GPU devices");
	else if (access("/dev/nvidiactl", R_OK | W_OK))
		problem(doctor, "/dev/nvidiactl cannot be opened by this user: %s", strerror(errno));
	else if (!n && !driver)
		line(doctor, "device", "/dev/nvidiactl");
}

static void
report_containers(struct doctor *doctor)
{
	static const char *const engines[] = { "podman", "docker" };
	char path[PATH_MAX];
	int n = 0;

	buf_puts(doctor->report, "\ncontainers\n");
	for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
		if (!find_program(engines[i], path, sizeof(path)))
			continue;
		line(doctor, engines[i], path);
		n++;
	}
	if (!n)
		line(doctor, "none", "components with an image cannot run here; install podman, or give another with `using`");
}

static void
report_kernelspec(struct doctor *doctor, const struct kernelspec *spec)
{
	line(doctor, spec->name, spec->folder);
	if (spec->broken) {
		problem(doctor, "%s/kernel.json: %s", spec->folder, spec->broken);
		return;
	}
	buf_printf(doctor->report, "  %-12s starts %s\n", "", spec->program);
	if (access(spec->program, X_OK))
		problem(doctor, "%s/kernel.json starts `%s`, which cannot be run: run `lateen kernel install` again", spec->folder,
			spec->program);
}

static void
report_kernelspecs(struct doctor *doctor)
{
	struct kernelspecs specs;
	char path[PATH_MAX];

	buf_puts(doctor->report, "\nJupyter\n");
	line(doctor, "jupyter", find_program("jupyter", path, sizeof(path)) ? path : "not on PATH");
	kernelspecs_find(&specs);
	for (size_t i = 0; i < specs.n; i++)
		report_kernelspec(doctor, &specs.items[i]);
	if (!specs.n)
		problem(doctor, "no kernelspec of Lateen was found on Jupyter's path: run `lateen kernel install`");
	kernelspecs_release(&specs);
}

/* What the kubeconfig says, not whether the cluster answers: that may take long, and may start a program that signs in. */
static void
report_cluster(struct doctor *doctor)
{
	const struct kubeconfig_request request = { 0 };
	struct kubeconfig config;
	struct error err = { "" };
	char path[PATH_MAX];

	buf_puts(doctor->report, "\nclusters\n");
	if (kubeconfig_load(&config, &request, &err)) {
		line(doctor, "none", err.text);
	} else {
		line(doctor, "context", config.context);
		line(doctor, "from", config.from);
		line(doctor, "server", config.server);
		line(doctor, "namespace", config.namespace_);
		if (config.insecure)
			problem(doctor, "the context `%s` does not ask for the server's certificate (insecure-skip-tls-verify): anyone on the way can "
				"read its credentials", config.context);
		if (config.exec.command && !strchr(config.exec.command, '/') && !find_program(config.exec.command, path, sizeof(path)))
			problem(doctor, "the context `%s` signs in with `%s`, which is not on PATH", config.context, config.exec.command);
	}
	kubeconfig_release(&config);
}

int
doctor_report(struct buf *ret_report)
{
	struct doctor doctor = { .report = ret_report };

	report_program(&doctor);
	report_libraries(&doctor);
	report_libcurl(&doctor);
	report_gpu(&doctor);
	report_containers(&doctor);
	report_cluster(&doctor);
	report_kernelspecs(&doctor);
	buf_printf(ret_report, "\n%s\n%s", doctor.n_problems ? "what is wrong" : "nothing is wrong", buf_text(&doctor.problems));
	buf_release(&doctor.problems);
	return doctor.n_problems;
}
