/* What the files of byte-level BPE share: the tokenizer's tables, and how a text is cut. */
#ifndef RUNTIME_TRAIN_BPE_PRIVATE_H
#define RUNTIME_TRAIN_BPE_PRIVATE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "runtime/train/bpe.h"

#define BPE_NO_ID UINT32_MAX
enum { BPE_CACHED_BYTES = 22, BPE_CACHED_IDS = 10, BPE_CACHE_BITS = 15 };

/* How a text is cut into the pieces within which tokens are merged. */
enum bpe_cut { BPE_CUT_NOT, BPE_CUT_GPT2, BPE_CUT_PATTERN };

struct bpe_split {
	enum bpe_cut cut;
	bool add_prefix_space;
	char *pattern; /* of BPE_CUT_PATTERN */
	pcre2_code *code;
	pcre2_match_data *match;
};

struct bpe_token {
	size_t start; /* in bpe->bytes */
	uint32_t len;
	bool used; /* ids may have gaps */
	bool literal; /* its text in the file is the bytes, not one character for each */
	bool outside; /* an added token that the model's vocabulary does not hold */
	bool special;
};

struct bpe_added {
	char *text;
	size_t len;
	uint32_t id;
	bool single_word, lstrip, rstrip, normalized, special;
};

struct bpe_merge {
	uint32_t left, right, id;
};

struct bpe_cached {
	uint8_t len, n; /* len 0: a free place */
	char bytes[BPE_CACHED_BYTES];
	uint32_t ids[BPE_CACHED_IDS];
};

struct bpe {
	struct bpe_split split;
	struct buf bytes; /* of all tokens */
	VEC(struct bpe_token) tokens; /* by id */
	VEC(struct bpe_merge) merges; /* by rank */
	VEC(struct bpe_added) added; /* by length, longest first */
	bool added_begins[256]; /* an added token begins with this byte */
	uint32_t byte_ids[256];
	uint32_t *token_slots; /* bytes to id + 1; 0 is free */
	size_t token_mask;
	struct bpe_slot {
		uint64_t pair; /* left << 32 | right */
		uint32_t rank; /* BPE_NO_ID: free */
	} *pair_slots;
	size_t pair_mask;
	struct bpe_cached *cache;
	bool ignore_merges; /* a piece that is a token is that token, whatever the merges say */
	char *post_processor; /* JSON, carried along; NULL: none */
};

/* ---- bpe_byte_chars.c: the characters that stand for bytes in files ---- */

/* Another character than the one with the byte's number stands for it. */
bool bpe_byte_is_moved(unsigned byte);
/* Appends the character of each byte. */
void bpe_write_bytes(struct buf *buf, const char *bytes, size_t len);
/* Appends the bytes that the characters stand for; false, and nothing appended, when one of them stands for none. */
bool bpe_read_bytes(struct buf *buf, const char *text, size_t len);

/* ---- bpe_table.c ---- */

uint64_t bpe_hash(const char *bytes, size_t len);
/* Makes the tables out of tokens and merges; an error when a byte is no token. Ids are below BPE_IDS_MAX by then. */
int bpe_index(struct bpe *bpe, struct error *err);
/* The parts of it: room for so many tokens in the table of bytes, one of them, the table of merges. */
void bpe_reserve_tokens(struct bpe *bpe, size_t n);
void bpe_place_token(struct bpe *bpe, uint32_t id);
void bpe_index_merges(struct bpe *bpe);
void bpe_set_token(struct bpe *bpe, uint32_t id, const char *bytes, size_t len, bool literal);
/* Takes its text; its token must be there. */
void bpe_add_added(struct bpe *bpe, const struct bpe_added *added);
uint32_t bpe_find_token(const struct bpe *bpe, const char *bytes, size_t len);
/* BPE_NO_ID if the two do not merge. */
uint32_t bpe_rank(const struct bpe *bpe, uint32_t left, uint32_t right);

/* ---- bpe_split.c ---- */

typedef int (*bpe_piece)(void *context, const char *piece, size_t len);
/* Gives each piece of the text to the function; -1 with *err when the pattern cannot be matched. */
int bpe_split_text(const struct bpe_split *split, const char *text, size_t len, bpe_piece each, void *context, struct error *err);
int bpe_split_pattern(struct bpe_split *split, const char *pattern, struct error *err);
void bpe_split_release(struct bpe_split *split);
/* Bytes of the first piece by GPT-2's pattern. len > 0. */
size_t bpe_gpt2_piece(const char *text, size_t len);

/* ---- bpe_merge.c ---- */

/* Appends the ids of one piece. */
void bpe_encode_piece(struct bpe *bpe, const char *piece, size_t len, struct token_ids *ret);

#endif
