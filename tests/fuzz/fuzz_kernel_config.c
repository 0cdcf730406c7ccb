/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <errno.h>

#include "kernel/capability_table.h"

/* The input: a kernel's .config. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct capability_finding findings[CAPABILITY_COUNT];
	struct kernel_config config;
	struct error error = {0};
	int result = kernel_config_parse((const char *)bytes, size, &config, &error);

	fuzz_require(result == 0 || (result == -EINVAL && error.message[0] != '\0'));
	if (result < 0)
		return 0;
	capabilities_judge(&config, findings);
	for (size_t i = 0; i < CAPABILITY_COUNT; i++)
		fuzz_require((findings[i].state == CAPABILITY_ON) == !findings[i].remedy);
	return 0;
}
