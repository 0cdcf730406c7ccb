/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "base/cleanup.h"
#include "profiles/document.h"

#define TEXT(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

static const struct {
	const char *bytes;
	size_t size;
} texts[] = {
	/* values */
	TEXT("{}"),
	TEXT("[]"),
	TEXT(" \t\r\n[ ] "),
	TEXT("[null, true, false]"),
	TEXT("[nul]"),
	TEXT("[nulll]"),
	TEXT("[True]"),
	TEXT("1"),
	TEXT("\"a\""),
	TEXT("null"),
	TEXT(""),
	TEXT(" "),
	TEXT("[] []"),
	TEXT("[]x"),
	TEXT("[]\0"),
	TEXT("\xef\xbb\xbf[]"),
	/* arrays and objects */
	TEXT("["),
	TEXT("[1"),
	TEXT("[1,"),
	TEXT("[1,]"),
	TEXT("[,1]"),
	TEXT("[1 2]"),
	TEXT("[1}"),
	TEXT("{\"a\": 1, \"b\": [1, {\"c\": []}], \"d\": {}}"),
	TEXT("{\"a\" 1}"),
	TEXT("{\"a\":}"),
	TEXT("{\"a\": 1,}"),
	TEXT("{a: 1}"),
	TEXT("{1: 1}"),
	TEXT("{\"a\""),
	TEXT("{\"a\": 1, \"a\": 2}"),
	TEXT("{\"a\": 1, \"\\u0061\": 2}"),
	TEXT("{\"a\": {\"a\": 1}, \"aa\": 1, \"\": 1}"),
	TEXT("{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":1,\"10\":1,"
	     "\"11\":1,\"12\":1,\"13\":1,\"14\":1}"),
	TEXT("{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":1,\"10\":1,"
	     "\"11\":1,\"12\":1,\"13\":1,\"5\":1}"),
	/* numbers */
	TEXT("[0, -0, 10, -7, 9223372036854775807, -9223372036854775808]"),
	TEXT("[9223372036854775808]"),
	TEXT("[-9223372036854775809]"),
	TEXT("[0.5, -1.25e3, 1E-2, 2e+1, 1e-999]"),
	TEXT("[1e999]"),
	TEXT("[01]"),
	TEXT("[-]"),
	TEXT("[+1]"),
	TEXT("[.5]"),
	TEXT("[1.]"),
	TEXT("[1e]"),
	TEXT("[1e+]"),
	TEXT("[0x1]"),
	TEXT("[NaN]"),
	TEXT("[Infinity]"),
	/* strings */
	TEXT("[\"\", \"a b\", \"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
	TEXT("[\"\\u00e9\\u20ac\\ud83d\\ude00 \\u0001\"]"),
	TEXT("[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]"),
	TEXT("[\"x\\ty\xc3\xa9\"]"),
	TEXT("[\"\\u0000\"]"),
	TEXT("[\"\\ud800\"]"),
	TEXT("[\"\\ud800x\"]"),
	TEXT("[\"\\ud800\\u0061\"]"),
	TEXT("[\"\\udc00\"]"),
	TEXT("[\"\\ud800\\ud800\"]"),
	TEXT("[\"\\u12\"]"),
	TEXT("[\"\\u12g4\"]"),
	TEXT("[\"\\x\"]"),
	TEXT("[\"\\"),
	TEXT("[\"\\\""),
	TEXT("[\"a"),
	TEXT("[\"a\nb\"]"),
	TEXT("[\"a\0b\"]"),
	TEXT("[\"\x7f\"]"),
	TEXT("[\"\xff\"]"),
	TEXT("[\"\xc3\"]"),
	TEXT("[\"\xc0\x80\"]"),
	TEXT("[\"\xed\xa0\x80\"]"),
	TEXT("[\"\xf5\x80\x80\x80\"]"),
	TEXT("['a']"),
};

/* What jansson refuses is refused, and what it reads is read the same. */
static void the_same_as_jansson(void **state)
{
	size_t good = 0;

	(void)state;
	for (size_t i = 0; i < array_length(texts); i++) {
		json_t *expected =
			json_loadb(texts[i].bytes, texts[i].size, JSON_REJECT_DUPLICATES, NULL);
		struct document *document = NULL;
		int result = document_parse(texts[i].bytes, texts[i].size, 1000, &document);
		json_t *found = NULL;

		if (result == 0)
			found = node_to_json(document_root(document));
		if (result != (expected ? 0 : -EINVAL) || !json_equal(expected, found) != !expected)
			fail_msg("%s: %d", texts[i].bytes, result);
		good += result == 0;
		document_free(document);
		json_decref(expected);
		json_decref(found);
	}
	assert_in_range(good, 10, array_length(texts) / 2);
}

static int parse_nested(size_t depth, size_t value_limit)
{
	char *text = malloc(2 * depth);
	struct document *document = NULL;
	int result;

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	result = document_parse(text, 2 * depth, value_limit, &document);
	document_free(document);
	free(text);
	return result;
}

static void limits(void **state)
{
	struct document *document;

	(void)state;
	assert_int_equal(parse_nested(2048, 10000), 0);
	assert_int_equal(parse_nested(2049, 10000), -EINVAL);
	assert_int_equal(parse_nested(1000000, 2000000), -EINVAL);
	assert_int_equal(parse_nested(20, 20), 0);
	assert_int_equal(parse_nested(21, 20), -EFBIG);
	assert_int_equal(document_parse("[1, 2, 3]", 9, 2, &document), -EFBIG);
	assert_int_equal(document_parse("[1, 2, 3]", 9, 3, &document), 0);
	document_free(document);
}

static void walking(void **state)
{
	static const char text[] = "{\"a\": [1, [2, 3], \"x\"], \"b\": {\"c\": true}, \"d\": 1.5}";
	struct document *document;
	const struct node *root;
	const struct node *item;

	(void)state;
	assert_int_equal(document_parse(text, strlen(text), 100, &document), 0);
	root = document_root(document);
	assert_int_equal(node_count(root), 3);
	item = node_get(root, "a");
	assert_int_equal(node_count(item), 3);
	item = node_first(item);
	assert_int_equal(item->integer, 1);
	assert_null(node_string(item));
	assert_int_equal(node_count(item), 0);
	item = node_next(node_next(item));
	assert_string_equal(node_string(item), "x");
	assert_int_equal(node_get(node_get(root, "b"), "c")->type, NODE_TRUE);
	assert_int_equal(node_get(root, "d")->type, NODE_REAL);
	assert_null(node_get(root, "c"));
	assert_null(node_get(node_get(root, "a"), "x"));
	document_free(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_as_jansson),
		cmocka_unit_test(limits),
		cmocka_unit_test(walking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
