/* A language of one-word commands, one a line, that makes a session do everything it can. For tests of the protocol.
 *
 *   print TEXT, err TEXT      a line on stdout, stderr
 *   bytes HEX                 raw bytes on stdout
 *   lines N                   N numbered lines on stdout
 *   blob N                    N bytes "x" in one write
 *   result TEXT               an execute_result
 *   display TEXT [ID]         display_data; update TEXT ID: update_display_data
 *   clear, clear wait         clear_output
 *   page TEXT                 a pager's text
 *   ask PROMPT, secret PROMPT prints what was answered, or why not
 *   sleep MS                  until an interrupt comes; deaf MS: through it
 *   fail TEXT                 the cell ends with the error E0001
 *   huge N                    display_data and a pager's text of N bytes
 *   cell                      the cell's id
 *   child                     starts a process that sleeps, prints its pid
 *   # …                       nothing
 * Anything else fails with E0002. */
#ifndef TESTS_ECHO_LANGUAGE_H
#define TESTS_ECHO_LANGUAGE_H

#include "kernel/language.h"

struct language *echo_language_new(void);
void echo_language_free(struct language *language);

#endif
