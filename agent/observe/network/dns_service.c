/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/dns_service.h"

#include <errno.h>
#include <stdbool.h>

#include "base/bytes.h"

/* RFC 9460 section 14.3.2 */
enum service_key {
	KEY_MANDATORY = 0,
	KEY_ALPN = 1,
	KEY_NO_DEFAULT_ALPN = 2,
	KEY_PORT = 3,
	KEY_IPV4_HINT = 4,
	KEY_ECH = 5,
	KEY_IPV6_HINT = 6,
	KEYS_CHECKED,
};

/* RFC 1035 section 2.3.4 */
#define LABEL_SIZE_MAX 63
#define NAME_WIRE_MAX  255

/* The target is written out: compression is forbidden here (RFC 9460 section 2.2). */
static bool skip_name(struct bytes *data)
{
	size_t total = 0;
	const uint8_t *label;
	uint8_t size;

	do {
		if (!bytes_take_u8(data, &size) || size > LABEL_SIZE_MAX ||
		    !bytes_take(data, size, &label))
			return false;
		total += 1U + size;
	} while (size > 0 && total <= NAME_WIRE_MAX);
	return size == 0 && total <= NAME_WIRE_MAX;
}

static bool alpn_is_valid(struct bytes value)
{
	const uint8_t *id;
	uint8_t size;

	if (value.left == 0)
		return false;
	while (value.left > 0)
		if (!bytes_take_u8(&value, &size) || size == 0 || !bytes_take(&value, size, &id))
			return false;
	return true;
}

/* Keys in strictly ascending order, never itself (RFC 9460 section 8). */
static bool mandatory_is_valid(struct bytes value)
{
	int previous = KEY_MANDATORY;
	uint16_t key;

	if (value.left == 0 || value.left % 2 != 0)
		return false;
	while (bytes_take_be16(&value, &key)) {
		if (key <= previous)
			return false;
		previous = key;
	}
	return true;
}

static bool value_is_valid(uint16_t key, struct bytes value)
{
	switch (key) {
	case KEY_MANDATORY:
		return mandatory_is_valid(value);
	case KEY_ALPN:
		return alpn_is_valid(value);
	case KEY_NO_DEFAULT_ALPN:
		return value.left == 0;
	case KEY_PORT:
		return value.left == 2;
	case KEY_IPV4_HINT:
		return value.left > 0 && value.left % 4 == 0;
	case KEY_IPV6_HINT:
		return value.left > 0 && value.left % 16 == 0;
	default:
		return true;
	}
}

/* Every key called mandatory has to be there. Both lists ascend. */
static bool mandatory_are_present(struct bytes mandatory, struct bytes parameters)
{
	struct bytes value;
	uint16_t wanted, key = 0, size;

	while (bytes_take_be16(&mandatory, &wanted)) {
		do {
			if (!bytes_take_be16(&parameters, &key) ||
			    !bytes_take_be16(&parameters, &size) ||
			    !bytes_take_part(&parameters, size, &value))
				return false;
		} while (key < wanted);
		if (key != wanted)
			return false;
	}
	return true;
}

int dns_service_parse(const uint8_t *bytes, size_t size, struct dns_service *ret_service)
{
	struct bytes values[KEYS_CHECKED] = {0};
	struct bytes data = {bytes, size};
	struct bytes parameters, value;
	uint16_t priority, key, value_size;
	int previous = -1;

	if (!bytes_take_be16(&data, &priority) || !skip_name(&data))
		return -EBADMSG;
	parameters = data;
	while (data.left > 0) {
		if (!bytes_take_be16(&data, &key) || !bytes_take_be16(&data, &value_size) ||
		    !bytes_take_part(&data, value_size, &value) || key <= previous ||
		    !value_is_valid(key, value))
			return -EBADMSG;
		previous = key;
		if (key < KEYS_CHECKED)
			values[key] = value;
	}
	if (!mandatory_are_present(values[KEY_MANDATORY], parameters))
		return -EBADMSG;
	/* RFC 9460 section 7.1.1 */
	if (values[KEY_NO_DEFAULT_ALPN].at && !values[KEY_ALPN].at)
		return -EBADMSG;
	/* section 2.4.2: an alias's parameters are ignored */
	if (priority == 0)
		values[KEY_IPV4_HINT] = values[KEY_IPV6_HINT] = (struct bytes){0};
	*ret_service = (struct dns_service){
		.ipv4_hints = values[KEY_IPV4_HINT].at,
		.ipv4_size = values[KEY_IPV4_HINT].left,
		.ipv6_hints = values[KEY_IPV6_HINT].at,
		.ipv6_size = values[KEY_IPV6_HINT].left,
	};
	return 0;
}
