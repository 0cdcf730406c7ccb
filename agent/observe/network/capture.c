/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/capture.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/network/capture_filter.h"
#include "observe/network/packet.h"

enum {
	/* A frame of the ring is this, the kernel's header and padding: together 2048 bytes, so
	 * that two fit into a page. A full Ethernet frame and the ClientHellos of today are
	 * smaller. */
	LIVE_SNAPSHOT_BYTES = 1960,
	RING_BYTES = 2 << 20,
	/* Enough for every header that the filter or the decoder looks at. */
	HEADERS_BYTES = 128,
};

struct capture {
	pcap_t *pcap;
	struct bpf_program filter; /* of a recording; an interface's is in the kernel */
	bool live;
	int link_type;
	struct capture_sink *sink; /* during capture_dispatch() */
	uint64_t records;	   /* of a recording, so far */
	uint64_t dropped;
	uint32_t dropped_before; /* libpcap counts in 32 bits */
	uint32_t missed_before;
};

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	pcap_freecode(&capture->filter);
	if (capture->pcap)
		pcap_close(capture->pcap);
	free(capture);
}

static void capture_closep(struct capture **capture)
{
	capture_close(*capture);
}

static int no_such_interface(struct error *error, const char *interface)
{
	return error_set(error, ENODEV,
			 "%s: there is no such interface (ip link shows what there is)", interface);
}

/* libpcap does not tell a kernel without packet sockets, or rights that are missing, from other
 * trouble in all its versions, so the kernel is asked. */
static int explain_failure(struct error *error, const char *interface, const char *otherwise)
{
	_cleanup_(closep) int probe = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (probe < 0 && (errno == EPERM || errno == EACCES))
		return error_set(error, EPERM,
				 "%s: capturing packets is not permitted: run as root or grant "
				 "CAP_NET_RAW",
				 interface);
	if (probe < 0 && errno == EAFNOSUPPORT)
		return error_set(error, EAFNOSUPPORT,
				 "%s: this kernel cannot capture packets: it needs CONFIG_PACKET "
				 "(if built as a module: modprobe af_packet)",
				 interface);
	return error_set(error, EIO, "%s: cannot capture: %s", interface, otherwise);
}

static int explain_status(struct error *error, const char *interface, int status, pcap_t *pcap)
{
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return no_such_interface(error, interface);
	case PCAP_ERROR_IFACE_NOT_UP:
		return error_set(error, ENETDOWN, "%s: the interface is down", interface);
	default:
		return explain_failure(error, interface, pcap_geterr(pcap));
	}
}

static int configure(pcap_t *pcap)
{
	int status = pcap_set_snaplen(pcap, LIVE_SNAPSHOT_BYTES);

	if (status == 0)
		status = pcap_set_buffer_size(pcap, RING_BYTES);
	/* Whoever opened a flow may live 10 ms: no waiting for a block to fill. */
	if (status == 0)
		status = pcap_set_immediate_mode(pcap, 1);
	if (status == 0)
		status = pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
	return status;
}

static int set_kernel_filter(pcap_t *pcap, const char *interface, struct error *error)
{
	struct bpf_program filter;
	int result = 0;

	if (pcap_compile(pcap, &filter, CAPTURE_FILTER, 1, PCAP_NETMASK_UNKNOWN) < 0)
		return error_set(error, EIO, "%s: cannot compile the filter: %s", interface,
				 pcap_geterr(pcap));
	if (pcap_setfilter(pcap, &filter) < 0)
		result = error_set(error, EIO, "%s: cannot set the filter: %s", interface,
				   pcap_geterr(pcap));
	pcap_freecode(&filter);
	return result;
}

static int activate(struct capture *capture, const char *interface, struct error *error)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = capture->pcap;
	int status = configure(pcap);

	if (status == 0)
		status = pcap_activate(pcap);
	if (status < 0)
		return explain_status(error, interface, status, pcap);
	/* "any" says with SLL2 which interface a packet came from; others refuse it. */
	if (pcap_datalink(pcap) == DLT_LINUX_SLL)
		(void)pcap_set_datalink(pcap, DLT_LINUX_SLL2);
	capture->link_type = pcap_datalink(pcap);
	if (!packet_link_type_is_supported(capture->link_type)) {
		const char *name = pcap_datalink_val_to_name(capture->link_type);

		return error_set(error, EPROTONOSUPPORT,
				 "%s: frames of link type %s are not understood", interface,
				 name ? name : "unknown");
	}
	if (pcap_setnonblock(pcap, 1, text) < 0)
		return error_set(error, EIO, "%s: %s", interface, text);
	return set_kernel_filter(pcap, interface, error);
}

