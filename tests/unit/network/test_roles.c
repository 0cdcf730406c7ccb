/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "observe/network/advertisement.h"
#include "observe/network/dhcp.h"
#include "tracker_script.h"

/* A message of RFC 2131 with the given options; returns its size. */
static size_t make_dhcp(uint8_t *bytes, uint8_t operation, uint8_t transaction,
			const uint8_t *options, size_t size)
{
	static const uint8_t cookie[] = {99, 130, 83, 99};

	memset(bytes, 0, 240);
	bytes[0] = operation;
	bytes[1] = 1;
	bytes[2] = 6;
	bytes[7] = transaction;
	if (operation == 2)
		memcpy(bytes + 16, (const uint8_t[]){192, 168, 1, 2}, 4);
	memcpy(bytes + 28, station_mac.bytes, 6);
	memcpy(bytes + 236, cookie, 4);
	memcpy(bytes + 240, options, size);
	return 240 + size;
}

static const uint8_t request[] = {53, 1, 3, 255};
static const uint8_t offer[] = {53, 1, 2, 54, 4, 192, 168, 1, 4, 3, 4, 192, 168, 1, 1, 255};
static const uint8_t ack[] = {53,  1,	5, 54, 4, 192, 168, 1,	 4, 1, 4, 255, 255, 255, 0, 3,	4,
			      192, 168, 1, 1,  6, 8,   192, 168, 1, 1, 9, 9,   9,   9,	 0, 255};

static void feed_dhcp(struct script *script, const char *source, const char *destination,
		      size_t size)
{
	struct packet packet = packet_between(IPPROTO_UDP, source, destination);

	packet.payload = script->buffer;
	packet.payload_size = size;
	script_packet(script, &packet);
	/* the flows themselves are test_flows' */
}

static void dhcp_announces(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	/* nobody asked */
	feed_dhcp(&script, "192.168.1.4:67", "255.255.255.255:68",
		  make_dhcp(script.buffer, 2, 5, ack, sizeof(ack)));
	script_expect(&script, "");
	feed_dhcp(&script, "0.0.0.0:68", "255.255.255.255:67",
		  make_dhcp(script.buffer, 1, 5, request, sizeof(request)));
	script_expect(&script, "connection udp 255.255.255.255:67 broadcast\n");
	/* another transaction, another client */
	feed_dhcp(&script, "192.168.1.4:67", "255.255.255.255:68",
		  make_dhcp(script.buffer, 2, 6, ack, sizeof(ack)));
	(void)make_dhcp(script.buffer, 2, 5, ack, sizeof(ack));
	script.buffer[33] ^= 1;
	feed_dhcp(&script, "192.168.1.4:67", "255.255.255.255:68", 240 + sizeof(ack));
	script_expect(&script, "");
	feed_dhcp(&script, "192.168.1.4:67", "255.255.255.255:68",
		  make_dhcp(script.buffer, 2, 5, offer, sizeof(offer)));
	script_expect(&script, "role dhcp-server 192.168.1.4 announced\n");
	feed_dhcp(&script, "192.168.1.4:67", STATION ":68",
		  make_dhcp(script.buffer, 2, 5, ack, sizeof(ack)));
	script_expect(&script, "role gateway 192.168.1.1 announced\n"
			       "role resolver 192.168.1.1 announced\n"
			       "role resolver 9.9.9.9 announced\n"
			       "role broadcast 192.168.1.255 announced\n");
	/* again after ten minutes at the earliest */
	script_wait(&script, 599);
	feed_dhcp(&script, STATION ":68", "192.168.1.4:67",
		  make_dhcp(script.buffer, 1, 7, request, sizeof(request)));
	feed_dhcp(&script, "192.168.1.4:67", STATION ":68",
		  make_dhcp(script.buffer, 2, 7, ack, sizeof(ack)));
	script_expect(&script, "connection udp 192.168.1.4:67\n");
	script_wait(&script, 2);
	feed_dhcp(&script, "192.168.1.4:67", STATION ":68",
		  make_dhcp(script.buffer, 2, 7, offer, sizeof(offer)));
	script_expect(&script, "role dhcp-server 192.168.1.4 announced\n");
	script_end(&script);
}

