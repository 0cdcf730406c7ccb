/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/nameser.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "capture_file.h"
#include "observe/network/dns_message.h"
#include "observe/network/packet.h"

/*
 * Every DNS message of the shared captures against dns_captures.txt, one line each: file, number of
 * the packet, what the parser makes of it. The file's lines were checked by hand against what other
 * programs read in the same packets. With the environment variable DNS_CAPTURES_PRINT the test
 * prints what it sees instead of comparing.
 */
static const char *const captures[] = {
	"dns/ndpi-dns-invalid-chars.pcap",
	"dns/ndpi-dns_doh.pcap",
	"dns/ndpi-dns_dot.pcap",
	"dns/ndpi-dns_fragmented.pcap",
	"dns/ndpi-dns_long_domainname.pcap",
	"dns/ndpi-malformed_dns.pcap",
	"dns/tcpdump-dns-zlip-1.pcap",
	"dns/tcpdump-dns-zlip-2.pcap",
	"dns/tcpdump-dns_tcp.pcap",
	"dns/zeek-conn-count-too-large.pcap",
	"dns/zeek-dns-corrupt.pcap",
	"dns/zeek-dns-edns-bad-length.pcap",
	"dns/zeek-dns-edns-ecs.pcap",
	"dns/zeek-dns-https.pcap",
	"dns/zeek-dns-huge-ttl.pcap",
	"dns/zeek-dns-invalid-names.pcap",
	"dns/zeek-dns-inverse-query.pcap",
	"dns/zeek-dns-svcb-rdlength-mismatch.pcap",
	"dns/zeek-dns-two-responses.pcap",
	"dns/zeek-dns-zero-RRs.pcap",
	"dns/zeek-max-compression-depth.pcap",
	"dns/zeek-mdns.pcap",
	"dns/zeek-svcb-port-malformed.pcap",
};

static void describe_message(const struct dns_message *message, struct text *line)
{
	text_printf(line, "%s %u type %u %s", message->is_response ? "response" : "query",
		    message->id, message->question_type, message->question);
	if (message->truncated)
		text_append(line, " truncated");
	if (message->rcode != 0)
		text_printf(line, " rcode %u", message->rcode);
	for (size_t i = 0; i < message->address_count; i++) {
		char address[IP_TEXT_SIZE];

		ip_format(&message->addresses[i].address, address);
		text_printf(line, " %s/%u%s", address, message->addresses[i].ttl_s,
			    message->addresses[i].hint ? "/hint" : "");
	}
	if (message->addresses_left_out)
		text_append(line, " and more");
}

static bool is_dns_port(uint16_t port)
{
	return port == 53 || port == 5353 || port == 5355;
}

/* The message in a packet, or false: not DNS, a later fragment, no whole TCP message. */
static bool find_message(const struct packet *packet, struct bytes *ret_message)
{
	struct bytes payload = {packet->payload, packet->payload_size};
	uint16_t size;

	if (!packet->has_ports || payload.left == 0 ||
	    (!is_dns_port(packet->source_port) && !is_dns_port(packet->destination_port)))
		return false;
	if (packet->protocol == IPPROTO_TCP &&
	    (!bytes_take_be16(&payload, &size) || size != payload.left))
		return false;
	*ret_message = payload;
	return true;
}

static void describe_packet(const char *name, unsigned int number, int link_type,
			    const struct pcap_pkthdr *header, const u_char *frame,
			    struct text *lines)
{
	struct dns_message message;
	struct packet packet;
	struct bytes bytes;

	switch (packet_decode(link_type, frame, header->caplen, header->len, &packet)) {
	case 0:
		break;
	case -EPROTONOSUPPORT:
		text_printf(lines, "%s %u unknown link\n", name, number);
		return;
	default:
		text_printf(lines, "%s %u packet malformed\n", name, number);
		return;
	}
	if (!find_message(&packet, &bytes))
		return;
	text_printf(lines, "%s %u ", name, number);
	switch (dns_message_parse(bytes.at, bytes.left, &message)) {
	case 0:
		describe_message(&message, lines);
		break;
	case -EBADMSG:
		text_append(lines, "malformed");
		break;
	case -ENOMSG:
		text_append(lines, "not of interest");
		break;
	default:
		fail();
	}
	if (packet.fragment || packet.payload_missing > 0)
		text_append(lines, " (cut)");
	text_append(lines, "\n");
}

static void describe_capture(const char *name, struct text *lines)
{
	pcap_t *capture = capture_file_open(name);
	struct pcap_pkthdr *header;
	unsigned int number = 0;
	const u_char *frame;

	while (pcap_next_ex(capture, &header, &frame) == 1)
		describe_packet(name, ++number, pcap_datalink(capture), header, frame, lines);
	pcap_close(capture);
}

static void every_message_reads_as_expected(void **state)
{
	_cleanup_(fclosep) FILE *expected = fopen(EXPECTED_FILE, "re");
	_cleanup_(freep) char *line = NULL, *described = NULL;
	struct text lines = {0};
	size_t line_size = 0;
	const char *at;

	(void)state;
	for (size_t i = 0; i < array_length(captures); i++)
		describe_capture(captures[i], &lines);
	assert_int_equal(text_finish(&lines, &described), 0);
	if (getenv("DNS_CAPTURES_PRINT")) {
		fputs(described, stdout);
		return;
	}
	assert_non_null(expected);
	at = described;
	while (getline(&line, &line_size, expected) > 0) {
		size_t size = strcspn(at, "\n") + 1;

		if (strncmp(at, line, size) != 0 || strlen(line) != size)
			fail_msg("expected %sread     %.*s", line, (int)size, at);
		at += size;
	}
	assert_string_equal(at, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_reads_as_expected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
