/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/policy_network.h"
#include "profiles/profile_json.h"

static const char text[] =
	"{\"format\":\"rtguard-profile/1\",\"device\":{\"name\":\"secret\"},\"policy\":{"
	"\"programs\":["
	"{\"path\":\"/bin/a\",\"sha256\":null,\"phase\":\"boot\",\"users\":[\"one\"],"
	"\"parents\":[],\"arguments\":[[\"-x\"]]},"
	"{\"path\":\"/bin/a\",\"sha256\":"
	"\"abababababababababababababababababababababababababababababababab\","
	"\"phase\":\"steady\",\"users\":[\"two\"],\"parents\":[],\"arguments\":\"any\"}],"
	"\"scripts\":[],\"libraries\":[],\"listeners\":[{\"protocol\":\"tcp\",\"address\":\"any\","
	"\"family\":[\"ipv4\"],\"port\":22,\"program\":\"/bin/a\"}],\"connections\":["
	"{\"protocol\":\"tcp\",\"peer\":{\"host\":\"a.example\"},\"port\":443,"
	"\"program\":\"/bin/a\"},"
	"{\"protocol\":\"tcp\",\"peer\":{\"host\":\"b.example\"},\"port\":443,"
	"\"program\":\"/bin/a\"},"
	"{\"protocol\":\"udp\",\"peer\":{\"role\":\"resolver\"},\"port\":53,\"program\":null}],"
	"\"names\":[\"c.example\"]},\"evidence\":{\"complete\":true,"
	"\"addresses\":{\"a.example\":[\"192.0.2.1\"]},\"roles\":{\"resolver\":[\"192.0.2.53\"]},"
	"\"entries\":{}}}";

static struct profile *parse(const char *bytes, size_t size)
{
	struct profile *profile = NULL;
	struct error error = {0};

	if (profile_parse("test", bytes, size, &profile, &error) < 0)
		fail_msg("%s", error.message);
	return profile;
}

static void the_network_alone_is_handed_on(void **state)
{
	_cleanup_(profile_freep) struct profile *profile = parse(text, strlen(text));
	_cleanup_(profile_freep) struct profile *trimmed = NULL;
	_cleanup_(closep) int memory = -1;
	struct policy_network summary;
	struct error error = {0};
	struct stat status;
	char bytes[8192];

	(void)state;
	if (policy_network_take(profile, &summary, &memory, &error) < 0)
		fail_msg("%s", error.message);
	assert_int_equal(summary.listeners, 1);
	assert_int_equal(summary.connections, 3);
	assert_int_equal(summary.names, 3);
	assert_int_equal(summary.bound_programs, 1);
	assert_int_equal(fstat(memory, &status), 0);
	assert_true(status.st_size < (off_t)sizeof(bytes));
	assert_int_equal(pread(memory, bytes, sizeof(bytes), 0), status.st_size);
	trimmed = parse(bytes, (size_t)status.st_size);
	assert_int_equal(trimmed->network.listener_count, 1);
	assert_string_equal(trimmed->network.listeners[0].program, "/bin/a");
	assert_int_equal(trimmed->network.connection_count, 3);
	assert_int_equal(trimmed->network.names.count, 1);
	/* of programs whom they run as, of evidence what rules are made of */
	assert_int_equal(trimmed->program_count, 1);
	assert_int_equal(trimmed->programs[0].users.count, 2);
	assert_null(trimmed->programs[0].sha256);
	assert_null(trimmed->device_name);
	assert_int_equal(json_object_size(trimmed->evidence), 2);
	/* the profile itself is what it was */
	assert_int_equal(profile->program_count, 2);
	assert_int_equal(json_object_size(profile->evidence), 4);
}

static void nobody_can_change_it(void **state)
{
	_cleanup_(closep) int memory = -1;
	struct error error = {0};

	(void)state;
	assert_int_equal(policy_memory_new("test", "x", 1, &memory, &error), 0);
	assert_int_equal(pwrite(memory, "y", 1, 0), -1);
	assert_int_equal(ftruncate(memory, 0), -1);
	assert_int_equal(fcntl(memory, F_GET_SEALS),
			 F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_network_alone_is_handed_on),
		cmocka_unit_test(nobody_can_change_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
