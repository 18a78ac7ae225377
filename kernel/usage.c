#include "config.h"

#include "kernel/usage.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* The number behind "NAME:" in a file of lines "NAME:  123 kB", in bytes; -1 if it is not there. */
static json_int_t
kib_field(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	json_int_t found = -1;
	char line[256];
	long long kib;

	if (!file)
		return -1;
	while (found < 0 && fgets(line, sizeof line, file))
		if (!strncmp(line, name, strlen(name)) && sscanf(line + strlen(name), ": %lld", &kib) == 1)
			found = (json_int_t)kib * 1024;
	fclose(file);
	return found;
}

static double
seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static bool
read_uptime(double *ret_uptime, double *ret_idle)
{
	FILE *file = fopen("/proc/uptime", "re");
	bool good = file && fscanf(file, "%lf %lf", ret_uptime, ret_idle) == 2;

	if (file)
		fclose(file);
	return good;
}

/* Field 22 of /proc/self/stat: ticks after boot. The second field, the name, ends at the last bracket. */
static bool
read_start(double *ret_ticks)
{
	FILE *file = fopen("/proc/self/stat", "re");
	char line[1024] = "";
	const char *at;

	if (!file)
		return false;
	if (!fgets(line, sizeof line, file))
		line[0] = '\0';
	fclose(file);
	at = strrchr(line, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at)
		*ret_ticks = strtod(at, NULL);
	return at != NULL;
}

/* Seconds since this process began; -1 if unknown. */
static double
process_age(void)
{
	double ticks, uptime, idle;

	if (!read_start(&ticks) || !read_uptime(&uptime, &idle))
		return -1;
	return uptime - ticks / (double)sysconf(_SC_CLK_TCK);
}

static void
add_cpu(json_t *report)
{
	double age = process_age(), uptime, idle;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct rusage usage;

	json_object_set_new(report, "cpu_count", json_integer(cpus));
	if (age > 0 && getrusage(RUSAGE_SELF, &usage) == 0)
		json_object_set_new(report, "kernel_cpu",
			json_real(100 * (seconds(usage.ru_utime) + seconds(usage.ru_stime)) / age));
	if (read_uptime(&uptime, &idle) && uptime > 0 && cpus > 0) {
		double busy = 100 * (1 - idle / uptime / (double)cpus);

		json_object_set_new(report, "host_cpu_percent", json_real(busy < 0 ? 0 : busy));
	}
}

static void
add_memory(json_t *report)
{
	json_int_t pss = kib_field("/proc/self/smaps_rollup", "Pss");
	json_int_t total = kib_field("/proc/meminfo", "MemTotal"), available = kib_field("/proc/meminfo", "MemAvailable");
	json_int_t unused = kib_field("/proc/meminfo", "MemFree");

	if (pss >= 0)
		json_object_set_new(report, "kernel_memory", json_integer(pss));
	if (total <= 0 || available < 0 || unused < 0)
		return;
	json_object_set_new(report, "host_virtual_memory",
		json_pack("{s:I, s:I, s:f, s:I, s:I}", "total", total, "available", available, "percent",
			100.0 * (double)(total - available) / (double)total, "used", total - available, "free", unused));
}

json_t *
usage_report(void)
{
	json_t *report = json_object();
	char host[256] = "";

	gethostname(host, sizeof host - 1);
	json_object_set_new(report, "hostname", json_string(host));
	json_object_set_new(report, "pid", json_integer(getpid()));
	add_cpu(report);
	add_memory(report);
	return report;
}
