/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/hello.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hostname.h"

/* RFC 8446 section 5.1 and appendix B */
#define CONTENT_HANDSHAKE     22
#define RECORD_SIZE_MAX	      16384
#define MESSAGE_CLIENT_HELLO  1
#define EXTENSION_SERVER_NAME 0
/* RFC 6066 section 3 */
#define NAME_TYPE_HOST 0

/*
 * A vector with a length in front, of which perhaps only the beginning has arrived: what is there
 * of it, and whether that is all.
 */
struct vector {
	struct bytes bytes;
	bool whole;
};

/* Takes size bytes of a message of which the rest may be under way. -EBADMSG when what encloses
 * them has all arrived and is shorter, -EAGAIN when they have not arrived. */
static int take(struct vector *from, size_t size, const uint8_t **ret_taken)
{
	if (bytes_take(&from->bytes, size, ret_taken))
		return 0;
	return from->whole ? -EBADMSG : -EAGAIN;
}

/* The length is one or two bytes. */
static int take_vector(struct vector *from, unsigned int length_size, struct vector *ret_vector)
{
	struct vector after = *from;
	const uint8_t *length;
	size_t size, arrived;
	int error = take(&after, length_size, &length);

	if (error < 0)
		return error;
	size = length_size == 1 ? length[0] : be16_at(length);
	arrived = size < after.bytes.left ? size : after.bytes.left;
	if (arrived < size && after.whole)
		return -EBADMSG;
	bytes_take_part(&after.bytes, arrived, &ret_vector->bytes);
	ret_vector->whole = arrived == size;
	*from = after;
	return 0;
}

/* The same where only the whole is of use. */
static int take_whole_vector(struct vector *from, unsigned int length_size, struct bytes *ret_bytes)
{
	struct vector vector;
	int error = take_vector(from, length_size, &vector);

	if (error < 0)
		return error;
	if (!vector.whole)
		return -EAGAIN;
	*ret_bytes = vector.bytes;
	return 0;
}

/* RFC 6066 section 3: a list of names, at most one of each type. Types other than host_name do not
 * exist. */
static int parse_server_name(struct bytes extension, char ret_name[NAME_SIZE])
{
	struct bytes list, name;
	uint16_t size;
	uint8_t type;

	if (!bytes_take_be16(&extension, &size) || size != extension.left)
		return -EBADMSG;
	list = extension;
	if (!bytes_take_u8(&list, &type) || !bytes_take_be16(&list, &size) || size == 0 ||
	    !bytes_take_part(&list, size, &name))
		return -EBADMSG;
	if (type != NAME_TYPE_HOST)
		return -ENOMSG;
	if (list.left > 0)
		return -EBADMSG;
	return hostname_normalise((const char *)name.at, name.left, ret_name) < 0 ? -ENOMSG : 0;
}

/* Reads as far as the bytes go. Once the name is found, what has not arrived yet cannot take it
 * away, but what has arrived must be well-formed. */
static int parse_extensions(struct vector extensions, char ret_name[NAME_SIZE])
{
	bool seen = false;
	int result = -ENOMSG;

	while (extensions.bytes.left > 0 || !extensions.whole) {
		const uint8_t *type;
		struct bytes extension;
		int error = take(&extensions, 2, &type);

		if (error == 0)
			error = take_whole_vector(&extensions, 2, &extension);
		if (error == -EAGAIN && seen)
			break;
		if (error < 0)
			return error;
		if (be16_at(type) != EXTENSION_SERVER_NAME)
			continue;
		if (seen)
			return -EBADMSG;
		seen = true;
		result = parse_server_name(extension, ret_name);
		if (result == -EBADMSG)
			return result;
	}
	return result;
}

