/* A file of tensors. Whatever it is: it is refused, or every tensor lies inside of it and gives its numbers. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/model/config.h"
#include "runtime/train/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct safetensors *file = safetensors_parse(data, size, NULL);
	struct model_config config;
	char *json = xmalloc(size + 1);

	for (size_t i = 0; file && i < safetensors_count(file); i++) {
		const struct tensor *t = safetensors_item(file, i);
		float *numbers = xmalloc((t->n + 1) * sizeof(*numbers));

		if (t->data < data || t->data + t->n * tensor_dtype_size(t->dtype) > data + size || safetensors_find(file, t->name) != t)
			BUG("tensor %zu is not in the file", i);
		tensor_floats(t, numbers, NULL);
		free(numbers);
	}
	safetensors_close(file);
	/* The same bytes as a config.json. */
	if (size)
		memcpy(json, data, size);
	json[size] = '\0';
	if (!model_config_read(&config, json, size, NULL) && model_config_check(&config, NULL))
		BUG("a config that was read is none");
	free(json);
	return 0;
}
