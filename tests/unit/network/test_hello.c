/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hello_builder.h"
#include "observe/network/hello.h"

#define NAME "www.Example.NET"

/* Where things are in the hello of put_client_hello(). */
#define SESSION_ID    38
#define CIPHER_SUITES 47
#define EXTENSIONS    55

static void make_hello(struct frame *hello)
{
	struct frame extensions = {.size = 0};

	put_grease(&extensions, 1);
	put_server_name(&extensions, 0, NAME, strlen(NAME));
	put_grease(&extensions, 300);
	put_client_hello(hello, &extensions);
}

static void every_beginning_of_a_hello_is_one(void **state)
{
	struct frame hello = {.size = 0}, stream = {.size = 0};
	char name[NAME_SIZE];
	size_t needed;

	(void)state;
	make_hello(&hello);
	put_record(&stream, hello.bytes, hello.size);
	needed = stream.size - 304;
	assert_int_equal(tls_server_name(NULL, 0, name), -EAGAIN);
	for (size_t size = 0; size <= stream.size; size++) {
		memset(name, 'x', sizeof(name));
		if (size < needed) {
			assert_int_equal(tls_server_name(stream.bytes, size, name), -EAGAIN);
			assert_int_equal(name[0], 'x');
		} else {
			assert_int_equal(tls_server_name(stream.bytes, size, name), 0);
			assert_string_equal(name, "www.example.net");
		}
	}
	/* what follows is the server's and the application's business */
	put_bytes(&stream, "\x14garbage", 8);
	assert_int_equal(tls_server_name(stream.bytes, stream.size, name), 0);
}

static void a_hello_may_span_records(void **state)
{
	struct frame hello = {.size = 0};
	char name[NAME_SIZE];

	(void)state;
	make_hello(&hello);
	for (size_t piece = 1; piece < hello.size; piece++) {
		struct frame stream = {.size = 0};

		for (size_t at = 0; at < hello.size; at += piece)
			put_record(&stream, hello.bytes + at,
				   hello.size - at < piece ? hello.size - at : piece);
		memset(name, 'x', sizeof(name));
		assert_int_equal(tls_server_name(stream.bytes, stream.size, name), 0);
		assert_string_equal(name, "www.example.net");
		assert_int_equal(tls_server_name(stream.bytes, 30, name), -EAGAIN);
	}
}

static void records_are_checked(void **state)
{
	struct frame hello = {.size = 0}, stream = {.size = 0};
	char name[NAME_SIZE] = "untouched";

	(void)state;
	assert_int_equal(tls_server_name((const uint8_t *)"GET / HTTP/1.1", 14, name), -ENOMSG);
	assert_int_equal(tls_server_name((const uint8_t *)"\x15", 1, name), -ENOMSG);
	assert_int_equal(tls_server_name((const uint8_t *)"\x16\x02", 2, name), -ENOMSG);
	assert_int_equal(tls_server_name((const uint8_t *)"\x16\3\1\0\0", 5, name), -EBADMSG);
	assert_int_equal(tls_server_name((const uint8_t *)"\x16\3\1\x40\1", 5, name), -EBADMSG);
	/* a ServerHello */
	assert_int_equal(tls_server_name((const uint8_t *)"\x16\3\1\1\0\2", 6, name), -ENOMSG);

	/* an alert in the middle of the hello */
	make_hello(&hello);
	put_record(&stream, hello.bytes, 20);
	put_record(&stream, hello.bytes + 20, hello.size - 20);
	stream.bytes[25] = 0x15;
	assert_int_equal(tls_server_name(stream.bytes, stream.size, name), -EBADMSG);
	assert_string_equal(name, "untouched");
}

static int name_of(const struct frame *extensions, char name[NAME_SIZE])
{
	struct frame hello = {.size = 0};

	put_client_hello(&hello, extensions);
	return tls_client_hello_name(hello.bytes, hello.size, name);
}

static void only_host_names_are_names(void **state)
{
	static const struct {
		const char *name;
		int error;
	} cases[] = {
		{"192.0.2.1", -ENOMSG},		  {"2001:db8::1", -ENOMSG},
		{"[2001:db8::1]", -ENOMSG},	  {"a b", -ENOMSG},
		{"caf\xc3\xa9.example", -ENOMSG}, {"", -EBADMSG},
		{"*.example", -ENOMSG},		  {"a..example", -ENOMSG},
	};
	char name[NAME_SIZE] = "untouched";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame extensions = {.size = 0};

		put_server_name(&extensions, 0, cases[i].name, strlen(cases[i].name));
		assert_int_equal(name_of(&extensions, name), cases[i].error);
		assert_string_equal(name, "untouched");
	}
}

