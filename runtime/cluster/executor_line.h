/* What Argo's executor writes itself into the log of the container `main`, among the program's lines:
 *
 *     time="2026-01-02T03:04:05.678Z" level=info msg="sub-process exited" argo=true error="<nil>"
 *
 * The time is quoted or not, and before Argo 3.7 ends in ` UTC`. It stands on the program's last line when that has no end. */
#ifndef RUNTIME_CLUSTER_EXECUTOR_LINE_H
#define RUNTIME_CLUSTER_EXECUTOR_LINE_H

#include <stddef.h>

enum executor_line {
	EXECUTOR_SILENT, /* all of it is the program's */
	EXECUTOR_SAYS,
	EXECUTOR_EXITED, /* it says that the program has ended */
};

/* In one line, without its newline: *ret_at is where the executor's part begins, or `len`. */
enum executor_line executor_line_find(const char *text, size_t len, size_t *ret_at);

#endif