int capture_open_interface(const char *interface, struct capture **ret_capture, struct error *error)
{
	_cleanup_(capture_closep) struct capture *capture = calloc(1, sizeof(*capture));
	char text[PCAP_ERRBUF_SIZE];
	int result;

	if (!capture)
		return error_set(error, ENOMEM, "out of memory");
	/* libpcap takes other things for devices, too (nflog, usbmon0, dbus-system). */
	if (strcmp(interface, "any") != 0 && if_nametoindex(interface) == 0)
		return no_such_interface(error, interface);
	capture->live = true;
	capture->pcap = pcap_create(interface, text);
	if (!capture->pcap)
		return explain_failure(error, interface, text);
	result = activate(capture, interface, error);
	if (result < 0)
		return result;
	*ret_capture = take_pointer(capture);
	return 0;
}

static int check_stream(struct capture *capture, struct error *error)
{
	capture->link_type = pcap_datalink(capture->pcap);
	if (!packet_link_type_is_supported(capture->link_type)) {
		const char *name = pcap_datalink_val_to_name(capture->link_type);

		return error_set(error, EPROTONOSUPPORT,
				 "link type %s (%d) is not understood; Ethernet, Linux cooked "
				 "(SLL, SLL2), raw IP and BSD loopback are",
				 name ? name : "unknown", capture->link_type);
	}
	if (pcap_compile(capture->pcap, &capture->filter, CAPTURE_FILTER, 1, PCAP_NETMASK_UNKNOWN) <
	    0)
		return error_set(error, EIO, "cannot compile the filter: %s",
				 pcap_geterr(capture->pcap));
	return 0;
}

int capture_open_stream(FILE *stream, struct capture **ret_capture, struct error *error)
{
	_cleanup_(capture_closep) struct capture *capture = calloc(1, sizeof(*capture));
	char text[PCAP_ERRBUF_SIZE] = "";
	int result;

	if (!capture) {
		(void)fclose(stream);
		return error_set(error, ENOMEM, "out of memory");
	}
	capture->pcap =
		pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!capture->pcap) {
		(void)fclose(stream);
		return error_set(error, EBADMSG, "%s", text);
	}
	result = check_stream(capture, error);
	if (result < 0)
		return result;
	*ret_capture = take_pointer(capture);
	return 0;
}

/* With PCAP_TSTAMP_PRECISION_NANO, tv_usec holds nanoseconds. A recording may claim anything. */
static uint64_t time_of(const struct pcap_pkthdr *header)
{
	if (header->ts.tv_sec < 0 || (uint64_t)header->ts.tv_sec >= UINT64_MAX / NS_PER_S ||
	    header->ts.tv_usec < 0 || (uint64_t)header->ts.tv_usec >= NS_PER_S)
		return 0;
	return (uint64_t)header->ts.tv_sec * NS_PER_S + (uint64_t)header->ts.tv_usec;
}

static void take_packet(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct capture *capture = (struct capture *)(void *)context;
	struct capture_sink *sink = capture->sink;
	struct packet packet;

	sink->packets++;
	sink->bytes += header->len;
	if (packet_decode(capture->link_type, bytes, header->caplen,
			  header->len < header->caplen ? header->caplen : header->len,
			  &packet) < 0) {
		sink->undecoded++;
		return;
	}
	if (packet.kind != PACKET_IGNORED)
		tracker_packet(sink->tracker, &packet, time_of(header));
}

static void take_record(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct capture *capture = (struct capture *)(void *)context;

	capture->records++;
	/* A packet cut within its headers fails the filter's tests without being judged: the
	 * decoder counts it. */
	if (pcap_offline_filter(&capture->filter, header, bytes) ||
	    (header->caplen < header->len && header->caplen < HEADERS_BYTES))
		take_packet(context, header, bytes);
}

static int dispatch_error(struct capture *capture, struct error *error)
{
	if (capture->live)
		return error_set(error, ENODEV, "%s", pcap_geterr(capture->pcap));
	return error_set(error, EBADMSG, "packet %llu: %s (the %llu before it were read)",
			 (unsigned long long)capture->records + 1, pcap_geterr(capture->pcap),
			 (unsigned long long)capture->records);
}

int capture_dispatch(struct capture *capture, int limit, struct capture_sink *sink,
		     struct error *error)
{
	int count;

	capture->sink = sink;
	count = pcap_dispatch(capture->pcap, limit, capture->live ? take_packet : take_record,
			      (u_char *)capture);
	capture->sink = NULL;
	return count < 0 ? dispatch_error(capture, error) : count;
}

int capture_descriptor(const struct capture *capture)
{
	return pcap_get_selectable_fd(capture->pcap);
}

bool capture_wants_attention(struct capture *capture)
{
	return pcap_get_required_select_timeout(capture->pcap) != NULL;
}

uint64_t capture_dropped(struct capture *capture)
{
	struct pcap_stat statistics;

	if (capture->live && pcap_stats(capture->pcap, &statistics) == 0) {
		capture->dropped += (uint32_t)(statistics.ps_drop - capture->dropped_before);
		capture->dropped += (uint32_t)(statistics.ps_ifdrop - capture->missed_before);
		capture->dropped_before = statistics.ps_drop;
		capture->missed_before = statistics.ps_ifdrop;
	}
	return capture->dropped;
}
