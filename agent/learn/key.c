/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "learn/key.h"

#include <stdlib.h>
#include <string.h>

#define NOT_KNOWN 0xffffu

void key_start(struct key *key)
{
	key->size = 0;
	key->overflow = false;
}

void key_bytes(struct key *key, const void *bytes, size_t size)
{
	if (size > sizeof(key->bytes) - key->size) {
		key->overflow = true;
		return;
	}
	memcpy(key->bytes + key->size, bytes, size);
	key->size += size;
}

void key_number(struct key *key, uint64_t number, unsigned int bytes)
{
	unsigned char big_endian[8];

	for (unsigned int i = 0; i < bytes; i++)
		big_endian[i] = (unsigned char)(number >> 8 * (bytes - 1 - i));
	key_bytes(key, big_endian, bytes);
}

void key_mac(struct key *key, const struct mac_address *mac)
{
	key_bytes(key, mac->bytes, sizeof(mac->bytes));
}

void key_address(struct key *key, const struct ip_address *address)
{
	key_number(key, address->family, 1);
	key_bytes(key, address->bytes, sizeof(address->bytes));
}

void key_sha256(struct key *key, const uint8_t *sha256)
{
	key_number(key, sha256 != NULL, 1);
	if (sha256)
		key_bytes(key, sha256, 32);
}

void key_string(struct key *key, const char *string)
{
	size_t length = string ? strlen(string) : 0;

	if (length >= NOT_KNOWN) {
		key->overflow = true;
		return;
	}
	key_number(key, string ? length : NOT_KNOWN, 2);
	if (string)
		key_bytes(key, string, length);
}

struct key_reader key_read(const void *key, size_t size)
{
	return (struct key_reader){.at = key, .left = size};
}

static const unsigned char *take(struct key_reader *reader, size_t size)
{
	const unsigned char *bytes = reader->at;

	if (size > reader->left)
		return NULL;
	reader->at += size;
	reader->left -= size;
	return bytes;
}

uint64_t key_read_number(struct key_reader *reader, unsigned int bytes)
{
	const unsigned char *big_endian = take(reader, bytes);
	uint64_t number = 0;

	for (unsigned int i = 0; big_endian && i < bytes; i++)
		number = number << 8 | big_endian[i];
	return number;
}

struct mac_address key_read_mac(struct key_reader *reader)
{
	const unsigned char *bytes = take(reader, sizeof(struct mac_address));
	struct mac_address mac = {0};

	if (bytes)
		memcpy(mac.bytes, bytes, sizeof(mac.bytes));
	return mac;
}

struct ip_address key_read_address(struct key_reader *reader)
{
	struct ip_address address = {.family = (uint8_t)key_read_number(reader, 1)};
	const unsigned char *bytes = take(reader, sizeof(address.bytes));

	if (bytes)
		memcpy(address.bytes, bytes, sizeof(address.bytes));
	return address;
}

const uint8_t *key_read_sha256(struct key_reader *reader)
{
	return key_read_number(reader, 1) ? take(reader, 32) : NULL;
}

struct key_text key_read_text(struct key_reader *reader)
{
	struct key_text text = {.size = key_read_number(reader, 2)};

	if (text.size == NOT_KNOWN)
		text.size = 0;
	else
		text.bytes = (const char *)take(reader, text.size);
	return text;
}

char *key_read_string(struct key_reader *reader, bool *broken)
{
	struct key_text text = key_read_text(reader);
	char *copy;

	if (!text.bytes)
		return NULL;
	copy = strndup(text.bytes, text.size);
	if (!copy)
		*broken = true;
	return copy;
}

static bool string_fits(struct key_reader *reader, bool may_be_unknown)
{
	size_t left = reader->left;
	struct key_text text = key_read_text(reader);

	if (left < 2)
		return false;
	if (!text.bytes)
		return may_be_unknown && reader->left == left - 2 && text.size == 0;
	return !memchr(text.bytes, 0, text.size);
}

static bool address_fits(struct key_reader *reader)
{
	static const uint8_t rest[12];
	struct ip_address address;

	if (reader->left < 1 + sizeof(address.bytes))
		return false;
	address = key_read_address(reader);
	return address.family == 6 ||
	       (address.family == 4 && memcmp(address.bytes + 4, rest, sizeof(rest)) == 0) ||
	       (address.family == 0 && address.bytes[0] == 0 &&
		memcmp(address.bytes, address.bytes + 1, 15) == 0);
}

static bool sha256_fits(struct key_reader *reader)
{
	const unsigned char *known = take(reader, 1);

	return known && (*known == 0 || (*known == 1 && take(reader, 32)));
}

bool key_fits(const char *shape, const void *key, size_t size)
{
	struct key_reader reader = key_read(key, size);

	for (; *shape; shape++) {
		bool fits = false;

		switch (*shape) {
		case '1':
		case '2':
		case '8':
			fits = take(&reader, (size_t)(*shape - '0')) != NULL;
			break;
		case 'm':
			fits = take(&reader, sizeof(struct mac_address)) != NULL;
			break;
		case 'a':
			fits = address_fits(&reader);
			break;
		case 'h':
			fits = sha256_fits(&reader);
			break;
		case 's':
		case 'n':
			fits = string_fits(&reader, *shape == 'n');
			break;
		case '*':
			fits = true;
			while (fits && reader.left > 0)
				fits = string_fits(&reader, false);
			break;
		}
		if (!fits)
			return false;
	}
	return reader.left == 0;
}
