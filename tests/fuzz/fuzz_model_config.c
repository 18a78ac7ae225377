/* config.json: whatever is read comes back the same when it is written, and its parameters can be listed. */
#include "config.h"

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "runtime/model/config.h"
#include "runtime/model/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model_config config, again;
	struct error err = { "" };
	struct buf text = { 0 };
	struct params params;

	if (model_config_read(&config, (const char *)data, size, &err)) {
		if (!*err.text)
			BUG("a config is refused without a word");
		return 0;
	}
	model_config_write(&config, &text);
	if (model_config_read(&again, buf_text(&text), text.len, &err) || !model_config_equal(&config, &again))
		BUG("what was read comes back as another: %s", err.text);
	params_init(&params, &config);
	if (params_count(&params) > params.total || params.embedding >= params.n || params.head >= params.n)
		BUG("%zu parameters of %zu numbers", params.n, params.total);
	params_release(&params);
	buf_release(&text);
	return 0;
}
