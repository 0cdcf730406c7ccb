/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/label.h"

#include <stdlib.h>
#include <string.h>

struct label *label_new(const char *text, const struct file_key *file)
{
	size_t size = strlen(text) + 1;
	struct label *label = malloc(sizeof(*label) + size);

	if (!label)
		return NULL;
	label->references = 1;
	label->file = file ? *file : (struct file_key){0};
	memcpy(label->text, text, size);
	return label;
}

struct label *label_reference(struct label *label)
{
	if (label)
		label->references++;
	return label;
}

void label_release(struct label *label)
{
	if (label && --label->references == 0)
		free(label);
}

void label_assign(struct label **place, struct label *label)
{
	struct label *before = *place;

	*place = label_reference(label);
	label_release(before);
}

const char *label_text(const struct label *label)
{
	return label ? label->text : NULL;
}
