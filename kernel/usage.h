/* What the kernel and its machine use, as JupyterLab's resource panel reads it (usage_reply of ipykernel). */
#ifndef KERNEL_USAGE_H
#define KERNEL_USAGE_H

#include <jansson.h>

/* A new object: hostname, pid, kernel_cpu (percent of one CPU since the process began), kernel_memory (bytes, PSS),
 * cpu_count, host_cpu_percent (since the machine began), host_virtual_memory. What /proc does not tell is left out. */
json_t *usage_report(void);

#endif
