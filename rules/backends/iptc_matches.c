/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/iptc_matches.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_dccp.h>
#include <linux/netfilter/xt_hashlimit.h>
#include <linux/netfilter/xt_limit.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_owner.h>
#include <linux/netfilter/xt_sctp.h>
#include <linux/netfilter/xt_set.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv4/ipt_ttl.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <linux/netfilter_ipv6/ip6t_hl.h>

#include "base/cleanup.h"

#define LINK_HOP_LIMIT 255 /* RFC 4861 section 11.2 */
#define ANY_ICMP_CODE  255 /* xt_icmp: codes 0 to 255 */

/* struct xt_tcp: SYN among SYN, RST, ACK, FIN (RFC 9293 section 3.1), as iptables --syn */
#define TCP_OPENING_MASK 0x17
#define TCP_SYN		 0x02

static unsigned int places_of(const struct iptc_setting *setting, const struct rule_match *match)
{
	/* IPv6 has no broadcast, and xt_addrtype refuses to hear of it */
	return setting->family->family == RULE_IPV6 ? match->places & ~PLACE_BROADCAST
						    : match->places;
}

static bool is_of_family(const struct iptc_setting *setting, const struct rule_lookup *lookup)
{
	const struct rule_set *set = &setting->program->sets[lookup->set];

	return set->kind == SET_PORT || set->families & setting->family->family;
}

struct iptc_header iptc_match_header(enum iptc_way way, const struct rule_match *match)
{
	return (struct iptc_header){
		.has_protocol = match->has_protocol,
		.protocol = match->protocol,
		.in_interface = match->loopback && way == IPTC_IN ? "lo" : NULL,
		.out_interface = match->loopback && way == IPTC_OUT ? "lo" : NULL,
	};
}

/* ---- protocols ---- */

struct port_ranges {
	uint16_t source[2];
	uint16_t destination[2];
	bool has_source;
	bool has_destination;
};

static struct port_ranges ports_of(enum iptc_way way, const struct rule_match *match)
{
	struct port_ranges ranges = {.source = {0, UINT16_MAX}, .destination = {0, UINT16_MAX}};
	bool out = way == IPTC_OUT;
	const uint16_t *source = out ? match->local_ports : match->remote_ports;
	const uint16_t *destination = out ? match->remote_ports : match->local_ports;

	ranges.has_source = out ? match->has_local_ports : match->has_remote_ports;
	ranges.has_destination = out ? match->has_remote_ports : match->has_local_ports;
	if (ranges.has_source)
		memcpy(ranges.source, source, sizeof(ranges.source));
	if (ranges.has_destination)
		memcpy(ranges.destination, destination, sizeof(ranges.destination));
	return ranges;
}

static void write_multiport(struct iptc_entry *entry, uint8_t direction, const uint16_t range[2])
{
	struct xt_multiport_v1 *ports = iptc_entry_match(entry, MATCH_MULTIPORT);

	ports->flags = direction;
	ports->ports[0] = range[0];
	ports->count = 1;
	if (range[1] != range[0]) {
		ports->pflags[0] = 1; /* a range: the next one is its end */
		ports->ports[1] = range[1];
		ports->count = 2;
	}
}

static void write_sctp(struct iptc_entry *entry, const struct port_ranges *ranges)
{
	struct xt_sctp_info *sctp = iptc_entry_match(entry, MATCH_SCTP);

	memcpy(sctp->spts, ranges->source, sizeof(sctp->spts));
	memcpy(sctp->dpts, ranges->destination, sizeof(sctp->dpts));
	sctp->flags = (ranges->has_source ? XT_SCTP_SRC_PORTS : 0) |
		      (ranges->has_destination ? XT_SCTP_DEST_PORTS : 0);
}

static void write_dccp(struct iptc_entry *entry, const struct port_ranges *ranges)
{
	struct xt_dccp_info *dccp = iptc_entry_match(entry, MATCH_DCCP);

	memcpy(dccp->spts, ranges->source, sizeof(dccp->spts));
	memcpy(dccp->dpts, ranges->destination, sizeof(dccp->dpts));
	dccp->flags = (ranges->has_source ? XT_DCCP_SRC_PORTS : 0) |
		      (ranges->has_destination ? XT_DCCP_DEST_PORTS : 0);
}

