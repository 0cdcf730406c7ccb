/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load_profile make ENTRIES: a profile of so many entries, with evidence of each, to standard
 * output. load_profile FILE: what loading it and preparing its programs takes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "enforce/program_policy.h"
#include "profiles/profile_json.h"

#define LOOKUPS 1000000

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double processor_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- making ---- */

/* The same numbers every time; splitmix64 by Sebastiano Vigna (public domain), its constants. */
static uint64_t scatter(uint64_t number)
{
	number += UINT64_C(0x9e3779b97f4a7c15);
	number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
	return number ^ number >> 31;
}

static void print_sha256(unsigned long i)
{
	for (uint64_t part = 0; part < 4; part++)
		printf("%016" PRIx64, scatter(i * 4 + part));
}

static void print_program(unsigned long i)
{
	printf("      {\n        \"path\": \"/usr/lib/device/bin/program-%06lu\",\n"
	       "        \"sha256\": \"",
	       i);
	print_sha256(i);
	printf("\",\n        \"phase\": \"both\",\n        \"users\": [\n          \"root\",\n"
	       "          \"user-%lu\"\n        ],\n        \"parents\": [\n"
	       "          \"/usr/lib/device/bin/program-%06lu\",\n          "
	       "\"/usr/lib/systemd/systemd\"\n"
	       "        ],\n        \"arguments\": ",
	       i % 10, i / 2);
	if (i % 4)
		printf("\"any\"\n      }");
	else
		printf("[\n          [\n            \"-c\",\n            \"exec %lu\"\n          "
		       "],\n"
		       "          [\n            \"/usr/lib/device/script-%06lu\"\n          ]\n"
		       "        ]\n      }",
		       i, i);
}

static void print_script(unsigned long i)
{
	printf("      {\n        \"path\": \"/usr/lib/device/script-%06lu\",\n        \"sha256\": "
	       "\"",
	       i);
	print_sha256(i);
	printf("\",\n        \"interpreter\": \"/usr/bin/dash\"\n      }");
}

static void print_library(unsigned long i)
{
	printf("      {\n        \"path\": \"/usr/lib/device/lib-%06lu.so\",\n        \"sha256\": "
	       "\"",
	       i);
	print_sha256(i);
	printf("\"\n      }");
}

static void print_evidence(const char *kind, const char *path, unsigned long i)
{
	printf("      \"%s %s%06lu ", kind, path, i);
	print_sha256(i);
	printf("\": {\n        \"count\": %lu,\n        \"first_seen\": \"2026-03-02T08:00:00Z\",\n"
	       "        \"last_seen\": \"2026-03-03T08:00:00Z\"\n      }",
	       i % 1000 + 1);
}

/* A list from begin to end with print between commas. */
static void print_list(const char *key, unsigned long begin, unsigned long end,
		       void (*print)(unsigned long i), const char *after)
{
	printf("    \"%s\": [\n", key);
	for (unsigned long i = begin; i < end; i++) {
		print(i);
		fputs(i + 1 < end ? ",\n" : "\n", stdout);
	}
	printf("    ]%s\n", after);
}

static void make(unsigned long entries)
{
	unsigned long programs = entries * 2 / 5;
	unsigned long scripts = programs + entries / 5;

	printf("{\n  \"format\": \"rtguard-profile/1\",\n  \"policy\": {\n");
	print_list("programs", 0, programs, print_program, ",");
	print_list("scripts", programs, scripts, print_script, ",");
	print_list("libraries", scripts, entries, print_library, "");
	printf("  },\n  \"evidence\": {\n    \"entries\": {\n");
	for (unsigned long i = 0; i < entries; i++) {
		if (i < programs)
			print_evidence("program", "/usr/lib/device/bin/program-", i);
		else if (i < scripts)
			print_evidence("script", "/usr/lib/device/script-", i);
		else
			print_evidence("library", "/usr/lib/device/lib-", i);
		fputs(i + 1 < entries ? ",\n" : "\n", stdout);
	}
	printf("    }\n  }\n}\n");
}

/* ---- loading ---- */

static double lookup_ns(const struct program_policy *policy, unsigned long entries)
{
	double start = now_ms();
	unsigned long found = 0;

	for (unsigned long i = 0; i < LOOKUPS; i++) {
		uint64_t sha256[4];
		unsigned long entry = i * 7919 % (2 * entries); /* every other one is unknown */

		for (uint64_t part = 0; part < 4; part++)
			sha256[part] = __builtin_bswap64(scatter(entry * 4 + part));
		found += program_policy_find(policy, (const uint8_t *)sha256).uses != 0;
	}
	if (found < LOOKUPS / 3 || found > LOOKUPS * 2 / 3)
		fprintf(stderr, "load_profile: %lu of %d found\n", found, LOOKUPS);
	return (now_ms() - start) * 1e6 / LOOKUPS;
}

static int load(const char *path)
{
	const struct program_policy *policy;
	struct profile *profile;
	struct error error = {0};
	struct rusage usage;
	void *block;
	size_t size;
	double start = now_ms(), loaded, compiled, opened, processor;
	unsigned long entries;

	if (profile_load(path, &profile, &error) < 0) {
		fprintf(stderr, "load_profile: %s\n", error.message);
		return 1;
	}
	loaded = now_ms();
	if (program_policy_compile(profile, NULL, &block, &size, &error) < 0) {
		fprintf(stderr, "load_profile: %s\n", error.message);
		return 1;
	}
	compiled = now_ms();
	processor = processor_ms();
	if (program_policy_open(block, size, &policy) < 0)
		return 1;
	opened = now_ms();
	getrusage(RUSAGE_SELF, &usage);
	entries = profile->program_count + profile->script_count + profile->library_count;
	printf("%.0f %.1f %.1f %.0f %.0f %.0f %ld %zu\n", loaded - start, compiled - loaded,
	       opened - compiled, compiled - start, processor, lookup_ns(policy, entries),
	       usage.ru_maxrss, size);
	free(block);
	profile_free(profile);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "make") == 0)
		make(strtoul(argv[2], NULL, 10));
	else if (argc == 2)
		return load(argv[1]);
	else
		return 2;
	return 0;
}