/* RFC 8446 section 4.1.2, behind the handshake header */
static int parse_client_hello(struct vector hello, char ret_name[NAME_SIZE])
{
	const uint8_t *version, *random;
	struct bytes session, ciphers, compressions;
	struct vector extensions;
	int error;

	if ((error = take(&hello, 2, &version)) < 0)
		return error;
	if (version[0] != 3)
		return -EBADMSG;
	if ((error = take(&hello, 32, &random)) < 0 ||
	    (error = take_whole_vector(&hello, 1, &session)) < 0 ||
	    (error = take_whole_vector(&hello, 2, &ciphers)) < 0 ||
	    (error = take_whole_vector(&hello, 1, &compressions)) < 0)
		return error;
	if (session.left > 32 || ciphers.left == 0 || ciphers.left % 2 != 0 ||
	    compressions.left == 0)
		return -EBADMSG;
	/* before TLS 1.3 extensions may be missing altogether */
	if (hello.whole && hello.bytes.left == 0)
		return -ENOMSG;
	if ((error = take_vector(&hello, 2, &extensions)) < 0)
		return error;
	if (hello.bytes.left > 0)
		return -EBADMSG;
	return parse_extensions(extensions, ret_name);
}

int tls_client_hello_name(const uint8_t *bytes, size_t size, char ret_name[NAME_SIZE])
{
	struct vector message = {{bytes, size}, false};
	char name[NAME_SIZE];
	const uint8_t *header;
	size_t hello_size;
	int error;

	if (size > 0 && bytes[0] != MESSAGE_CLIENT_HELLO)
		return -ENOMSG;
	if (take(&message, 4, &header) < 0)
		return -EAGAIN;
	hello_size = be24_at(header + 1);
	if (hello_size > CLIENT_HELLO_MAX - 4)
		return -ENOMSG;
	message.whole = message.bytes.left >= hello_size;
	if (message.whole)
		message.bytes.left = hello_size;
	error = parse_client_hello(message, name);
	if (error == 0)
		memcpy(ret_name, name, strlen(name) + 1);
	return error;
}

/* RFC 8446 section 5.1: type, version, length. Returns -EAGAIN while the header is not there. */
static int take_record(struct bytes *stream, struct bytes *ret_fragment)
{
	static const uint8_t type_and_major[] = {CONTENT_HANDSHAKE, 3};
	size_t checked =
		stream->left < sizeof(type_and_major) ? stream->left : sizeof(type_and_major);
	const uint8_t *header;
	size_t size;

	if (memcmp(stream->at, type_and_major, checked) != 0)
		return -ENOMSG;
	if (!bytes_take(stream, 5, &header))
		return -EAGAIN;
	size = be16_at(header + 3);
	if (size == 0 || size > RECORD_SIZE_MAX)
		return -EBADMSG;
	bytes_take_part(stream, size < stream->left ? size : stream->left, ret_fragment);
	return 0;
}

/* Whether the beginning of a message says that there is no more of it, or none that counts. */
static bool message_is_whole(const uint8_t *message, size_t arrived)
{
	return arrived == CLIENT_HELLO_MAX ||
	       (arrived >= 4 && arrived >= be24_at(message + 1) + 4U);
}

int tls_server_name(const uint8_t *bytes, size_t size, char ret_name[NAME_SIZE])
{
	struct bytes stream = {bytes, size};
	uint8_t message[CLIENT_HELLO_MAX];
	size_t arrived = 0;

	while (stream.left > 0 && !message_is_whole(message, arrived)) {
		struct bytes fragment;
		int error = take_record(&stream, &fragment);

		if (error == -EAGAIN)
			break;
		/* RFC 8446 section 5.1: nothing may stand between the records of one message */
		if (error < 0)
			return arrived > 0 ? -EBADMSG : error;
		if (fragment.left > sizeof(message) - arrived)
			fragment.left = sizeof(message) - arrived;
		memcpy(message + arrived, fragment.at, fragment.left);
		arrived += fragment.left;
	}
	return tls_client_hello_name(message, arrived, ret_name);
}