static void write_protocol(struct iptc_entry *entry, enum iptc_way way,
			   const struct rule_match *match)
{
	struct port_ranges ranges = ports_of(way, match);
	bool has_ports = ranges.has_source || ranges.has_destination;

	if (match->protocol == IPPROTO_TCP && (has_ports || match->opens)) {
		struct xt_tcp *tcp = iptc_entry_match(entry, MATCH_TCP);

		memcpy(tcp->spts, ranges.source, sizeof(tcp->spts));
		memcpy(tcp->dpts, ranges.destination, sizeof(tcp->dpts));
		if (match->opens) {
			tcp->flg_mask = TCP_OPENING_MASK;
			tcp->flg_cmp = TCP_SYN;
		}
	} else if (match->protocol == IPPROTO_UDP && has_ports) {
		struct xt_udp *udp = iptc_entry_match(entry, MATCH_UDP);

		memcpy(udp->spts, ranges.source, sizeof(udp->spts));
		memcpy(udp->dpts, ranges.destination, sizeof(udp->dpts));
	} else if (match->protocol == IPPROTO_SCTP && has_ports) {
		write_sctp(entry, &ranges);
	} else if (match->protocol == IPPROTO_DCCP && has_ports) {
		write_dccp(entry, &ranges);
	} else {
		if (ranges.has_source)
			write_multiport(entry, XT_MULTIPORT_SOURCE, ranges.source);
		if (ranges.has_destination)
			write_multiport(entry, XT_MULTIPORT_DESTINATION, ranges.destination);
	}
}

static void write_icmp(struct iptc_entry *entry, const struct iptc_setting *setting, uint8_t type)
{
	if (setting->family->family == RULE_IPV4) {
		struct ipt_icmp *icmp = iptc_entry_match(entry, MATCH_ICMP);

		icmp->type = type;
		icmp->code[1] = ANY_ICMP_CODE;
	} else {
		struct ip6t_icmp *icmp = iptc_entry_match(entry, MATCH_ICMP6);

		icmp->type = type;
		icmp->code[1] = ANY_ICMP_CODE;
	}
}

/* ---- what the kernel knows of the packet ---- */

static void write_states(struct iptc_entry *entry, unsigned int states)
{
	static const struct {
		enum rule_state state;
		uint16_t bit;
	} bits[] = {
		{STATE_ESTABLISHED, XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED)},
		{STATE_RELATED, XT_CONNTRACK_STATE_BIT(IP_CT_RELATED)},
		{STATE_NEW, XT_CONNTRACK_STATE_BIT(IP_CT_NEW)},
		{STATE_INVALID, XT_CONNTRACK_STATE_INVALID},
		{STATE_UNTRACKED, XT_CONNTRACK_STATE_UNTRACKED},
	};
	struct xt_conntrack_mtinfo3 *conntrack = iptc_entry_match(entry, MATCH_CONNTRACK);

	conntrack->match_flags = XT_CONNTRACK_STATE;
	for (size_t i = 0; i < array_length(bits); i++)
		if (states & bits[i].state)
			conntrack->state_mask |= bits[i].bit;
}

static void write_places(struct iptc_entry *entry, unsigned int places)
{
	struct xt_addrtype_info_v1 *type = iptc_entry_match(entry, MATCH_ADDRTYPE);

	if (places & PLACE_LOCAL)
		type->dest |= XT_ADDRTYPE_LOCAL;
	if (places & PLACE_MULTICAST)
		type->dest |= XT_ADDRTYPE_MULTICAST;
	if (places & PLACE_BROADCAST)
		type->dest |= XT_ADDRTYPE_BROADCAST;
}

static void write_link_scope(struct iptc_entry *entry, const struct iptc_setting *setting)
{
	if (setting->family->family == RULE_IPV4) {
		struct ipt_ttl_info *ttl = iptc_entry_match(entry, MATCH_TTL);

		ttl->mode = IPT_TTL_EQ;
		ttl->ttl = LINK_HOP_LIMIT;
	} else {
		struct ip6t_hl_info *limit = iptc_entry_match(entry, MATCH_HL);

		limit->mode = IP6T_HL_EQ;
		limit->hop_limit = LINK_HOP_LIMIT;
	}
}

static void write_owner(struct iptc_entry *entry, uint32_t user)
{
	struct xt_owner_match_info *owner = iptc_entry_match(entry, MATCH_OWNER);

	owner->match = XT_OWNER_UID;
	owner->uid_min = user;
	owner->uid_max = user;
}

static void write_lookup(struct iptc_entry *entry, const struct iptc_setting *setting,
			 enum iptc_way way, const struct rule_lookup *lookup)
{
	const struct rule_set *set = &setting->program->sets[lookup->set];
	bool source = (way == IPTC_IN) == (lookup->side == SIDE_REMOTE);
	struct xt_set_info_match_v4 *info;

