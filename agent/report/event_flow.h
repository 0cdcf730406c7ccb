/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_EVENT_FLOW_H
#define REPORT_EVENT_FLOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "report/finding.h"

/* The packet that a finding of the network is about, in its event: written, read back, and as a
 * half sentence. */
#define EVENT_KEY_WAY	      "way" /* "out", "in", "forward" */
#define EVENT_KEY_PROTOCOL    "protocol"
#define EVENT_KEY_LOCAL	      "local"
#define EVENT_KEY_LOCAL_PORT  "local_port"
#define EVENT_KEY_REMOTE      "remote"
#define EVENT_KEY_REMOTE_PORT "remote_port"
#define EVENT_KEY_TYPE	      "type" /* ICMP */
#define EVENT_KEY_NAME	      "name"

#define FLOW_KEY_SIZE  (4 + sizeof(struct ip_address) + FINDING_NAME_SIZE)
#define FLOW_TEXT_SIZE (2 * FINDING_NAME_SIZE + 256)

/* The keys of the flow; an empty object for a finding that is about no packet. NULL when memory is
 * out. */
json_t *event_flow_json(const struct finding_flow *flow);

/* What makes the flows of two findings of one kind equal, as bytes: the other end, the port that
 * was wanted, the name. Returns their number, 0 for no packet. */
size_t event_flow_key(const struct finding *finding, uint8_t key[FLOW_KEY_SIZE]);

/* Back from an event that anybody may have written. False: it is about no packet, or what it says
 * of one makes no sense. name: bytes that do not fit are cut off. */
bool event_flow_read(const json_t *event, struct finding_flow *ret_flow);

/* "udp to 192.0.2.7 port 53 (evil.example)", "evil.example, asked of 192.0.2.53", "tcp from
 * 192.0.2.9 to port 23": what half sentences of finding_kind_text() can follow. */
void event_flow_text(enum finding_kind kind, const struct finding_flow *flow,
		     char text[FLOW_TEXT_SIZE]);

#endif
