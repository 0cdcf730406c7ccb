/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/document.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

/* As jansson has it: JSON_PARSER_MAX_DEPTH. */
#define DEPTH_LIMIT 2048

/* Keys of smaller objects are compared each with each. */
#define FEW_KEYS 12

struct document {
	char *text; /* strings are decoded in place */
	struct node *nodes;
	size_t count;
	size_t capacity;
};

struct parser {
	struct document *document;
	char *at; /* the text ends in NUL, which is no JSON */
	const char *end;
	size_t values;
	size_t value_limit;
	unsigned int depth;
};

static int parse_value(struct parser *parser);

/* Index of a new node, or negative errno. */
static ssize_t add_node(struct parser *parser, enum node_type type)
{
	struct document *document = parser->document;

	if (array_reserve(&document->nodes, &document->capacity, document->count,
			  sizeof(*document->nodes)) < 0)
		return -ENOMEM;
	document->nodes[document->count] = (struct node){.size = 1, .type = type};
	return (ssize_t)document->count++;
}

static void skip_space(struct parser *parser)
{
	while (*parser->at == ' ' || *parser->at == '\n' || *parser->at == '\t' ||
	       *parser->at == '\r')
		parser->at++;
}

/* ---- strings ---- */

static int hex_digits(const char *at, uint32_t *ret_unit)
{
	uint32_t unit = 0;

	for (int i = 0; i < 4; i++) {
		char digit = at[i];

		if (digit >= '0' && digit <= '9')
			unit = unit << 4 | (uint32_t)(digit - '0');
		else if ((digit | 32) >= 'a' && (digit | 32) <= 'f')
			unit = unit << 4 | (uint32_t)((digit | 32) - 'a' + 10);
		else
			return -EINVAL;
	}
	*ret_unit = unit;
	return 0;
}

static char *put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	}
	return out;
}

/* Behind "\u". A character beyond 16 bits is a pair of surrogates; none stands alone. */
static int decode_unicode(struct parser *parser, char **out)
{
	uint32_t code, low;

	if (hex_digits(parser->at, &code) < 0 || code == 0)
		return -EINVAL;
	parser->at += 4;
	if (code >= 0xd800 && code < 0xe000) {
		if (code >= 0xdc00 || parser->at[0] != '\\' || parser->at[1] != 'u' ||
		    hex_digits(parser->at + 2, &low) < 0 || low < 0xdc00 || low >= 0xe000)
			return -EINVAL;
		parser->at += 6;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	*out = put_utf8(*out, code);
	return 0;
}

/* Behind a backslash. What comes out is never longer than what went in. */
static int decode_escape(struct parser *parser, char **out)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	char name = *parser->at;
	const char *found = name ? strchr(names, name) : NULL;

	if (!name)
		return -EINVAL;
	parser->at++;
	if (name == 'u')
		return decode_unicode(parser, out);
	if (!found)
		return -EINVAL;
	*(*out)++ = values[found - names];
	return 0;
}

static int parse_string(struct parser *parser)
{
	ssize_t index = add_node(parser, NODE_STRING);
	char *start = ++parser->at;
	char *out;
	unsigned char seen = 0;
	struct node *node;

	if (index < 0)
		return (int)index;
	while ((unsigned char)*parser->at >= 0x20 && *parser->at != '"' && *parser->at != '\\')
		seen |= (unsigned char)*parser->at++;
	for (out = parser->at; *parser->at != '"';) {
		if ((unsigned char)*parser->at < 0x20)
			return -EINVAL;
		seen |= (unsigned char)*parser->at;
		if (*parser->at != '\\') {
			*out++ = *parser->at++;
			continue;
		}
		parser->at++;
		if (decode_escape(parser, &out) < 0)
			return -EINVAL;
	}
	parser->at++;
	*out = '\0';
	if (seen & 0x80 && !utf8_is_valid(start, (size_t)(out - start)))
		return -EINVAL;
	node = &parser->document->nodes[index];
	node->text = start;
	node->length = (uint32_t)(out - start);
	return 0;
}

