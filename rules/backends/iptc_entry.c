/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/iptc_entry.h"

#include <stdio.h>
#include <string.h>

/* The next aligned piece. Where there is no room the bytes begin anew and are never used. */
static void *take(struct iptc_entry *entry, size_t size)
{
	void *place;

	if (XT_ALIGN(size) > sizeof(entry->bytes) - entry->size) {
		entry->too_long = true;
		entry->size = 0;
	}
	place = entry->bytes + entry->size;
	memset(place, 0, XT_ALIGN(size));
	entry->size += XT_ALIGN(size);
	return place;
}

static void write_offset(struct iptc_entry *entry, size_t at)
{
	uint16_t offset = (uint16_t)entry->size;

	memcpy(entry->bytes + at, &offset, sizeof(offset));
}

void iptc_entry_begin(struct iptc_entry *entry, const struct iptc_family *family,
		      const struct iptc_header *header)
{
	entry->size = 0;
	entry->too_long = false;
	entry->extensions = 0;
	family->fill(take(entry, family->entry_size), header);
}

void *iptc_entry_match(struct iptc_entry *entry, enum iptc_extension_id match)
{
	const struct iptc_extension *extension = &iptc_extensions[match];
	size_t size = sizeof(struct xt_entry_match) + XT_ALIGN(extension->size);
	struct xt_entry_match *place = take(entry, size);

	entry->extensions |= UINT32_C(1) << match;
	place->u.match_size = (uint16_t)size;
	place->u.user.revision = extension->revision;
	(void)snprintf(place->u.user.name, sizeof(place->u.user.name), "%s", extension->name);
	return place->data;
}

static struct xt_entry_target *take_target(struct iptc_entry *entry,
					   const struct iptc_family *family, size_t size)
{
	struct xt_entry_target *place;

	write_offset(entry, family->target_offset_at);
	place = take(entry, size);
	place->u.target_size = (uint16_t)XT_ALIGN(size);
	write_offset(entry, family->next_offset_at);
	return place;
}

void *iptc_entry_target(struct iptc_entry *entry, const struct iptc_family *family,
			enum iptc_extension_id target)
{
	const struct iptc_extension *extension = &iptc_extensions[target];
	struct xt_entry_target *place =
		take_target(entry, family, sizeof(*place) + XT_ALIGN(extension->size));

	entry->extensions |= UINT32_C(1) << target;
	place->u.user.revision = extension->revision;
	(void)snprintf(place->u.user.name, sizeof(place->u.user.name), "%s", extension->name);
	return place->data;
}

void iptc_entry_verdict(struct iptc_entry *entry, const struct iptc_family *family,
			const char *name)
{
	struct xt_entry_target *place =
		take_target(entry, family, sizeof(struct xt_standard_target));

	(void)snprintf(place->u.user.name, sizeof(place->u.user.name), "%s", name);
}
