/* Porter's stemmer (Porter 1980, "An algorithm for suffix stripping") with the changes that NLTK's PorterStemmer makes by
 * default, for ROUGE with stems. */
#ifndef RUNTIME_TRAIN_PORTER_H
#define RUNTIME_TRAIN_PORTER_H

#include "base/buf.h"

/* Cuts the word, lower-case ASCII letters and digits, down to its stem. */
void porter_stem(struct buf *word);

#endif