/* ---- numbers and words ---- */

static bool skip_digits(struct parser *parser)
{
	const char *start = parser->at;

	while (*parser->at >= '0' && *parser->at <= '9')
		parser->at++;
	return parser->at > start;
}

static int parse_number(struct parser *parser)
{
	const char *start = parser->at;
	bool is_real = false;
	ssize_t index;
	struct node *node;

	if (*parser->at == '-')
		parser->at++;
	if (*parser->at == '0')
		parser->at++;
	else if (!skip_digits(parser))
		return -EINVAL;
	if (*parser->at == '.') {
		is_real = true;
		parser->at++;
		if (!skip_digits(parser))
			return -EINVAL;
	}
	if (*parser->at == 'e' || *parser->at == 'E') {
		is_real = true;
		parser->at++;
		if (*parser->at == '+' || *parser->at == '-')
			parser->at++;
		if (!skip_digits(parser))
			return -EINVAL;
	}
	index = add_node(parser, is_real ? NODE_REAL : NODE_INTEGER);
	if (index < 0)
		return (int)index;
	node = &parser->document->nodes[index];
	errno = 0;
	if (is_real)
		node->real = strtod(start, NULL);
	else
		node->integer = strtoll(start, NULL, 10);
	if (is_real ? isinf(node->real) : errno == ERANGE)
		return -EINVAL;
	return 0;
}

static int parse_word(struct parser *parser)
{
	static const struct {
		const char *word;
		enum node_type type;
	} words[] = {{"null", NODE_NULL}, {"false", NODE_FALSE}, {"true", NODE_TRUE}};

	for (size_t i = 0; i < array_length(words); i++) {
		size_t length = strlen(words[i].word);
		ssize_t index;

		if (strncmp(parser->at, words[i].word, length) != 0)
			continue;
		parser->at += length;
		index = add_node(parser, words[i].type);
		return index < 0 ? (int)index : 0;
	}
	return -EINVAL;
}

