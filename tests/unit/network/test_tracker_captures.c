/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "capture_file.h"
#include "tracker_script.h"

/*
 * What the tracker says of whole shared captures, against tests/golden/tracker/NAME.txt, whose
 * connections were checked by hand against what tshark reads in the same packets. With the
 * environment variable TRACKER_PRINT the test writes what it sees to the standard output instead.
 */
static const struct capture {
	const char *name; /* of the expected file */
	const char *path;
	const char *mac; /* of the station; or */
	const char *address;
} captures[] = {
	{"aria", "iot-sentinel/Aria/Setup-C-1-STA.pcap", "20:f8:5e:ca:91:52", NULL},
	{"dlink-daycam", "iot-sentinel/D-LinkDayCam/Setup-C-1-STA.pcap", "b0:c5:54:1c:71:85", NULL},
	{"edimax-plug", "iot-sentinel/EdimaxPlug1101W/Setup-C-1-STA.pcap", "74:da:38:4a:76:49",
	 NULL},
	{"homematic-plug", "iot-sentinel/HomeMaticPlug/Setup-C-1-STA.pcap", "00:1a:22:05:c4:2e",
	 NULL},
	{"lightify", "iot-sentinel/Lightify/Setup-C-1-STA.pcap", "84:18:26:7b:5f:6b", NULL},
	{"max-gateway", "iot-sentinel/MAXGateway/Setup-C-1-STA.pcap", "00:1a:22:03:cb:be", NULL},
	{"tplink-plug", "iot-sentinel/TP-LinkPlugHS100/Setup-C-1-STA.pcap", "50:c7:bf:00:fc:a3",
	 NULL},
	{"wemo-switch", "iot-sentinel/WeMoSwitch/Setup-C-1-STA.pcap", "94:10:3e:35:01:c1", NULL},
	{"dns-fragmented", "dns/ndpi-dns_fragmented.pcap", "00:0c:29:7c:a4:cb", NULL},
	{"dns-tcp", "dns/tcpdump-dns_tcp.pcap", NULL, "192.168.1.11"},
	{"dns-two-responses", "dns/zeek-dns-two-responses.pcap", NULL, "55.247.223.174"},
	{"dns-tls", "dns/ndpi-dns_dot.pcap", NULL, "192.168.1.185"},
	{"tls-ech", "protocols/ndpi-tls_ech.pcapng", "34:e6:d7:02:1b:27", NULL},
	{"tapo-plug", "protocols/tapo-p115.pcap", "40:ae:30:46:6e:a8", NULL},
	{"mdns", "dns/zeek-mdns.pcap", NULL, "10.0.2.7"},
};

static void read_capture(struct script *script, pcap_t *pcap)
{
	struct pcap_pkthdr *header;
	const u_char *frame;

	while (pcap_next_ex(pcap, &header, &frame) == 1) {
		struct packet packet;

		script->now_ns = (uint64_t)header->ts.tv_sec * NS_PER_S +
				 (uint64_t)header->ts.tv_usec * 1000;
		if (packet_decode(pcap_datalink(pcap), frame, header->caplen, header->len,
				  &packet) == 0)
			script_packet(script, &packet);
	}
	tracker_finish(script->tracker);
}

static void one_capture(void **state)
{
	const struct capture *capture = *state;
	struct tracker_config config = {.subject = capture->mac ? TRACK_MAC : TRACK_ADDRESS};
	pcap_t *pcap = capture_file_open(capture->path);
	struct error error = {0};
	struct script script;
	_cleanup_(freep) char *expected = NULL;
	char path[512];
	size_t size;

	if (capture->mac)
		assert_int_equal(mac_parse(capture->mac, &config.mac), 0);
	else
		assert_int_equal(ip_parse(capture->address, &config.address), 0);
	script_begin_as(&script, &config);
	script.skip_starts = true;
	read_capture(&script, pcap);
	pcap_close(pcap);
	assert_int_equal(script_open_flows(&script), 0);
	if (getenv("TRACKER_PRINT")) {
		printf("%s", script.lines.bytes ? script.lines.bytes : "");
	} else {
		(void)snprintf(path, sizeof(path), "%s/%s.txt", GOLDEN, capture->name);
		if (file_read(path, 1 << 20, &expected, &size, &error) < 0)
			fail_msg("%s", error.message);
		script_expect(&script, expected);
	}
	script_end(&script);
}

int main(void)
{
	struct CMUnitTest tests[array_length(captures)];

	for (size_t i = 0; i < array_length(captures); i++)
		tests[i] = (struct CMUnitTest){
			.name = captures[i].name,
			.test_func = one_capture,
			.initial_state = (void *)(uintptr_t)&captures[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
