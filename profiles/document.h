/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_DOCUMENT_H
#define PROFILES_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Within profiles/ only: a JSON document (RFC 8259) as one array of nodes, for reading. A tree of
 * jansson's takes five times the memory and the time, which a profile of a hundred thousand entries
 * cannot spare. As strict as jansson: UTF-8, no NUL in strings, no key twice in an object, numbers
 * in range.
 */
enum node_type {
	NODE_NULL,
	NODE_FALSE,
	NODE_TRUE,
	NODE_INTEGER,
	NODE_REAL,
	NODE_STRING,
	NODE_ARRAY,
	NODE_OBJECT,
};

/* Children follow their parent, each with all of its own; in an object a key, a string, stands
 * before each value. */
struct node {
	union {
		const char *text; /* STRING: NUL-terminated, without any other NUL */
		int64_t integer;
		double real;
	};
	uint32_t length; /* STRING: bytes; ARRAY, OBJECT: items */
	uint32_t size;	 /* nodes, this one included */
	enum node_type type;
};

struct document;

/* Bytes are not kept. Returns 0, -EINVAL where jansson says more, -EFBIG beyond value_limit values,
 * -ENOMEM. */
int document_parse(const char *bytes, size_t size, size_t value_limit,
		   struct document **ret_document);
void document_free(struct document *document);
void document_freep(struct document **document); /* for _cleanup_() */
const struct node *document_root(const struct document *document);

static inline const char *node_string(const struct node *node)
{
	return node->type == NODE_STRING ? node->text : NULL;
}

/* Items of an array or an object, else 0. */
static inline size_t node_count(const struct node *node)
{
	return node->type >= NODE_ARRAY ? node->length : 0;
}

/* The first child (of an object: the first key), if there is one; and what follows a node. */
static inline const struct node *node_first(const struct node *node)
{
	return node + 1;
}

static inline const struct node *node_next(const struct node *node)
{
	return node + node->size;
}

/* NULL: not an object, or without that key. */
const struct node *node_get(const struct node *object, const char *key);

/* The same for jansson. NULL when memory is out. */
json_t *node_to_json(const struct node *node);

#endif
