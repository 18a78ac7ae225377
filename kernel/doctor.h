/* `lateen doctor`: what this installation is made of, what it finds on the machine, and what is wrong.
 *
 * Nothing is started and nothing is changed: everything comes from libraries, files and folders. */
#ifndef KERNEL_DOCTOR_H
#define KERNEL_DOCTOR_H

#include "base/buf.h"

/* Appends the report, plain text of whole lines, in sections; problems stand last, each with its way out. Returns how
 * many problems there are. */
int doctor_report(struct buf *ret_report);

#endif
