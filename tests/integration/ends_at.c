/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded: whatever hashes content that begins with an ELF header and holds the words below ends
 * at it, as if that content had found a fault in rtguard.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* One letter is another, or this file would be such content itself. */
#define WORDS "This content ends whoever reads it"

typedef int (*update_fn)(void *state, const unsigned char *bytes, unsigned long long size);

int crypto_hash_sha256_update(void *state, const unsigned char *bytes, unsigned long long size);

int crypto_hash_sha256_update(void *state, const unsigned char *bytes, unsigned long long size)
{
	update_fn next = (update_fn)dlsym(RTLD_NEXT, "crypto_hash_sha256_update");
	char words[] = WORDS;

	words[0] = 't';
	__asm__(""
		:
		: "r"(words)
		: "memory"); /* or the compiler puts the finished word into the file */
	if (size > 4 && memcmp(bytes, "\177ELF", 4) == 0 &&
	    memmem(bytes, (size_t)size, words, sizeof(WORDS) - 1))
		abort();
	return next(state, bytes, size);
}
