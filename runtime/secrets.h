/* Where secrets come from on this machine. Their text goes to the step that asked and nowhere else. */
#ifndef RUNTIME_SECRETS_H
#define RUNTIME_SECRETS_H

#include "base/buf.h"
#include "base/error.h"
#include "dsl/expr.h"

enum { SECRET_TEXT_MAX = 64 * 1024 };

/* Appends the secret's text: of secret("name", "key") the environment variable NAME_KEY (upper case, `_` for whatever is no
 * letter or digit), else the file lateen/secrets/name/key under $XDG_CONFIG_HOME or ~/.config, without its last newline; of
 * env("VAR") that variable. Returns 0; 1 when it is optional and not there; -1 with *err set, which never holds its text. */
int secret_read(const struct secret *secret, struct buf *ret, struct error *err);

#endif
