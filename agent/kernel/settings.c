/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/settings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "kernel/setting_table.h"
#include "kernel/settings_state.h"
#include "kernel/sysctl.h"

struct applied {
	const struct setting *setting;
	const struct setting_way *way;
	long before; /* of this start: what the kernel had */
	long now;
	int changed;  /* 1 set, 0 was so already, negative errno */
	bool is_ours; /* to be put back: set by this run or by one that did not end in order */
	long previous;
};

struct settings {
	char *state;
	char *root;
	size_t count;
	struct applied applied[SETTINGS_MAX];
	struct settings_state rest; /* not ours, and could not be put back */
};

static void settings_freep(struct settings **settings)
{
	settings_free(*settings);
}

static bool is_wanted(const char *const *names, size_t count, const char *name, bool *ret_by_name)
{
	bool all = false;

	*ret_by_name = false;
	for (size_t i = 0; i < count; i++) {
		all |= strcmp(names[i], "all") == 0;
		*ret_by_name |= strcmp(names[i], name) == 0;
	}
	return all || *ret_by_name;
}

static int check_names(const char *const *names, size_t count, struct error *error)
{
	char known[160] = "";
	size_t length = 0;

	for (size_t i = 0; i < setting_count; i++)
		length += (size_t)snprintf(known + length, sizeof(known) - length, "%s, ",
					   setting_table[i].name);
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], "all") != 0 && !setting_find(names[i]))
			return error_set(error, EINVAL, "%s: no such setting; there are %sall",
					 names[i], known);
	return 0;
}

/* The first way that this kernel has, and its value. -ENOENT: it has none. */
static int find_way(const char *root, const struct setting *setting,
		    const struct setting_way **ret_way, long *ret_value)
{
	int result = -ENOENT;

	for (size_t i = 0; i < SETTING_WAYS_MAX && setting->ways[i].sysctl; i++) {
		result = sysctl_read(root, setting->ways[i].sysctl, ret_value);
		if (result == -ENOENT)
			continue;
		*ret_way = &setting->ways[i];
		return result;
	}
	return result;
}

/* What is to be done about one setting, by what the kernel has now and what an earlier run left. */
static int plan(struct settings *settings, const struct setting *setting, bool by_name,
		const struct settings_state *left, struct error *error)
{
	struct applied applied = {.setting = setting, .way = &setting->ways[0]};
	const long *previous;
	int result = find_way(settings->root, setting, &applied.way, &applied.before);

	if (result == -ENOENT && by_name)
		return error_set(error, EOPNOTSUPP,
				 "%s: this kernel has no %s; rtguard doctor says what that means, "
				 "and without this name the others are set",
				 setting->name, applied.way->sysctl);
	if (result < 0 && result != -ENOENT)
		return error_set(error, -result, "%s: cannot read %s: %s", setting->name,
				 applied.way->sysctl, strerror(-result));
	applied.changed = result < 0 ? result : !setting_is_enough(applied.way, applied.before);
	applied.now = applied.before;
	previous = settings_state_find(left, applied.way);
	applied.is_ours = !setting->one_way && result == 0 && (applied.changed == 1 || previous);
	applied.previous = previous ? *previous : applied.before;
	settings->applied[settings->count++] = applied;
	return 0;
}

static bool is_planned(const struct settings *settings, const struct setting_way *way)
{
	for (size_t i = 0; i < settings->count; i++)
		if (settings->applied[i].way == way)
			return true;
	return false;
}

/* Returns 0 when it is as it was before. */
static int put_back(const char *root, const struct setting_way *way, long previous)
{
	int result = sysctl_write(root, way->sysctl, previous);
	long now;

	if (result < 0 && sysctl_read(root, way->sysctl, &now) == 0 && now == previous)
		return 0;
	return result;
}

/* What an earlier run set and this one does not: back to what it was. */
static void put_back_rest(struct settings *settings, const struct settings_state *left)
{
	for (size_t i = left->count; i > 0; i--) {
		const struct setting_way *way = left->previous[i - 1].way;
		long value = left->previous[i - 1].value;

		if (!is_planned(settings, way) && put_back(settings->root, way, value) < 0)
			settings_state_add(&settings->rest, way, value);
	}
}

