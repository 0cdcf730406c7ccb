/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard/verdict_cache.h"

static struct file_key key_of(uint64_t inode)
{
	return (struct file_key){.device = 1, .inode = inode, .size = 7};
}

static void finds_what_was_added(void **state)
{
	struct verdict_cache *cache;
	struct file_key key = key_of(5);
	struct file_key later = key;
	struct verdict_entry *entry;

	(void)state;
	assert_int_equal(verdict_cache_new(16, &cache), 0);
	assert_null(verdict_cache_find(cache, &key));
	entry = verdict_cache_add(cache, &key);
	assert_int_equal(entry->marked, 0);
	entry->sha256[0] = 9;
	assert_ptr_equal(verdict_cache_find(cache, &key), entry);
	assert_ptr_equal(verdict_cache_add(cache, &key), entry);
	/* another state of the same file is another content */
	later.changed_ns = 1;
	assert_null(verdict_cache_find(cache, &later));
	(void)verdict_cache_add(cache, &later);
	verdict_cache_forget(cache, key.device, key.inode);
	assert_null(verdict_cache_find(cache, &key));
	assert_null(verdict_cache_find(cache, &later));
	verdict_cache_free(cache);
}

/* However many there are, memory stays what it was, and none is taken for
 * another. */
static void makes_room(void **state)
{
	struct verdict_cache *cache;
	size_t kept = 0;

	(void)state;
	assert_int_equal(verdict_cache_new(4, &cache), 0);
	for (uint64_t inode = 1; inode <= 1000; inode++) {
		struct file_key key = key_of(inode);

		memcpy(verdict_cache_add(cache, &key)->sha256, &inode, sizeof(inode));
	}
	for (uint64_t inode = 1; inode <= 1000; inode++) {
		struct file_key key = key_of(inode);
		const struct verdict_entry *entry = verdict_cache_find(cache, &key);

		if (!entry)
			continue;
		kept++;
		assert_memory_equal(entry->sha256, &inode, sizeof(inode));
	}
	assert_true(kept > 0 && kept <= 16);
	verdict_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(finds_what_was_added),
		cmocka_unit_test(makes_room),
	};

	return cmocka_run_group_tests_name("verdict_cache", all, NULL, NULL);
}
