/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/machine_fit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/text.h"
#include "daemon/file_sha256.h"

#define PROGRAMS_READ 64
#define FEWEST	      4
#define SIZE_LIMIT    (UINT64_C(256) << 20)

int machine_fit_measure(const struct profile *profile, struct machine_fit *ret_fit,
			struct error *error)
{
	struct machine_fit fit = {0};
	struct utsname names;
	size_t step = profile->program_count / PROGRAMS_READ + 1;

	if (uname(&names) < 0)
		return error_set(error, errno, "cannot ask what machine this is: %s",
				 strerror(errno));
	(void)snprintf(fit.architecture, sizeof(fit.architecture), "%s", names.machine);
	for (size_t i = 0; i < profile->program_count; i += step) {
		const struct profile_program *program = &profile->programs[i];
		uint8_t wanted[32];
		uint8_t found[32];

		if (!program->sha256 || hex_decode(program->sha256, wanted, sizeof(wanted)) < 0)
			continue;
		fit.asked++;
		if (file_sha256(program->path, SIZE_LIMIT, found) < 0)
			continue;
		fit.present++;
		fit.same += memcmp(found, wanted, sizeof(found)) == 0;
	}
	*ret_fit = fit;
	return 0;
}

int machine_fit_check(const struct machine_fit *fit, const struct profile *profile,
		      struct error *error)
{
	static const char remedy[] = "learn one here, or insist with --any-machine";

	if (profile->architecture && strcmp(profile->architecture, fit->architecture) != 0)
		return error_set(error, EXDEV,
				 "belongs to another machine: it was learnt on %s and this is %s; "
				 "%s",
				 profile->architecture, fit->architecture, remedy);
	if (fit->asked >= FEWEST && fit->same * 2 < fit->asked)
		return error_set(error, EXDEV,
				 "belongs to another machine: of %u of its programs %u are here, "
				 "and %u with the same content; %s",
				 fit->asked, fit->present, fit->same, remedy);
	return 0;
}
