/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "learn/domain.h"

#define NO_FILE "/nonexistent/public_suffix_list.dat"

static struct domains *open_domains(const char *rules_path)
{
	struct domains *domains;

	assert_int_equal(domains_new(rules_path, &domains), 0);
	return domains;
}

static void expect_domain(const struct domains *domains, const char *name, const char *domain)
{
	const char *found = domain_of(domains, name);

	if (!domain)
		assert_null(found);
	else if (!found)
		fail_msg("%s has no domain, expected %s", name, domain);
	else
		assert_string_equal(found, domain);
}

static void expect_pattern(const struct domains *domains, const char *name, const char *expected)
{
	char pattern[NAME_SIZE];

	domain_number_pattern(domains, name, pattern);
	assert_string_equal(pattern, expected);
}

/* What anybody can register under is a suffix by both sections, whether or not there is a file. */
static void both_sections_are_known_without_the_file(void **state)
{
	struct domains *domains = open_domains(NO_FILE);

	(void)state;
	expect_domain(domains, "api.vendor.com", "vendor.com");
	expect_domain(domains, "api.vendor.co.uk", "vendor.co.uk");
	expect_domain(domains, "co.uk", NULL);
	expect_domain(domains, "localhost", NULL);
	/* the private section */
	expect_domain(domains, "github.io", NULL);
	expect_domain(domains, "pages.vendor.github.io", "vendor.github.io");
	expect_domain(domains, "s3.amazonaws.com", NULL);
	expect_domain(domains, "bucket.s3.amazonaws.com", "bucket.s3.amazonaws.com");
	expect_domain(domains, "api.vendor.dyndns.org", "vendor.dyndns.org");
	domains_free(domains);
}

static void platforms_are_shared_without_the_file(void **state)
{
	struct domains *domains = open_domains(NO_FILE);

	(void)state;
	assert_true(domain_is_shared(domains, "amazonaws.com"));
	assert_true(domain_is_shared(domains, "cloudfront.net"));
	assert_true(domain_is_shared(domains, "windows.net"));
	assert_false(domain_is_shared(domains, "vendor.com"));
	expect_pattern(domains, "lb12.vendor3.com", "lb#.vendor3.com");
	expect_pattern(domains, "host7.eu-west-1.amazonaws.com", "host7.eu-west-1.amazonaws.com");
	expect_pattern(domains, "2.pool.ntp.org", "#.pool.ntp.org");
	domains_free(domains);
}

/* That a suffix is rented out below it makes a domain one of strangers: only the file says so. */
static void the_file_tells_what_lies_above_private_suffixes(void **state)
{
	static const char rules[] = "// ===BEGIN ICANN DOMAINS===\n"
				    "a.vendor.com\n"
				    "// ===END ICANN DOMAINS===\n"
				    "// ===BEGIN PRIVATE DOMAINS===\n"
				    "// a comment\n\n"
				    "user.hosting.com\n"
				    "*.compute.clouds.net \n"
				    "!www.shop.org\n"
				    "// ===END PRIVATE DOMAINS===\n";
	char path[] = "/tmp/test_domain.XXXXXX";
	int fd = mkstemp(path);
	struct domains *domains;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, rules, strlen(rules)), strlen(rules));
	close(fd);
	domains = open_domains(path);
	assert_true(domain_is_shared(domains, "hosting.com"));
	assert_true(domain_is_shared(domains, "clouds.net"));
	assert_true(domain_is_shared(domains, "shop.org"));
	assert_false(domain_is_shared(domains, "vendor.com"));
	assert_true(domain_is_shared(domains, "amazonaws.com"));
	domains_free(domains);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sections_are_known_without_the_file),
		cmocka_unit_test(platforms_are_shared_without_the_file),
		cmocka_unit_test(the_file_tells_what_lies_above_private_suffixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
