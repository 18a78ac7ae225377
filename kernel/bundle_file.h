/* `lateen doctor --bundle FILE`: one text that says to somebody else what this installation is, what it can reach, and what has gone
 * wrong of late; without any secret (kernel/redact.h), and without programs, logs, arguments and outputs of runs. */
#ifndef KERNEL_BUNDLE_FILE_H
#define KERNEL_BUNDLE_FILE_H

#include "base/buf.h"
#include "dsl/scope.h"

enum { BUNDLE_RUNS = 50, BUNDLE_FAILED = 10, BUNDLE_CLUSTERS = 20 };

struct bundle_request {
	const struct scope *scope; /* of a program whose clusters are asked, too; or NULL */
	bool (*stop)(void *context); /* may be NULL */
	void *context;
};

void bundle_file_write(struct buf *ret, const struct bundle_request *request);

#endif
