/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include <cmocka.h>

#include "base/text.h"
#include "capture_file.h"
#include "observe/network/hello.h"
#include "observe/network/packet.h"

/* Collects "number name\n" of every packet whose payload alone gives a name, at most limit. */
static char *names_in(const char *file, unsigned int limit)
{
	pcap_t *capture = capture_file_open(file);
	struct pcap_pkthdr *header;
	struct text names = {0};
	unsigned int number = 0;
	const u_char *frame;
	char *string;

	while (limit > 0 && pcap_next_ex(capture, &header, &frame) == 1) {
		struct packet packet;
		char name[NAME_SIZE];
		int error = -ENOMSG;

		number++;
		if (packet_decode(pcap_datalink(capture), frame, header->caplen, header->len,
				  &packet) < 0 ||
		    !packet.has_ports || packet.payload_missing > 0)
			continue;
		if (packet.protocol == IPPROTO_TCP && packet.payload_size > 0)
			error = tls_server_name(packet.payload, packet.payload_size, name);
		if (packet.protocol == IPPROTO_UDP)
			error = quic_server_name(packet.payload, packet.payload_size, name);
		if (error < 0)
			continue;
		text_printf(&names, "%u %s\n", number, name);
		limit--;
	}
	pcap_close(capture);
	assert_int_equal(text_finish(&names, &string), 0);
	return string;
}

static void assert_names(const char *file, unsigned int limit, const char *expected)
{
	char *names = names_in(file, limit);

	assert_string_equal(names, expected);
	free(names);
}

/* draft-29; packet 3 is the second try, behind a Retry and with its token */
static void names_in_quic(void **state)
{
	(void)state;
	if (!quic_is_initial((const uint8_t *)"\xc0\0\0\0\1", 5)) {
		print_message("skipped: built without nettle\n");
		skip();
	}
	assert_names("protocols/ndpi-quic-29.pcap", 10, "1 localhost\n3 localhost\n");
}

/* The sealed name stays sealed: this is the outer one. */
static void the_outer_name_of_an_encrypted_hello(void **state)
{
	(void)state;
	assert_names("protocols/ndpi-tls_ech.pcapng", 10, "4 performance.radar.cloudflare.com\n");
}

static void names_in_tls(void **state)
{
	(void)state;
	assert_names("protocols/tapo-p115.pcap", 10,
		     "29 security.iot.i.tplinknbu.com\n"
		     "55 euw1-device-cloudgateway.iot.i.tplinknbu.com\n"
		     "94 n-euw1-device-api.tplinkcloud.com\n"
		     "139 aps1-openapi.i.tplinknbu.com\n");
	assert_names("dns/ndpi-dns_doh.pcap", 10, "4 mozilla.cloudflare-dns.com\n");
	assert_names("protocols/ndpi-alexa-app.pcapng", 6,
		     "33 mtalk.google.com\n"
		     "67 www.amazon.com\n"
		     "84 mads.amazon-adsystem.com\n"
		     "120 firs-ta-g7g.amazon.com\n"
		     "161 cognito-identity.us-east-1.amazonaws.com\n"
		     "185 cognito-identity.us-east-1.amazonaws.com\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in_quic),
		cmocka_unit_test(the_outer_name_of_an_encrypted_hello),
		cmocka_unit_test(names_in_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
