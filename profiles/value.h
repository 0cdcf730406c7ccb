/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_VALUE_H
#define PROFILES_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "profiles/document.h"
#include "profiles/parts.h"
#include "profiles/profile_json.h"

/*
 * Within profiles/ only: how a table of fields becomes JSON and back. A field says its key, its
 * type and where in the structure it lives; the same table reads, checks and writes, and its order
 * is the order of keys in the file.
 */

/* Where we are, as a chain on the stack; becomes a JSON pointer only when something is wrong. */
struct place {
	struct profile_fault *fault; /* the same for the whole chain */
	const struct place *parent;  /* NULL: the document */
	const char *key;	     /* NULL: an item of an array */
	size_t index;
};

struct field;

struct value_type {
	/* value is not null. 0, or the fault is set and its negative code returned. */
	int (*read)(const struct place *at, const struct field *field, const struct node *value,
		    void *target);
	/* *ret_value stays NULL where the key is left out. */
	int (*write)(const struct place *at, const struct field *field, const void *target,
		     json_t **ret_value);
};

/* What a string may be. */
struct text_kind {
	const char *expected; /* "an absolute path" */
	bool (*is_valid)(const char *text);
	size_t limit; /* bytes */
};

/* An object: its fields, and what they have to be to each other. */
struct shape {
	const struct field *fields;
	size_t field_count;
	int (*check)(const struct place *at, const void *target); /* may be NULL */
};

/* An array of objects. */
struct entry_array {
	const struct shape *shape;
	void *(*add)(void *target);
	compare_fn compare; /* identity */
	size_t item_size;
	size_t items_offset; /* of the pointer to the items, from the target */
	size_t count_offset;
};

struct field {
	const char *key;
	const struct value_type *type;
	size_t offset;
	bool (*applies)(const void *target); /* where it doesn't the key must not be there; NULL:
						always */
	bool optional;			     /* may be missing or null: the target stays zeroed */
	const struct text_kind *text;
	const struct shape *shape;
	const struct entry_array *entries;
};

extern const struct value_type value_text;	/* char *; field.text */
extern const struct value_type value_text_list; /* struct string_list, a set; field.text */
extern const struct value_type value_object;	/* the structure at offset; field.shape */
extern const struct value_type value_entries;	/* field.entries */
extern const struct value_type value_flag;	/* bool */
extern const struct value_type value_mac;	/* struct mac_address; zero is null */
extern const struct value_type value_protocol;	/* uint8_t */
extern const struct value_type value_any;	/* json_t *, kept as it is */

int object_read(const struct place *at, const struct shape *shape, const struct node *value,
		void *target);
int object_write(const struct place *at, const struct shape *shape, const void *target,
		 json_t **ret_value);

int text_read(const struct place *at, const struct text_kind *kind, const struct node *value,
	      char **target);
int text_list_read(const struct place *at, const struct text_kind *kind, const struct node *value,
		   struct string_list *list);
int text_write(const struct place *at, const struct text_kind *kind, const char *text,
	       json_t **ret_value);
int text_list_write(const struct place *at, const struct text_kind *kind,
		    const struct string_list *list, json_t **ret_value);
int number_read(const struct place *at, const struct node *value, uint64_t lowest, uint64_t highest,
		uint64_t *target);

/* An array of at most PROFILE_ENTRY_LIMIT items. */
int array_expect(const struct place *at, const struct node *value);

/* Fails with the two places when items of one identity are in the array. */
int duplicates_refuse(const struct place *at, const void *items, size_t count, size_t item_size,
		      compare_fn compare);

/* Each sets the fault and returns the negative code. */
int fault_set(const struct place *at, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int fault_expected(const struct place *at, const char *expected, const struct node *found);
int fault_memory(const struct place *at);

#endif