static int write_down(const struct settings *settings, struct error *error)
{
	struct settings_state state;

	settings_state_begin(settings->root, &state);
	for (size_t i = 0; i < settings->rest.count; i++)
		settings_state_add(&state, settings->rest.previous[i].way,
				   settings->rest.previous[i].value);
	for (size_t i = 0; i < settings->count; i++)
		if (settings->applied[i].is_ours)
			settings_state_add(&state, settings->applied[i].way,
					   settings->applied[i].previous);
	return settings_state_write(&state, settings->state, error);
}

static int set_one(const char *root, struct applied *applied, struct error *error)
{
	int result = -EINVAL;

	for (size_t i = 0; i < applied->way->values && result == -EINVAL; i++)
		result = sysctl_write(root, applied->way->sysctl, applied->way->value[i]);
	if (result == 0)
		result = sysctl_read(root, applied->way->sysctl, &applied->now);
	if (result == 0 && !setting_is_enough(applied->way, applied->now))
		result = -EIO;
	if (result == 0)
		return 0;
	return error_set(error, -result, "%s: cannot set %s to %ld: %s", applied->setting->name,
			 applied->way->sysctl, applied->way->value[0],
			 result == -EIO ? "the kernel keeps its own value" : strerror(-result));
}

static int plan_all(struct settings *settings, const char *const *names, size_t count,
		    const struct settings_state *left, struct error *error)
{
	bool by_name;
	int result = 0;

	for (size_t i = 0; i < setting_count && result == 0; i++)
		if (is_wanted(names, count, setting_table[i].name, &by_name))
			result = plan(settings, &setting_table[i], by_name, left, error);
	return result;
}

static int carry_out(struct settings **settings, struct error *error)
{
	struct settings *all = *settings;

	for (size_t i = 0; i < all->count; i++) {
		struct applied *applied = &all->applied[i];
		int result = applied->changed == 1 ? set_one(all->root, applied, error) : 0;

		if (result < 0) {
			/* what an earlier run left is put back too: nobody guards now */
			settings_restore(take_pointer(*settings));
			return result;
		}
	}
	return 0;
}

int settings_apply(const char *const *names, size_t count, const char *state, const char *root,
		   struct settings **ret_settings, struct error *error)
{
	_cleanup_(settings_freep) struct settings *settings = calloc(1, sizeof(*settings));
	struct settings_state left = {0};
	int result;

	if (settings) {
		settings->state = strdup(state);
		settings->root = strdup(root);
	}
	if (!settings || !settings->state || !settings->root)
		return error_set(error, ENOMEM, "out of memory");
	result = check_names(names, count, error);
	if (result == 0)
		result = settings_state_read(state, root, &left, error);
	if (result == 0)
		result = plan_all(settings, names, count, &left, error);
	if (result < 0)
		return result;
	/* first undone, then forgotten; first written down, then done */
	put_back_rest(settings, &left);
	result = write_down(settings, error);
	if (result == 0)
		result = carry_out(&settings, error);
	if (result < 0)
		return result;
	*ret_settings = take_pointer(settings);
	return 0;
}

void settings_restore(struct settings *settings)
{
	if (!settings)
		return;
	for (size_t i = settings->count; i > 0; i--) {
		struct applied *applied = &settings->applied[i - 1];

		/* what cannot be put back stays written down, for a later start to try */
		if (applied->is_ours &&
		    put_back(settings->root, applied->way, applied->previous) == 0)
			applied->is_ours = false;
	}
	(void)write_down(settings, NULL);
	settings_free(settings);
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	free(settings->state);
	free(settings->root);
	free(settings);
}

void settings_each(const struct settings *settings, setting_fn visit, void *context)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct applied *applied = &settings->applied[i];
		char before[24];
		char now[24];
		bool there = applied->changed >= 0;

		(void)snprintf(before, sizeof(before), "%ld", applied->before);
		(void)snprintf(now, sizeof(now), "%ld", applied->now);
		visit(context, applied->setting->name, applied->way->sysctl, there ? before : "-",
		      there ? now : "-", applied->changed);
	}
}
