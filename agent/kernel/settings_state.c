/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/settings_state.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define STATE_SIZE_LIMIT 4096
#define HEADING		 "rtguard-settings 1"
#define END		 "end"

/* /proc/sys/kernel/random/boot_id: a UUID and a newline; "-" where there is none. */
static void read_boot_id(const char *root, char out[BOOT_ID_SIZE])
{
	_cleanup_(freep) char *bytes = NULL;
	char path[PATH_MAX];
	size_t size;

	(void)snprintf(out, BOOT_ID_SIZE, "-");
	(void)snprintf(path, sizeof(path), "%s/proc/sys/kernel/random/boot_id", root);
	if (file_read(path, BOOT_ID_SIZE - 1, &bytes, &size, NULL) < 0)
		return;
	bytes[strcspn(bytes, "\n")] = '\0';
	if (bytes[0] != '\0')
		(void)snprintf(out, BOOT_ID_SIZE, "%s", bytes);
}

void settings_state_begin(const char *root, struct settings_state *ret_state)
{
	*ret_state = (struct settings_state){0};
	read_boot_id(root, ret_state->boot);
}

void settings_state_add(struct settings_state *state, const struct setting_way *way, long value)
{
	if (state->count == SETTINGS_MAX)
		return;
	state->previous[state->count].way = way;
	state->previous[state->count++].value = value;
}

const long *settings_state_find(const struct settings_state *state, const struct setting_way *way)
{
	for (size_t i = 0; i < state->count; i++)
		if (state->previous[i].way == way)
			return &state->previous[i].value;
	return NULL;
}

/* "kernel.yama.ptrace_scope=1" */
static int take_value(char *line, struct settings_state *state)
{
	char *equals = strchr(line, '=');
	const struct setting_way *way;
	uint64_t value;

	if (!equals)
		return -EINVAL;
	*equals = '\0';
	way = setting_way_find(line);
	if (!way || settings_state_find(state, way) ||
	    number_parse(equals + 1, INT_MAX, &value) < 0)
		return -EINVAL;
	settings_state_add(state, way, (long)value);
	return 0;
}

static int refuse(struct error *error, size_t line)
{
	return error_set(error, EINVAL,
			 "line %zu: not written by rtguard, or cut off; remove the file to take "
			 "the kernel's present settings as those to go back to",
			 line);
}

int settings_state_parse(const char *bytes, size_t size, struct settings_state *ret_state,
			 struct error *error)
{
	struct settings_state state = {0};
	size_t number = 0;

	for (const char *at = bytes; at < bytes + size;) {
		const char *newline = memchr(at, '\n', (size_t)(bytes + size - at));
		char line[128];

		number++;
		if (!newline || (size_t)(newline - at) >= sizeof(line))
			return refuse(error, number);
		(void)snprintf(line, sizeof(line), "%.*s", (int)(newline - at), at);
		at = newline + 1;
		if (number == 1 && strcmp(line, HEADING) == 0)
			continue;
		if (number == 2 && strncmp(line, "boot=", 5) == 0 &&
		    strlen(line + 5) < sizeof(state.boot)) {
			(void)snprintf(state.boot, sizeof(state.boot), "%s", line + 5);
			continue;
		}
		if (number > 2 && at == bytes + size && strcmp(line, END) == 0) {
			*ret_state = state;
			return 0;
		}
		if (number <= 2 || take_value(line, &state) < 0)
			return refuse(error, number);
	}
	return refuse(error, number + 1);
}

int settings_state_read(const char *path, const char *root, struct settings_state *ret_state,
			struct error *error)
{
	_cleanup_(freep) char *bytes = NULL;
	struct settings_state found;
	struct settings_state now;
	struct error ignored;
	size_t size;
	int result;

	settings_state_begin(root, &now);
	result = file_read(path, STATE_SIZE_LIMIT, &bytes, &size, error ? error : &ignored);
	if (result == -ENOENT) {
		if (error)
			*error = (struct error){0};
		*ret_state = now;
		return 0;
	}
	if (result < 0)
		return result;
	result = settings_state_parse(bytes, size, &found, error);
	if (result < 0)
		return error_prefix(error, "%s", path);
	*ret_state = strcmp(found.boot, now.boot) == 0 ? found : now;
	return 0;
}

int settings_state_write(const struct settings_state *state, const char *path, struct error *error)
{
	_cleanup_(freep) char *bytes = NULL;
	struct text text = {0};

	if (state->count == 0) {
		if (unlink(path) < 0 && errno != ENOENT)
			return error_set(error, errno, "%s: cannot be removed: %s", path,
					 strerror(errno));
		return 0;
	}
	text_printf(&text, "%s\nboot=%s\n", HEADING, state->boot);
	for (size_t i = 0; i < state->count; i++)
		text_printf(&text, "%s=%ld\n", state->previous[i].way->sysctl,
			    state->previous[i].value);
	text_append(&text, END "\n");
	if (text_finish(&text, &bytes) < 0)
		return error_set(error, ENOMEM, "%s: out of memory", path);
	return file_replace(path, bytes, strlen(bytes), error);
}
