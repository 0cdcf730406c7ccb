/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/dhcp.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* RFC 2131, figure 1 */
enum {
	OFFSET_HARDWARE_TYPE = 1,
	OFFSET_HARDWARE_SIZE = 2,
	OFFSET_TRANSACTION = 4,
	OFFSET_CLIENT = 12,
	OFFSET_YOUR = 16,
	OFFSET_CLIENT_HARDWARE = 28,
	OFFSET_SERVER_NAME = 44,
	OFFSET_FILE = 108,
	OFFSET_COOKIE = 236,
	OFFSET_OPTIONS = 240,
	HARDWARE_ETHERNET = 1,
};

static const uint8_t cookie[4] = {99, 130, 83, 99};

/* RFC 2132 */
enum {
	OPTION_PAD = 0,
	OPTION_SUBNET_MASK = 1,
	OPTION_ROUTER = 3,
	OPTION_RESOLVER = 6,
	OPTION_BROADCAST = 28,
	OPTION_OVERLOAD = 52,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_END = 255,
};

static struct ip_address address_at(const uint8_t *bytes)
{
	static const uint8_t none[4];

	if (memcmp(bytes, none, sizeof(none)) == 0)
		return (struct ip_address){0};
	return ip_from_ipv4(bytes);
}

static size_t addresses_at(const uint8_t *bytes, size_t size, struct ip_address *ret_addresses)
{
	size_t count = 0;

	for (; size >= 4 && count < DHCP_ADDRESSES_MAX; bytes += 4, size -= 4) {
		struct ip_address address = address_at(bytes);

		if (address.family)
			ret_addresses[count++] = address;
	}
	return count;
}

static void read_option(struct dhcp_message *message, uint8_t code, const uint8_t *bytes,
			size_t size, uint8_t *overload)
{
	if (code == OPTION_TYPE && size == 1)
		message->type = bytes[0];
	else if (code == OPTION_OVERLOAD && size == 1)
		*overload = bytes[0];
	else if (code == OPTION_SERVER && size == 4)
		message->server = address_at(bytes);
	else if (code == OPTION_SUBNET_MASK && size == 4)
		message->subnet_mask = address_at(bytes);
	else if (code == OPTION_BROADCAST && size == 4)
		message->broadcast = address_at(bytes);
	else if (code == OPTION_ROUTER)
		message->router_count = addresses_at(bytes, size, message->routers);
	else if (code == OPTION_RESOLVER)
		message->resolver_count = addresses_at(bytes, size, message->resolvers);
}

static int read_options(struct dhcp_message *message, const uint8_t *bytes, size_t size,
			uint8_t *overload)
{
	size_t at = 0;

	while (at < size && bytes[at] != OPTION_END) {
		size_t length;

		if (bytes[at] == OPTION_PAD) {
			at++;
			continue;
		}
		if (size - at < 2)
			return -EBADMSG;
		length = bytes[at + 1];
		if (length > size - at - 2)
			return -EBADMSG;
		read_option(message, bytes[at], bytes + at + 2, length, overload);
		at += 2 + length;
	}
	return 0;
}

int dhcp_message_parse(const uint8_t *bytes, size_t size, struct dhcp_message *ret_message)
{
	struct dhcp_message message = {0};
	uint8_t overload = 0;
	uint8_t ignored = 0;

	if (size < OFFSET_OPTIONS || memcmp(bytes + OFFSET_COOKIE, cookie, sizeof(cookie)) != 0)
		return -EBADMSG;
	message.operation = bytes[0];
	memcpy(&message.transaction, bytes + OFFSET_TRANSACTION, 4);
	if (bytes[OFFSET_HARDWARE_TYPE] == HARDWARE_ETHERNET && bytes[OFFSET_HARDWARE_SIZE] == 6)
		memcpy(message.client_mac.bytes, bytes + OFFSET_CLIENT_HARDWARE, 6);
	message.client = address_at(bytes + OFFSET_YOUR);
	if (!message.client.family)
		message.client = address_at(bytes + OFFSET_CLIENT);
	if (read_options(&message, bytes + OFFSET_OPTIONS, size - OFFSET_OPTIONS, &overload) < 0)
		return -EBADMSG;
	/* RFC 2132, 9.3: 1 the file field, 2 the server name field, 3 both hold options too */
	if (overload & 1 &&
	    read_options(&message, bytes + OFFSET_FILE, OFFSET_COOKIE - OFFSET_FILE, &ignored) < 0)
		return -EBADMSG;
	if (overload & 2 && read_options(&message, bytes + OFFSET_SERVER_NAME,
					 OFFSET_FILE - OFFSET_SERVER_NAME, &ignored) < 0)
		return -EBADMSG;
	if (message.type == 0)
		return -EBADMSG;
	*ret_message = message;
	return 0;
}
