/* libzmq, opened when a session starts and never linked: it draws in a dozen libraries, whose loading would take longer than
 * all that the command line does when it compiles.
 *
 * Its functions are called by their own names, of <zmq.h>; each that we use is defined in zmq_library.c and hands on. */
#ifndef KERNEL_ZMQ_LIBRARY_H
#define KERNEL_ZMQ_LIBRARY_H

#include "base/error.h"

/* Before the first zmq_… of the process, in whichever thread; more often does no harm. Negative with *err set when it is not there. */
int zmq_library_open(struct error *err);

#endif
