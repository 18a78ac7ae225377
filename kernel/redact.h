/* A text without its secrets, for what is given to others. What is taken out: every text that this machine knows to be a secret (of
 * variables by their names, of the secrets' folder, of kubeconfig files), and whatever looks like one: tokens of known kinds, keys
 * in PEM, passwords in addresses, values behind words like `password`. Too much rather than too little. */
#ifndef KERNEL_REDACT_H
#define KERNEL_REDACT_H

#include "base/buf.h"

#define REDACTED "[removed]"

enum { REDACT_KNOWN_MIN = 4 }; /* bytes: a shorter secret is also any word */

struct redaction;

struct redaction *redaction_new(void); /* gathers what is secret here */
void redaction_free(struct redaction *redaction); /* wipes it; NULL is fine */
void redaction_add(struct redaction *redaction, const char *secret);
/* Appends the text without secrets. */
void redact(const struct redaction *redaction, const char *text, size_t len, struct buf *ret);

#endif
