/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "commands/commands.h"
#include "daemon/replaying.h"
#include "profiles/profile_json.h"

#define NAME	       "replay"
#define LISTED_LIMIT   100000 /* blocked starts in the JSON list; the rest is counted */
#define DISTINCT_LIMIT 10000  /* rows for people */

enum { OPTION_JSON = 256 };

static const struct option options[] = {
	{"device", required_argument, NULL, 'd'},
	{"json", no_argument, NULL, OPTION_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* What makes two blocked starts the same for a reader. No padding: it is hashed as bytes. */
struct blocked_key {
	struct ip_address address;
	uint8_t protocol;
	uint16_t port_or_type;
	char name[NAME_SIZE];
} __attribute__((packed));

struct blocked_row {
	uint64_t count;
	uint64_t first_ns;
};

struct report {
	json_t *list;	  /* --json */
	struct map *rows; /* for people: struct blocked_key → struct blocked_row */
};

static json_t *blocked_json(uint64_t time_ns, const struct observed_flow *flow)
{
	char protocol[PROTOCOL_TEXT_SIZE];
	char address[IP_TEXT_SIZE];
	char time[CLOCK_TEXT_SIZE];
	json_t *item;

	protocol_format(flow->protocol, protocol);
	ip_format(&flow->remote, address);
	clock_format(time_ns, time);
	item = json_pack("{s:s, s:s, s:s}", "time", time, "protocol", protocol, "address", address);
	if (item && flow->name[0])
		(void)json_object_set_new(item, "host", json_string(flow->name));
	if (item && protocol_has_ports(flow->protocol)) {
		(void)json_object_set_new(item, "port", json_integer(flow->remote_port));
		(void)json_object_set_new(item, "local_port", json_integer(flow->local_port));
	} else if (item && (flow->protocol == IPPROTO_ICMP || flow->protocol == IPPROTO_ICMPV6)) {
		(void)json_object_set_new(item, "type", json_integer(flow->icmp_type));
	}
	return item;
}

static void on_blocked(void *context, uint64_t time_ns, const struct observed_flow *flow)
{
	struct report *report = context;
	struct blocked_key key = {
		.address = flow->remote,
		.protocol = flow->protocol,
		.port_or_type =
			protocol_has_ports(flow->protocol) ? flow->remote_port : flow->icmp_type,
	};
	struct blocked_row *row;

	if (report->list) {
		if (json_array_size(report->list) < LISTED_LIMIT)
			(void)json_array_append_new(report->list, blocked_json(time_ns, flow));
		return;
	}
	memcpy(key.name, flow->name, strlen(flow->name));
	row = map_add(report->rows, &key, sizeof(key));
	if (row && row->count++ == 0)
		row->first_ns = time_ns;
}

static void print_json(const struct report *report, const struct replaying_result *result)
{
	json_t *object =
		json_pack("{s:I, s:I, s:O}", "starts", (json_int_t)result->starts, "blocked",
			  (json_int_t)result->blocked, "blocked_starts", report->list);

	if (object && result->blocked > json_array_size(report->list))
		(void)json_object_set_new(
			object, "blocked_starts_left_out",
			json_integer(
				(json_int_t)(result->blocked - json_array_size(report->list))));
	if (object)
		(void)json_dumpf(object, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(object);
}

static void print_rows(const struct report *report, const struct replaying_result *result)
{
	if (result->blocked)
		(void)printf("%8s  %-9s %-44s %6s  %s\n", "blocked", "protocol", "peer", "port",
			     "first");
	for (const struct blocked_row *row = map_next(report->rows, NULL); row;
	     row = map_next(report->rows, row)) {
		const struct blocked_key *key = map_key(row, NULL);
		char protocol[PROTOCOL_TEXT_SIZE];
		char peer[IP_TEXT_SIZE + NAME_SIZE + 4];
		char address[IP_TEXT_SIZE];
		char time[CLOCK_TEXT_SIZE];
		struct ip_address remote = key->address;

		protocol_format(key->protocol, protocol);
		ip_format(&remote, address);
		clock_format(row->first_ns, time);
		if (key->name[0])
			(void)snprintf(peer, sizeof(peer), "%s (%s)", key->name, address);
		else
			(void)snprintf(peer, sizeof(peer), "%s", address);
		(void)printf("%8" PRIu64 "  %-9s %-44s %6u  %s\n", row->count, protocol, peer,
			     key->port_or_type, time);
	}
	(void)printf("%" PRIu64 " of %" PRIu64 " connection starts would have been blocked\n",
		     result->blocked, result->starts);
}

static int run(const struct replaying_config *config, struct report *report, bool json)
{
	struct replaying_result result;
	struct error error = {0};

	report->list = json ? json_array() : NULL;
	if ((json && !report->list) ||
	    map_new(&report->rows, DISTINCT_LIMIT, sizeof(struct blocked_row), NULL, NULL) < 0)
		return command_trouble(NAME, "out of memory");
	if (replaying_run(config, &result, &error) < 0)
		return command_trouble(NAME, "%s", error.message);
	if (!result.heard)
		(void)fprintf(stderr,
			      "rtguard " NAME ": the device sent nothing in these recordings; "
			      "is its address right?\n");
	if (json)
		print_json(report, &result);
	else
		print_rows(report, &result);
	return result.blocked ? EXIT_FINDINGS : EXIT_FINE;
}

int command_replay(int argc, char **argv)
{
	struct replaying_config config = {.blocked = on_blocked};
	struct profile *profile;
	struct report report = {0};
	struct error error = {0};
	bool json = false;
	int option;
	int code;

	optind = 0;
	while ((option = getopt_long(argc, argv, "d:h", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			if (recordings_set_device(&config.recordings, optarg) < 0)
				return command_misused(NAME,
						       "--device %s: expected a MAC address such "
						       "as 94:10:3e:35:01:c1, or an IP address",
						       optarg);
			break;
		case OPTION_JSON:
			json = true;
			break;
		case 'h':
			return command_help(NAME);
		default:
			return EXIT_TROUBLE;
		}
	}
	if (argc - optind < 2)
		return command_misused(NAME, "expected a profile and at least one capture");
	if (profile_load(argv[optind], &profile, &error) < 0)
		return command_trouble(NAME, "%s", error.message);
	config.profile = profile;
	config.recordings.files = (const char *const *)argv + optind + 1;
	config.recordings.file_count = (size_t)(argc - optind - 1);
	config.context = &report;
	code = run(&config, &report, json);
	json_decref(report.list);
	map_free(report.rows);
	profile_free(profile);
	return code;
}
