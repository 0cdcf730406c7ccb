/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/replay_report.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "profiles/profile.h"

#define LISTED_MAX 100000 /* starts in the JSON list */
#define ROWS_MAX   10000  /* for people */

/* What makes two blocked starts the same for a reader. No padding: it is hashed as bytes. */
struct row_key {
	struct ip_address address;
	uint8_t protocol;
	uint16_t port_or_type;
	char name[NAME_SIZE];
} __attribute__((packed));

struct row {
	uint64_t count;
	uint64_t first_ns;
	uint64_t last_ns;
};

struct replay_report {
	json_t *list;	  /* NULL: for people */
	struct map *rows; /* struct row_key → struct row */
};

static bool is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

struct replay_report *replay_report_new(bool json)
{
	struct replay_report *report = calloc(1, sizeof(*report));

	if (!report)
		return NULL;
	if (json)
		report->list = json_array();
	else
		(void)map_new(&report->rows, ROWS_MAX, sizeof(struct row), NULL, NULL);
	if (report->list || report->rows)
		return report;
	free(report);
	return NULL;
}

void replay_report_free(struct replay_report *report)
{
	if (!report)
		return;
	json_decref(report->list);
	map_free(report->rows);
	free(report);
}

static json_t *start_to_json(uint64_t time_ns, const struct observed_flow *flow)
{
	char protocol[PROTOCOL_TEXT_SIZE];
	char address[IP_TEXT_SIZE];
	char time[CLOCK_TEXT_SIZE];
	json_t *start;

	protocol_format(flow->protocol, protocol);
	ip_format(&flow->remote, address);
	clock_format(time_ns, time);
	start = json_pack("{s:s, s:s, s:s}", "time", time, "protocol", protocol, "address",
			  address);
	if (start && flow->name[0])
		(void)json_object_set_new(start, "host", json_string(flow->name));
	if (start && protocol_has_ports(flow->protocol)) {
		(void)json_object_set_new(start, "port", json_integer(flow->remote_port));
		(void)json_object_set_new(start, "local_port", json_integer(flow->local_port));
	} else if (start && is_icmp(flow->protocol)) {
		(void)json_object_set_new(start, "type", json_integer(flow->icmp_type));
	}
	return start;
}

static void count_in_row(struct map *rows, uint64_t time_ns, const struct observed_flow *flow)
{
	struct row_key key = {
		.address = flow->remote,
		.protocol = flow->protocol,
		.port_or_type =
			protocol_has_ports(flow->protocol) ? flow->remote_port : flow->icmp_type,
	};
	struct row *row;

	memcpy(key.name, flow->name, strlen(flow->name));
	row = map_add(rows, &key, sizeof(key));
	if (!row)
		return;
	if (row->count++ == 0)
		row->first_ns = time_ns;
	row->last_ns = time_ns;
}

void replay_report_blocked(void *context, uint64_t time_ns, const struct observed_flow *flow)
{
	struct replay_report *report = context;

	if (report->rows)
		count_in_row(report->rows, time_ns, flow);
	else if (json_array_size(report->list) < LISTED_MAX)
		(void)json_array_append_new(report->list, start_to_json(time_ns, flow));
}

static int print_json(const json_t *list, const struct replaying_result *result, FILE *out)
{
	json_t *object = json_pack("{s:I, s:I, s:O}", "starts", (json_int_t)result->starts,
				   "blocked", (json_int_t)result->blocked, "blocked_starts", list);
	uint64_t left_out = result->blocked - json_array_size(list);
	int code = 0;

	if (object && left_out)
		(void)json_object_set_new(object, "blocked_starts_left_out",
					  json_integer((json_int_t)left_out));
	if (!object || json_dumpf(object, out, JSON_INDENT(2)) < 0)
		code = -ENOMEM;
	(void)fputc('\n', out);
	json_decref(object);
	return code;
}

/* The most blocked first, then in the order of time. */
static int compare_rows(const void *a, const void *b)
{
	const struct row *first = *(const struct row *const *)a;
	const struct row *second = *(const struct row *const *)b;

	if (first->count != second->count)
		return first->count > second->count ? -1 : 1;
	return (first->first_ns > second->first_ns) - (first->first_ns < second->first_ns);
}

static int add_row(struct table *table, const struct row *row)
{
	const struct row_key *key = map_key(row, NULL);
	struct ip_address remote = key->address;
	char protocol[PROTOCOL_TEXT_SIZE];
	char peer[NAME_SIZE + IP_TEXT_SIZE + 4];
	char address[IP_TEXT_SIZE];
	char first[CLOCK_TEXT_SIZE];
	char last[CLOCK_TEXT_SIZE];
	char count[24];
	char port[16];
	const char *cells[] = {count, protocol, peer, port, first, last};

	(void)snprintf(count, sizeof(count), "%" PRIu64, row->count);
	protocol_format(key->protocol, protocol);
	ip_format(&remote, address);
	if (key->name[0])
		(void)snprintf(peer, sizeof(peer), "%s (%s)", key->name, address);
	else
		(void)snprintf(peer, sizeof(peer), "%s", address);
	if (protocol_has_ports(key->protocol))
		(void)snprintf(port, sizeof(port), "%u", key->port_or_type);
	else if (is_icmp(key->protocol))
		(void)snprintf(port, sizeof(port), "type %u", key->port_or_type);
	else
		cells[3] = NULL;
	clock_format(row->first_ns, first);
	clock_format(row->last_ns, last);
	return table_add(table, cells);
}

static int print_rows(const struct map *map, const struct table_style *style, FILE *out)
{
	static const struct table_column columns[] = {
		{"BLOCKED", .right = true}, {"PROTOCOL", .right = false}, {"PEER", .shrinks = true},
		{"PORT", .right = true},    {"FIRST", .right = false},	  {"LAST", .right = false},
	};
	_cleanup_(freep) const struct row **rows = calloc(map_count(map), sizeof(struct row *));
	struct table *table = table_new(columns, array_length(columns));
	int code = rows && table ? 0 : -ENOMEM;
	size_t count = 0;

	for (const struct row *row = map_next(map, NULL); rows && row; row = map_next(map, row))
		rows[count++] = row;
	if (rows)
		qsort(rows, count, sizeof(struct row *), compare_rows);
	for (size_t i = 0; i < count && code == 0; i++)
		code = add_row(table, rows[i]);
	if (code == 0)
		table_print(table, style, out);
	table_free(table);
	return code;
}

int replay_report_print(const struct replay_report *report, const struct replaying_result *result,
			const struct table_style *style, FILE *out)
{
	int code = 0;

	if (report->list)
		return print_json(report->list, result, out);
	if (map_count(report->rows))
		code = print_rows(report->rows, style, out);
	if (map_evicted(report->rows))
		(void)fprintf(out, "%" PRIu64 " further rows are left out\n",
			      map_evicted(report->rows));
	(void)fprintf(out, "%" PRIu64 " of %" PRIu64 " connection starts would have been blocked\n",
		      result->blocked, result->starts);
	return code;
}