static void a_hello_may_have_no_name(void **state)
{
	struct frame extensions = {.size = 0}, hello = {.size = 0};
	char name[NAME_SIZE] = "untouched";

	(void)state;
	assert_int_equal(name_of(&extensions, name), -ENOMSG);
	put_grease(&extensions, 0);
	assert_int_equal(name_of(&extensions, name), -ENOMSG);
	put_server_name(&extensions, 1, "a.example", 9);
	assert_int_equal(name_of(&extensions, name), -ENOMSG);

	/* before TLS 1.3: no extensions at all */
	extensions.size = 0;
	put_client_hello(&hello, &extensions);
	hello.size -= 2;
	set_be16(&hello, 2, hello.size - 4);
	assert_int_equal(tls_client_hello_name(hello.bytes, hello.size, name), -ENOMSG);
	/* larger than anybody's */
	set_be16(&hello, 2, CLIENT_HELLO_MAX - 3);
	assert_int_equal(tls_client_hello_name(hello.bytes, hello.size, name), -ENOMSG);
	assert_string_equal(name, "untouched");
}

/* Somewhere in a hello, whose length counts them. */
static void insert_zeros(struct frame *hello, size_t at, size_t size)
{
	memmove(hello->bytes + at + size, hello->bytes + at, hello->size - at);
	memset(hello->bytes + at, 0, size);
	hello->size += size;
	set_be16(hello, 2, hello->size - 4);
}

static void malformed_hellos_are_refused(void **state)
{
	struct frame extensions = {.size = 0}, hello = {.size = 0}, good = {.size = 0};
	char name[NAME_SIZE] = "untouched", other[NAME_SIZE];

	(void)state;
	/* the name twice: RFC 8446 section 4.2 */
	put_server_name(&extensions, 0, "a.example", 9);
	put_server_name(&extensions, 0, "b.example", 9);
	assert_int_equal(name_of(&extensions, name), -EBADMSG);

	/* something behind the name */
	extensions.size = 0;
	put_server_name(&extensions, 0, "a.example", 9);
	put_u8(&extensions, 0);
	set_be16(&extensions, 2, 15);
	assert_int_equal(name_of(&extensions, name), -EBADMSG);
	set_be16(&extensions, 4, 13);
	assert_int_equal(name_of(&extensions, name), -EBADMSG);

	/* the list of names longer than its extension */
	extensions.size = 0;
	put_server_name(&extensions, 0, "a.example", 9);
	set_be16(&extensions, 4, 13);
	assert_int_equal(name_of(&extensions, name), -EBADMSG);

	/* an extension that reaches beyond the last */
	extensions.size = 0;
	put_server_name(&extensions, 0, "a.example", 9);
	put_grease(&extensions, 4);
	extensions.size--;
	assert_int_equal(name_of(&extensions, name), -EBADMSG);

	make_hello(&good);
	hello = good;
	hello.bytes[4] = 2; /* SSL 2 */
	assert_int_equal(tls_client_hello_name(hello.bytes, hello.size, name), -EBADMSG);
	hello = good;
	insert_zeros(&hello, SESSION_ID + 1, 24);
	hello.bytes[SESSION_ID] = 32;
	assert_int_equal(tls_client_hello_name(hello.bytes, hello.size, other), 0);
	insert_zeros(&hello, SESSION_ID + 1, 1);
	hello.bytes[SESSION_ID] = 33;
	assert_int_equal(tls_client_hello_name(hello.bytes, hello.size, name), -EBADMSG);
	hello = good;
	insert_zeros(&hello, CIPHER_SUITES + 2, 1);
	set_be16(&hello, CIPHER_SUITES, 5);
	assert_int_equal(tls_client_hello_name(hello.bytes, hello.size, name), -EBADMSG);
	/* extensions end before the hello does */
	hello = good;
	insert_zeros(&hello, hello.size, 1);
	assert_int_equal(tls_client_hello_name(hello.bytes, hello.size, name), -EBADMSG);
	assert_string_equal(name, "untouched");
}

/* A hello says how long it is: where it ends too early, no more bytes will help. */
static void a_hello_that_ends_too_early_is_malformed(void **state)
{
	struct frame hello = {.size = 0};
	char name[NAME_SIZE] = "untouched";
	size_t whole;

	(void)state;
	make_hello(&hello);
	whole = hello.size;
	for (size_t size = 4; size < whole; size++) {
		/* in front of the extensions it may end */
		int expected = size == EXTENSIONS ? -ENOMSG : -EBADMSG;

		set_be16(&hello, 2, size - 4);
		assert_int_equal(tls_client_hello_name(hello.bytes, size, name), expected);
		assert_int_equal(tls_client_hello_name(hello.bytes, whole, name), expected);
	}
	assert_string_equal(name, "untouched");
	/* another message may follow */
	set_be16(&hello, 2, whole - 4);
	put_zeros(&hello, 10);
	assert_int_equal(tls_client_hello_name(hello.bytes, hello.size, name), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_beginning_of_a_hello_is_one),
		cmocka_unit_test(a_hello_may_span_records),
		cmocka_unit_test(records_are_checked),
		cmocka_unit_test(only_host_names_are_names),
		cmocka_unit_test(a_hello_may_have_no_name),
		cmocka_unit_test(malformed_hellos_are_refused),
		cmocka_unit_test(a_hello_that_ends_too_early_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