static void dhcp_parser_checks_lengths(void **state)
{
	struct dhcp_message message;
	uint8_t bytes[512];
	size_t size = make_dhcp(bytes, 2, 5, ack, sizeof(ack));

	(void)state;
	assert_int_equal(dhcp_message_parse(bytes, size, &message), 0);
	assert_int_equal(message.type, DHCP_ACK);
	assert_int_equal(message.resolver_count, 2);
	/* without its end the list is as long as what was captured */
	for (size_t cut = 0; cut < size; cut++)
		(void)dhcp_message_parse(bytes, cut, &message);
	assert_int_equal(dhcp_message_parse(bytes, 239, &message), -EBADMSG);
	assert_int_equal(dhcp_message_parse(bytes, 246, &message), -EBADMSG);
	bytes[238] ^= 1;
	assert_int_equal(dhcp_message_parse(bytes, size, &message), -EBADMSG);
	/* options go on in the file field */
	size = make_dhcp(bytes, 2, 5, (const uint8_t[]){52, 1, 1, 255}, 4);
	assert_int_equal(dhcp_message_parse(bytes, size, &message), -EBADMSG); /* no type */
	memcpy(bytes + 108, ack, sizeof(ack));
	assert_int_equal(dhcp_message_parse(bytes, size, &message), 0);
	assert_int_equal(message.router_count, 1);
}

static const uint8_t advertisement[] = {
	64,   0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, /* lifetime 1800 s */
	1,    1, 2,    0,    0, 0, 0, 1,	     /* source link-layer address */
	25,   3, 0,    0,    0, 0, 1, 0,	     /* RDNSS */
	0xfd, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53,
};

static void routers_announce(void **state)
{
	struct router_advertisement parsed;
	struct script script;
	struct packet packet = packet_icmp("fe80::1", "ff02::1", 134);

	(void)state;
	script_begin(&script);
	packet.payload = advertisement;
	packet.payload_size = sizeof(advertisement);
	packet.ttl = 254; /* came through a router */
	script_packet(&script, &packet);
	script_expect(&script, "");
	packet.ttl = 255;
	script_packet(&script, &packet);
	script_expect(&script, "role gateway fe80::1 announced\n"
			       "role resolver fd00::53 announced\n");
	script_end(&script);
	for (size_t cut = 0; cut < sizeof(advertisement); cut++)
		assert_int_equal(router_advertisement_parse(advertisement, cut, &parsed),
				 cut == 12 || cut == 20 ? 0 : -EBADMSG);
}

static void feed_arp(struct script *script, const struct mac_address *source, const uint8_t *mac,
		     const char *address)
{
	uint8_t bytes[28] = {0, 1, 8, 0, 6, 4, 0, 2};
	struct packet packet = {.kind = PACKET_ARP, .has_source_mac = true, .source_mac = *source};
	struct ip_address ip;

	assert_int_equal(ip_parse(address, &ip), 0);
	memcpy(bytes + 8, mac, 6);
	memcpy(bytes + 14, ip.bytes, 4);
	packet.payload = bytes;
	packet.payload_size = sizeof(bytes);
	script_packet(script, &packet);
	packet.payload_size = 27;
	script_packet(script, &packet);
}

static void gateway_is_who_carries_public_traffic(void **state)
{
	static const struct mac_address other = {{2, 0, 0, 0, 0, 66}};
	struct script script;

	(void)state;
	script_begin(&script);
	feed_arp(&script, &other, other.bytes, "192.168.1.66");
	feed_arp(&script, &gateway_mac, gateway_mac.bytes, RESOLVER);
	feed_arp(&script, &other, gateway_mac.bytes, "192.168.1.66"); /* claims another's */
	script_expect(&script, "");
	script_udp(&script, STATION ":40000", "192.168.1.9:123");
	script_expect(&script, "connection udp 192.168.1.9:123\n");
	script_udp(&script, STATION ":40000", PUBLIC ":123");
	script_expect(&script, "connection udp 198.51.100.1:123\n"
			       "role gateway 192.168.1.1\n");
	feed_arp(&script, &other, other.bytes, "192.168.1.66");
	script_expect(&script, "");
	script_end(&script);
}

/* Shown first and announced later is worth telling at once. */
static void announcement_adds_to_what_was_shown(void **state)
{
	struct script script;

	(void)state;
	script_begin(&script);
	script_resolve(&script, "www.example.com", PUBLIC);
	feed_dhcp(&script, "0.0.0.0:68", "255.255.255.255:67",
		  make_dhcp(script.buffer, 1, 5, request, sizeof(request)));
	text_free(&script.lines);
	feed_dhcp(&script, "192.168.1.4:67", STATION ":68",
		  make_dhcp(script.buffer, 2, 5, ack, sizeof(ack)));
	script_expect(&script, "role dhcp-server 192.168.1.4 announced\n"
			       "role gateway 192.168.1.1 announced\n"
			       "role resolver 192.168.1.1 announced\n"
			       "role resolver 9.9.9.9 announced\n"
			       "role broadcast 192.168.1.255 announced\n");
	script_end(&script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dhcp_announces),
		cmocka_unit_test(dhcp_parser_checks_lengths),
		cmocka_unit_test(routers_announce),
		cmocka_unit_test(gateway_is_who_carries_public_traffic),
		cmocka_unit_test(announcement_adds_to_what_was_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
