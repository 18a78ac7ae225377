/* Files name bytes by printable characters: 33 to 126, 161 to 172 and 174 to 255 are themselves; the other 68 are, in order,
 * U+0100 and on (GPT-2's encoder.py). */
#include "config.h"

#include <stdint.h>

#include "base/utf8.h"
#include "runtime/train/bpe_private.h"

bool
bpe_byte_is_moved(unsigned byte)
{
	return byte < 33 || (byte > 126 && byte < 161) || byte == 173;
}

/* How many bytes below one that is moved are moved. */
static uint32_t
moved_below(unsigned byte)
{
	if (byte < 33)
		return byte;
	return byte < 161 ? 33 + byte - 127 : 33 + 34;
}

void
bpe_write_bytes(struct buf *buf, const char *bytes, size_t len)
{
	char character[4];

	for (size_t i = 0; i < len; i++) {
		unsigned byte = (unsigned char)bytes[i];

		buf_add(buf, character, utf8_encode(bpe_byte_is_moved(byte) ? 0x100 + moved_below(byte) : byte, character));
	}
}

/* -1 for a character that is no byte's. */
static int
byte_of(uint32_t character)
{
	if (character < 0x100)
		return bpe_byte_is_moved(character) ? -1 : (int)character;
	if (character < 0x100 + 33)
		return (int)(character - 0x100);
	if (character < 0x100 + 33 + 34)
		return (int)(character - 0x100 - 33 + 127);
	return character == 0x100 + 33 + 34 ? 173 : -1;
}

bool
bpe_read_bytes(struct buf *buf, const char *text, size_t len)
{
	size_t before = buf->len;

	for (size_t at = 0; at < len;) {
		uint32_t character;
		int byte;

		at += utf8_decode(text + at, len - at, &character);
		byte = byte_of(character);
		if (byte < 0) {
			buf->len = before;
			return false;
		}
		buf_putc(buf, (char)byte);
	}
	return true;
}
