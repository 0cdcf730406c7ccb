/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/key_file.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define BASE64_SIZE ((size_t)sodium_base64_ENCODED_LEN(KEY_SIZE, sodium_base64_VARIANT_ORIGINAL))

static const struct {
	const char *header; /* the id and a newline follow */
	const char *name;
	const char *ending;
} kinds[] = {
	[KEY_PUBLIC] = {"rtguard-public-key/1 ed25519 ", "public key", ".pub"},
	[KEY_SECRET] = {"rtguard-secret-key/1 ed25519 ", "secret key", ".key"},
};

void key_id_format(const uint8_t public_key[KEY_SIZE], char ret_id[KEY_ID_SIZE])
{
	uint8_t sum[crypto_hash_sha256_BYTES];

	(void)crypto_hash_sha256(sum, public_key, KEY_SIZE);
	hex_encode(sum, (KEY_ID_SIZE - 1) / 2, ret_id);
}

void key_file_format(enum key_kind kind, const char *id, const uint8_t key[KEY_SIZE],
		     char ret_text[KEY_FILE_SIZE])
{
	int length = snprintf(ret_text, KEY_FILE_SIZE, "%s%s\n", kinds[kind].header, id);

	/* straight into its place: no second copy of a secret */
	(void)sodium_bin2base64(ret_text + length, BASE64_SIZE, key, KEY_SIZE,
				sodium_base64_VARIANT_ORIGINAL);
	(void)strcat(ret_text, "\n");
}

static int refuse_header(const char *origin, const char *text, size_t size, enum key_kind kind,
			 struct error *error)
{
	for (size_t i = 0; i < array_length(kinds); i++) {
		size_t length = strlen(kinds[i].header);

		if (size >= length && memcmp(text, kinds[i].header, length) == 0)
			return error_set(error, EBADMSG,
					 "%s: is a %s; expected the %s, whose name ends in %s",
					 origin, kinds[i].name, kinds[kind].name,
					 kinds[kind].ending);
	}
	return error_set(error, EBADMSG, "%s: is no %s of rtguard: line 1 does not begin with '%s'",
			 origin, kinds[kind].name, kinds[kind].header);
}

static bool is_id(const char *text)
{
	return strspn(text, "0123456789abcdef") == KEY_ID_SIZE - 1;
}

int key_file_parse(const char *origin, const char *text, size_t size, enum key_kind kind,
		   char ret_id[KEY_ID_SIZE], uint8_t ret_key[KEY_SIZE], struct error *error)
{
	size_t header = strlen(kinds[kind].header);
	const char *body;
	char id[KEY_ID_SIZE] = "";
	const char *end;
	size_t length;
	size_t taken;

	if (size < header || memcmp(text, kinds[kind].header, header) != 0)
		return refuse_header(origin, text, size, kind, error);
	if (size >= header + KEY_ID_SIZE)
		memcpy(id, text + header, KEY_ID_SIZE - 1);
	if (!is_id(id) || text[header + KEY_ID_SIZE - 1] != '\n')
		return error_set(error, EBADMSG,
				 "%s: line 1: expected an id of %d lower-case hexadecimal digits "
				 "at its end",
				 origin, KEY_ID_SIZE - 1);
	body = text + header + KEY_ID_SIZE;
	length = size - header - KEY_ID_SIZE;
	end = memchr(body, '\n', length);
	if (end && end + 1 != body + length)
		return error_set(error, EBADMSG, "%s: line 3: nothing may follow the key", origin);
	if (end)
		length = (size_t)(end - body);
	if (length != BASE64_SIZE - 1)
		return error_set(error, EBADMSG,
				 "%s: line 2: the key has %zu characters instead of %zu", origin,
				 length, BASE64_SIZE - 1);
	if (sodium_base642bin(ret_key, KEY_SIZE, body, length, NULL, &taken, NULL,
			      sodium_base64_VARIANT_ORIGINAL) < 0 ||
	    taken != KEY_SIZE)
		return error_set(error, EBADMSG, "%s: line 2: the key is not in base64", origin);
	memcpy(ret_id, id, KEY_ID_SIZE);
	return 0;
}