	if (!is_of_family(setting, lookup)) /* and absent: always holds */
		return;
	info = iptc_entry_match(entry, MATCH_SET);
	info->match_set.index = setting->set_indices[lookup->set];
	info->match_set.dim = set->kind == SET_ADDRESS_PORT || set->kind == SET_PREFIX_PORT
				      ? IPSET_DIM_TWO
				      : IPSET_DIM_ONE;
	if (source)
		info->match_set.flags |= info->match_set.dim == IPSET_DIM_TWO
						 ? IPSET_DIM_ONE_SRC | IPSET_DIM_TWO_SRC
						 : IPSET_DIM_ONE_SRC;
	if (lookup->absent)
		info->match_set.flags |= IPSET_INV_MATCH;
}

/* ---- rates ---- */

#define USUAL_BURST  5 /* as iptables(8) has it */
#define SWEEP_MS     1000
#define RATE_LIFE_MS 10000 /* a source that was silent so long begins anew */

static void write_rate_per_source(struct iptc_entry *entry, const struct iptc_setting *setting,
				  enum iptc_way way, const struct rule_match *match,
				  const char *place)
{
	struct xt_hashlimit_mtinfo3 *limit = iptc_entry_match(entry, MATCH_HASHLIMIT);
	uint8_t whole = setting->family->family == RULE_IPV4 ? 32 : 128;

	/* the kernel keeps the limits of a name that is in use, whatever a new rule says: each
	 * generation has its own names */
	(void)snprintf(limit->name, sizeof(limit->name), RENDER_PREFIX "-%c-%s",
		       setting->instance.generation, place);
	limit->cfg.mode = way == IPTC_IN ? XT_HASHLIMIT_HASH_SIP : XT_HASHLIMIT_HASH_DIP;
	limit->cfg.avg = XT_HASHLIMIT_SCALE_v2 / match->rate_per_s;
	limit->cfg.burst = match->burst ? match->burst : USUAL_BURST;
	limit->cfg.gc_interval = SWEEP_MS;
	limit->cfg.expire = RATE_LIFE_MS;
	limit->cfg.srcmask = whole;
	limit->cfg.dstmask = whole;
}

static void write_rate(struct iptc_entry *entry, const struct iptc_setting *setting,
		       enum iptc_way way, const struct rule_match *match, const char *place)
{
	struct xt_rateinfo *limit;

	if (match->rate_per_source) {
		write_rate_per_source(entry, setting, way, match, place);
		return;
	}
	limit = iptc_entry_match(entry, MATCH_LIMIT);
	limit->avg = match->rate_per_s < XT_LIMIT_SCALE ? XT_LIMIT_SCALE / match->rate_per_s : 1;
	limit->burst = match->burst ? match->burst : USUAL_BURST;
}

/* ---- all of it ---- */

void iptc_match_write(struct iptc_entry *entry, const struct iptc_setting *setting,
		      enum iptc_way way, const struct rule_match *match, const char *place)
{
	if (match->has_protocol)
		write_protocol(entry, way, match);
	if (match->has_icmp_type)
		write_icmp(entry, setting, match->icmp_type);
	if (match->states)
		write_states(entry, match->states);
	if (match->places)
		write_places(entry, places_of(setting, match));
	if (match->link_scope)
		write_link_scope(entry, setting);
	if (match->has_user)
		write_owner(entry, match->user);
	for (size_t i = 0; i < RULE_LOOKUPS; i++)
		if (match->lookups[i].set != RULE_NONE)
			write_lookup(entry, setting, way, &match->lookups[i]);
	if (match->rate_per_s)
		write_rate(entry, setting, way, match, place);
}

void iptc_match_release(struct iptc_entry *entry, const struct iptc_setting *setting, bool absent)
{
	struct xt_mark_mtinfo1 *mark = iptc_entry_match(entry, MATCH_MARK);

	mark->mark = setting->instance.release_mark & RENDER_MARK_MASK;
	mark->mask = RENDER_MARK_MASK;
	mark->invert = absent;
}

void iptc_match_comment(struct iptc_entry *entry, const char *comment)
{
	struct xt_comment_info *info;

	if (!comment[0])
		return;
	info = iptc_entry_match(entry, MATCH_COMMENT);
	(void)snprintf(info->comment, sizeof(info->comment), "%s", comment);
}