/* ---- arrays and objects ---- */

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_many_keys(const struct node *object)
{
	_cleanup_(freep) const char **keys = calloc(object->length, sizeof(*keys));
	const struct node *key = node_first(object);

	if (!keys)
		return -ENOMEM;
	for (uint32_t i = 0; i < object->length; i++, key = node_next(key + 1))
		keys[i] = key->text;
	qsort(keys, object->length, sizeof(*keys), compare_keys);
	for (uint32_t i = 1; i < object->length; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return -EINVAL;
	return 0;
}

/* Whether every key is there once. */
static int check_keys(const struct node *object)
{
	const struct node *key = node_first(object);

	if (object->length > FEW_KEYS)
		return check_many_keys(object);
	for (uint32_t i = 0; i < object->length; i++, key = node_next(key + 1)) {
		const struct node *other = node_first(object);

		for (; other != key; other = node_next(other + 1))
			if (other->length == key->length && strcmp(other->text, key->text) == 0)
				return -EINVAL;
	}
	return 0;
}

static int parse_key(struct parser *parser)
{
	int result;

	skip_space(parser);
	if (*parser->at != '"')
		return -EINVAL;
	result = parse_string(parser);
	if (result < 0)
		return result;
	skip_space(parser);
	return *parser->at++ == ':' ? 0 : -EINVAL;
}

/* One item more, and what follows it. Returns 1 while there is another one. */
static int parse_item(struct parser *parser, bool is_object, char close)
{
	int result = is_object ? parse_key(parser) : 0;
	char next;

	if (result == 0)
		result = parse_value(parser);
	if (result < 0)
		return result;
	skip_space(parser);
	next = *parser->at++;
	if (next != ',')
		return next == close ? 0 : -EINVAL;
	return ++parser->values > parser->value_limit ? -EFBIG : 1;
}

static int parse_items(struct parser *parser, enum node_type type)
{
	bool is_object = type == NODE_OBJECT;
	char close = is_object ? '}' : ']';
	ssize_t index = add_node(parser, type);
	uint32_t count = 0;
	struct node *node;
	int result = 1;

	if (index < 0)
		return (int)index;
	if (++parser->values > parser->value_limit)
		return -EFBIG;
	if (++parser->depth > DEPTH_LIMIT)
		return -EINVAL;
	parser->at++;
	skip_space(parser);
	if (*parser->at == close) {
		parser->at++;
		result = 0;
	}
	while (result > 0) {
		result = parse_item(parser, is_object, close);
		count++;
	}
	parser->depth--;
	if (result < 0)
		return result;
	node = &parser->document->nodes[index];
	node->length = count;
	node->size = (uint32_t)(parser->document->count - (size_t)index);
	return is_object ? check_keys(node) : 0;
}

static int parse_value(struct parser *parser)
{
	skip_space(parser);
	switch (*parser->at) {
	case '"':
		return parse_string(parser);
	case '[':
		return parse_items(parser, NODE_ARRAY);
	case '{':
		return parse_items(parser, NODE_OBJECT);
	case '-':
	case '0' ... '9':
		return parse_number(parser);
	default:
		return parse_word(parser);
	}
}

/* ---- the whole ---- */

int document_parse(const char *bytes, size_t size, size_t value_limit,
		   struct document **ret_document)
{
	_cleanup_(document_freep) struct document *document = calloc(1, sizeof(*document));
	struct parser parser = {.document = document, .value_limit = value_limit};
	int result;

	if (!document || size > INT32_MAX)
		return document ? -EFBIG : -ENOMEM;
	document->text = malloc(size + 1);
	if (!document->text)
		return -ENOMEM;
	memcpy(document->text, bytes, size);
	document->text[size] = '\0';
	parser.at = document->text;
	parser.end = document->text + size;
	result = parse_value(&parser);
	if (result < 0)
		return result;
	skip_space(&parser);
	if (parser.at != parser.end || document->nodes->type < NODE_ARRAY)
		return -EINVAL;
	*ret_document = take_pointer(document);
	return 0;
}

void document_free(struct document *document)
{
	if (!document)
		return;
	free(document->text);
	free(document->nodes);
	free(document);
}

void document_freep(struct document **document)
{
	document_free(*document);
}

const struct node *document_root(const struct document *document)
{
	return document->nodes;
}

const struct node *node_get(const struct node *object, const char *name)
{
	const struct node *key = node_first(object);

	if (object->type != NODE_OBJECT)
		return NULL;
	for (uint32_t i = 0; i < object->length; i++, key = node_next(key + 1))
		if (strcmp(key->text, name) == 0)
			return key + 1;
	return NULL;
}

static json_t *items_to_json(const struct node *node)
{
	json_t *json = node->type == NODE_OBJECT ? json_object() : json_array();
	const struct node *item = node_first(node);
	int result = json ? 0 : -1;

	for (uint32_t i = 0; result == 0 && i < node->length; i++, item = node_next(item)) {
		const char *key = NULL;
		json_t *value;

		if (node->type == NODE_OBJECT)
			key = item++->text;
		value = node_to_json(item);
		result = key ? json_object_set_new_nocheck(json, key, value)
			     : json_array_append_new(json, value);
	}
	if (result == 0)
		return json;
	json_decref(json);
	return NULL;
}

json_t *node_to_json(const struct node *node)
{
	switch (node->type) {
	case NODE_NULL:
		return json_null();
	case NODE_FALSE:
		return json_false();
	case NODE_TRUE:
		return json_true();
	case NODE_INTEGER:
		return json_integer(node->integer);
	case NODE_REAL:
		return json_real(node->real);
	case NODE_STRING:
		return json_string_nocheck(node->text);
	case NODE_ARRAY:
	case NODE_OBJECT:
		break;
	}
	return items_to_json(node);
}
