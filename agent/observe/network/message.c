/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/message.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hostname.h"
#include "base/text.h"

/* Linux' largest, include/linux/err.h MAX_ERRNO */
#define ERRNO_MAX 4095

/* A bool with another value than 0 or 1 must not even be read as one. */
static bool take_bool(const bool *received, bool *ret_value)
{
	uint8_t byte;

	memcpy(&byte, received, sizeof(byte));
	*ret_value = byte == 1;
	return byte <= 1;
}

static bool take_address(const struct ip_address *received, struct ip_address *ret_address)
{
	static const uint8_t zero[sizeof(received->bytes)];
	size_t used = received->family == 4 ? 4 : received->family == 6 ? 16 : 0;

	if (received->family != 0 && used == 0)
		return false;
	*ret_address = *received;
	return memcmp(received->bytes + used, zero, sizeof(zero) - used) == 0;
}

static bool take_addresses(const struct ip_address received[2], struct ip_address *ret_local,
			   struct ip_address *ret_remote)
{
	return take_address(&received[0], ret_local) && take_address(&received[1], ret_remote) &&
	       ret_local->family != 0 && ret_local->family == ret_remote->family;
}

static bool take_name(const char received[NAME_SIZE], char ret_name[NAME_SIZE])
{
	size_t length = strnlen(received, NAME_SIZE);

	if (length == NAME_SIZE || !hostname_is_valid(received))
		return false;
	memcpy(ret_name, received, length);
	return true;
}

static bool check_flow(struct message_checker *checker, const struct observation *received,
		       struct observation *checked)
{
	const struct observed_flow *flow = &received->flow;
	const struct ip_address ends[] = {flow->local, flow->remote};

	(void)checker;
	if (flow->id == 0 || flow->id >> FLOW_ID_BITS || flow->name_source > NAME_FROM_QUIC ||
	    !take_addresses(ends, &checked->flow.local, &checked->flow.remote) ||
	    !take_bool(&flow->link_broadcast, &checked->flow.link_broadcast) ||
	    !take_bool(&flow->announces, &checked->flow.announces))
		return false;
	if (flow->name_source == NAME_FROM_NONE ? flow->name[0] != '\0'
						: !take_name(flow->name, checked->flow.name))
		return false;
	checked->flow.id = flow->id;
	checked->flow.protocol = flow->protocol;
	checked->flow.icmp_type = flow->icmp_type;
	checked->flow.local_port = flow->local_port;
	checked->flow.remote_port = flow->remote_port;
	checked->flow.asked_port = flow->asked_port;
	checked->flow.name_source = flow->name_source;
	checked->flow.ttl_s = flow->ttl_s;
	return true;
}

static bool check_service(struct message_checker *checker, const struct observation *received,
			  struct observation *checked)
{
	const struct observed_service *service = &received->service;
	const struct ip_address ends[] = {service->local, service->remote};

	(void)checker;
	checked->service.protocol = service->protocol;
	checked->service.local_port = service->local_port;
	return take_addresses(ends, &checked->service.local, &checked->service.remote);
}

static bool check_name(struct message_checker *checker, const struct observation *received,
		       struct observation *checked)
{
	(void)checker;
	checked->name.ttl_s = received->name.ttl_s;
	return take_address(&received->name.address, &checked->name.address) &&
	       take_name(received->name.name, checked->name.name);
}

static bool check_role(struct message_checker *checker, const struct observation *received,
		       struct observation *checked)
{
	(void)checker;
	switch (received->role.role) {
	case PEER_ROLE_RESOLVER:
	case PEER_ROLE_GATEWAY:
	case PEER_ROLE_DHCP_SERVER:
	case PEER_ROLE_BROADCAST:
		checked->role.role = received->role.role;
		return take_bool(&received->role.announced, &checked->role.announced) &&
		       take_address(&received->role.address, &checked->role.address) &&
		       checked->role.address.family != 0;
	default:
		return false;
	}
}

static bool check_capture(struct message_checker *checker, const struct observation *received,
			  struct observation *checked)
{
	const struct observed_capture *now = &received->capture;
	struct observed_capture *before = &checker->capture;
	bool interrupted;

	if (!take_bool(&now->interrupted, &interrupted) || now->packets < before->packets ||
	    now->bytes < before->bytes || now->dropped < before->dropped ||
	    now->undecoded < before->undecoded || now->evicted < before->evicted ||
	    now->undecoded > now->packets || interrupted < before->interrupted)
		return false;
	checked->capture.packets = now->packets;
	checked->capture.bytes = now->bytes;
	checked->capture.dropped = now->dropped;
	checked->capture.undecoded = now->undecoded;
	checked->capture.evicted = now->evicted;
	checked->capture.interrupted = interrupted;
	*before = checked->capture;
	return true;
}

typedef bool (*check_fn)(struct message_checker *checker, const struct observation *received,
			 struct observation *checked);

/* The observations that may come out of an inspector. */
static const check_fn checks[] = {
	[OBSERVATION_START] = check_flow,      [OBSERVATION_CONNECTION] = check_flow,
	[OBSERVATION_SERVICE] = check_service, [OBSERVATION_NAME] = check_name,
	[OBSERVATION_ROLE] = check_role,       [OBSERVATION_CAPTURE] = check_capture,
};

static bool check_observation(struct message_checker *checker, const struct observation *received,
			      struct observation *checked)
{
	unsigned int kind;

	memcpy(&kind, &received->kind, sizeof(kind));
	if (kind >= array_length(checks) || !checks[kind] ||
	    !mac_equal(&received->station.mac, &checker->station.mac))
		return false;
	checked->kind = received->kind;
	checked->station = checker->station;
	checked->time_ns = received->time_ns;
	return checks[kind](checker, received, checked);
}

static bool check_trouble(const struct trouble *received, struct trouble *checked)
{
	if (received->code < 0 || received->code > ERRNO_MAX ||
	    strnlen(received->text, sizeof(received->text)) == sizeof(received->text))
		return false;
	checked->interface = received->interface;
	checked->code = received->code;
	text_printable(received->text, checked->text, sizeof(checked->text));
	return true;
}

int message_check(struct message_checker *checker, const void *bytes, struct report *ret_report)
{
	struct report checked = {0};
	struct report received;
	bool good = false;

	memcpy(&received, bytes, sizeof(received));
	checked.kind = received.kind;
	switch (received.kind) {
	case REPORT_OBSERVATION:
		good = check_observation(checker, &received.observation, &checked.observation);
		break;
	case REPORT_INTERFACE:
		good = check_trouble(&received.trouble, &checked.trouble) &&
		       received.trouble.code &&
		       received.trouble.interface < checker->interface_count;
		break;
	case REPORT_FILE:
		good = check_trouble(&received.trouble, &checked.trouble) &&
		       checker->interface_count == 0 && received.trouble.interface == 0;
		break;
	case REPORT_FINISHED:
	case REPORT_ALIVE:
		good = true;
		break;
	}
	if (!good)
		return -EBADMSG;
	*ret_report = checked;
	return 0;
}
