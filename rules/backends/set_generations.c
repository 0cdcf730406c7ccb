/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/set_generations.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

#define OUR_SETS RENDER_PREFIX "-"

/* "rtguard-a4-names": the letter; NUL for a name that is not made that way. */
static char generation_of(const char *set_name)
{
	char letter = set_name[strlen(OUR_SETS)];

	return letter >= 'a' && letter <= 'z' ? letter : '\0';
}

int set_generations_sweep(struct ip_sets *sets, char kept, char left[SET_LETTERS_SIZE],
			  struct error *error)
{
	_cleanup_(freep) struct ip_set_listed *listed = NULL;
	bool used['z' + 1] = {false};
	size_t letters = 0;
	size_t count = 0;
	int result = ip_sets_list(sets, OUR_SETS, &listed, &count, error);

	if (result < 0)
		return result;
	for (size_t i = 0; i < count; i++) {
		char letter = generation_of(listed[i].name);

		if (listed[i].references || letter == kept)
			used[(unsigned char)letter] = true;
	}
	for (size_t i = 0; i < count; i++) {
		char letter = generation_of(listed[i].name);

		if (letter && !used[(unsigned char)letter] &&
		    ip_sets_destroy(sets, listed[i].name, NULL) < 0)
			used[(unsigned char)letter] = true;
	}
	for (char letter = 'a'; letter <= 'z'; letter++)
		if (used[(unsigned char)letter])
			left[letters++] = letter;
	left[letters] = '\0';
	return 0;
}

char set_generations_next(const char *left)
{
	char letter = 'a';

	while (strchr(left, letter))
		letter++;
	return letter;
}

int set_generations_make(struct ip_sets *sets, const struct rule_program *program,
			 const struct render_instance *instance, struct error *error)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(fclosep) FILE *stream = NULL;
	size_t size = 0;
	FILE *writer = open_memstream(&text, &size);
	bool written;

	if (!writer)
		return error_set(error, errno, "ipset: %s", strerror(errno));
	render_ipset(program, instance, writer);
	written = !ferror(writer);
	written = fclose(writer) == 0 && written;
	if (!written)
		return error_set(error, ENOMEM, "ipset: %s", strerror(ENOMEM));
	if (!size)
		return 0;
	stream = fmemopen(text, size, "r");
	if (!stream)
		return error_set(error, errno, "ipset: %s", strerror(errno));
	return ip_sets_restore(sets, stream, error);
}

int set_generations_indices(struct ip_sets *sets, const struct rule_program *program,
			    unsigned int family, char generation, uint16_t *indices,
			    struct error *error)
{
	for (size_t i = 0; i < program->set_count; i++) {
		const struct rule_set *set = &program->sets[i];
		char name[RENDER_SET_NAME_SIZE];
		int result;

		if (set->kind != SET_PORT && !(set->families & family))
			continue;
		render_set_name(set,
				set->kind == SET_PORT ? 'x'
				: family == RULE_IPV6 ? '6'
						      : '4',
				generation, name);
		result = ip_sets_index(sets, name, &indices[i]);
		if (result < 0)
			return error_set(error, -result, "ipset %s: %s", name, strerror(-result));
	}
	return 0;
}
