/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "program/environment.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static const struct {
	const char *program; /* how its name begins */
	const char *variable;
} carriers[] = {
	{"bash", "BASH_ENV="},
	{"bash", "BASH_FUNC_"},
	{"bash", "PS4="},
	{"rbash", "BASH_ENV="},
	{"rbash", "BASH_FUNC_"},
	{"rbash", "PS4="},
	{"sh", "BASH_ENV="},
	{"sh", "BASH_FUNC_"},
	{"sh", "PS4="},
	{"dash", "PS4="},
	{"ksh", "PS4="},
	{"mksh", "PS4="},
	{"zsh", "PS4="},
	{"zsh", "ZDOTDIR="},
	{"perl", "PERL5DB="},
	{"perl", "PERL5OPT="},
	{"python", "PYTHONINSPECT="},
	{"pypy", "PYTHONINSPECT="},
	{"lua", "LUA_INIT"},
	{"erl", "ERL_FLAGS="},
	{"erl", "ERL_AFLAGS="},
	{"erl", "ERL_ZFLAGS="},
	{"beam", "ERL_FLAGS="},
	{"beam", "ERL_AFLAGS="},
	{"beam", "ERL_ZFLAGS="},
};

bool environment_brings_code(const char *path, const char *variable)
{
	const char *name = path_base_name(path);

	for (size_t i = 0; i < array_length(carriers); i++) {
		const char *program = carriers[i].program;
		const char *begin = carriers[i].variable;

		if (strncmp(name, program, strlen(program)) == 0 &&
		    strncmp(variable, begin, strlen(begin)) == 0)
			return true;
	}
	return false;
}
