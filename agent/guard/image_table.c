/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/image_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SCRIPT_LIMIT 64 /* execs on their way from a script to its interpreter */

struct image_table {
	size_t limit;
	uint64_t clock;
	size_t next_script;
	struct script_exec scripts[SCRIPT_LIMIT];
	struct image images[];
};

int image_table_new(size_t limit, struct image_table **ret_table)
{
	struct image_table *table;

	if (!limit || limit > SIZE_MAX / 2 / sizeof(table->images[0]))
		return -EINVAL;
	table = calloc(1, sizeof(*table) + limit * sizeof(table->images[0]));
	if (!table)
		return -ENOMEM;
	table->limit = limit;
	*ret_table = table;
	return 0;
}

void image_table_free(struct image_table *table)
{
	free(table);
}

static bool is_same_image(const struct image *a, const struct image *b)
{
	return a->pid && a->mark == b->mark && file_key_equal(&a->key, &b->key);
}

struct image *image_table_find(struct image_table *table, const struct image *of)
{
	for (size_t i = 0; i < table->limit; i++) {
		struct image *image = &table->images[i];

		if (image->pid == of->pid && image->started_ns == of->started_ns &&
		    is_same_image(image, of)) {
			image->touched = ++table->clock;
			return image;
		}
	}
	return NULL;
}

struct image *image_table_inherit(struct image_table *table, const struct image *of, pid_t parent)
{
	for (size_t i = 0; i < table->limit; i++) {
		struct image *image = &table->images[i];

		if ((!parent || image->pid == parent) && is_same_image(image, of))
			return image;
	}
	return NULL;
}

struct image *image_table_add(struct image_table *table, const struct image *image)
{
	struct image *place = &table->images[0];

	for (size_t i = 1; place->pid && i < table->limit; i++)
		if (!table->images[i].pid || table->images[i].touched < place->touched)
			place = &table->images[i];
	*place = *image;
	place->touched = ++table->clock;
	return place;
}

void image_table_forget(struct image_table *table, pid_t pid)
{
	for (size_t i = 0; i < table->limit; i++)
		if (table->images[i].pid == pid)
			table->images[i].pid = 0;
}

struct script_exec *image_table_script(struct image_table *table, pid_t pid, bool make)
{
	struct script_exec *script;

	if (!pid) /* of another process namespace: many have that number */
		return NULL;
	for (size_t i = 0; i < SCRIPT_LIMIT; i++)
		if (table->scripts[i].pid == pid)
			return &table->scripts[i];
	if (!make)
		return NULL;
	script = &table->scripts[table->next_script++ % SCRIPT_LIMIT];
	memset(script, 0, sizeof(*script));
	script->pid = pid;
	return script;
}

void image_table_end_script(struct image_table *table, pid_t pid)
{
	struct script_exec *script = image_table_script(table, pid, false);

	if (script)
		script->pid = 0;
}
