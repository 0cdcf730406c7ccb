/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flood INTERFACE SECONDS PACKETS_PER_SECOND [SIZE]: sends TCP data segments and every 64th time a
 * SYN of a new flow and a DNS question, as Ethernet frames, at the given rate (0: as fast as it
 * goes). Prints how many were sent and the rate that was reached.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define FRAME 1514

static double now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void start_frame(unsigned char *frame, const unsigned char *mac, int size, int protocol)
{
	static const unsigned char peer[] = {0x02, 0, 0, 0, 0, 0x99};
	struct ip ip = {
		.ip_v = 4,
		.ip_hl = 5,
		.ip_len = htons((uint16_t)(size - ETHER_HDR_LEN)),
		.ip_ttl = 64,
		.ip_p = (uint8_t)protocol,
	};

	memset(frame, 0, FRAME);
	memcpy(frame, peer, 6);
	memcpy(frame + 6, mac, 6);
	frame[12] = 8;
	ip.ip_src.s_addr = inet_addr("10.99.0.1");
	ip.ip_dst.s_addr = inet_addr("198.51.100.1");
	memcpy(frame + ETHER_HDR_LEN, &ip, sizeof(ip));
}

static void make_tcp(unsigned char *frame, const unsigned char *mac, int size, uint16_t port,
		     int flags)
{
	struct tcphdr tcp = {.th_sport = htons(port),
			     .th_dport = htons(443),
			     .th_off = 5,
			     .th_flags = (uint8_t)flags};

	start_frame(frame, mac, size, IPPROTO_TCP);
	memcpy(frame + ETHER_HDR_LEN + sizeof(struct ip), &tcp, sizeof(tcp));
}

static void make_dns(unsigned char *frame, const unsigned char *mac, uint16_t port)
{
	static const unsigned char question[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
						"\x03www\x07"
						"example\x00\x00\x01\x00\x01";
	struct udphdr udp = {.uh_sport = htons(port),
			     .uh_dport = htons(53),
			     .uh_ulen = htons(8 + sizeof(question) - 1)};

	start_frame(frame, mac, ETHER_HDR_LEN + 28 + (int)sizeof(question) - 1, IPPROTO_UDP);
	memcpy(frame + ETHER_HDR_LEN + sizeof(struct ip), &udp, sizeof(udp));
	memcpy(frame + ETHER_HDR_LEN + sizeof(struct ip) + sizeof(udp), question,
	       sizeof(question) - 1);
}

int main(int argc, char **argv)
{
	static unsigned char frames[BATCH][FRAME];
	struct mmsghdr messages[BATCH];
	struct iovec pieces[BATCH];
	struct sockaddr_ll place = {.sll_family = AF_PACKET};
	struct ifreq request = {0};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	int size = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 512;
	double seconds;
	double rate;
	double started;
	long sent = 0;

	if (argc < 4 || fd < 0 || size < 60 || size > FRAME) {
		(void)fprintf(stderr, "usage: flood INTERFACE SECONDS PACKETS_PER_SECOND [SIZE]\n");
		return 2;
	}
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", argv[1]);
	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0) {
		perror(argv[1]);
		return 2;
	}
	seconds = strtod(argv[2], NULL);
	rate = strtod(argv[3], NULL);
	place.sll_ifindex = (int)if_nametoindex(argv[1]);
	for (int i = 0; i < BATCH; i++) {
		make_tcp(frames[i], (unsigned char *)request.ifr_hwaddr.sa_data, size, 40000,
			 TH_ACK);
		pieces[i] = (struct iovec){.iov_base = frames[i], .iov_len = (size_t)size};
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &pieces[i],
							   .msg_iovlen = 1,
							   .msg_name = &place,
							   .msg_namelen = sizeof(place)}};
	}
	started = now_s();
	for (uint16_t port = 1024; now_s() - started < seconds; port++) {
		int done;

		make_tcp(frames[0], (unsigned char *)request.ifr_hwaddr.sa_data, size, port,
			 TH_SYN);
		make_dns(frames[1], (unsigned char *)request.ifr_hwaddr.sa_data, port);
		done = sendmmsg(fd, messages, BATCH, 0);
		if (done < 0 && errno != ENOBUFS && errno != EAGAIN) {
			perror("sendmmsg");
			return 2;
		}
		sent += done > 0 ? done : 0;
		while (rate > 0 && (double)sent > (now_s() - started) * rate) {
			struct timespec moment = {.tv_nsec = 50000};

			(void)nanosleep(&moment, NULL);
		}
	}
	(void)printf("%ld %.0f\n", sent, (double)sent / (now_s() - started));
	return 0;
}
