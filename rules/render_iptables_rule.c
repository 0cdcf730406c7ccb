/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules/render_iptables_rule.h"

#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"

/* The rule that is being written, for one family. */
struct scene {
	const struct rule_program *program;
	const struct rule_chain *chain;
	size_t index;
	const struct rule *rule;
	bool inbound;
	unsigned int family;
	const struct render_instance *instance;
	FILE *stream;
};

/* The names that iptables knows by itself; others it would look up in /etc/protocols. */
static const struct {
	uint8_t number;
	const char *name;
	const char *match;  /* that has its ports; NULL: none */
	const char *source; /* its options */
	const char *destination;
} PROTOCOLS[] = {
	{IPPROTO_TCP, "tcp", "tcp", "--sport", "--dport"},
	{IPPROTO_UDP, "udp", "udp", "--sport", "--dport"},
	{IPPROTO_SCTP, "sctp", "sctp", "--sport", "--dport"},
	{IPPROTO_DCCP, NULL, "dccp", "--sport", "--dport"},
	{IPPROTO_UDPLITE, "udplite", "multiport", "--sports", "--dports"},
	{IPPROTO_ICMP, "icmp", NULL, NULL, NULL},
	{IPPROTO_ICMPV6, "ipv6-icmp", NULL, NULL, NULL},
	{IPPROTO_ESP, "esp", NULL, NULL, NULL},
	{IPPROTO_AH, "ah", NULL, NULL, NULL},
};

static bool is_source(const struct scene *scene, enum rule_side side)
{
	return (side == SIDE_REMOTE) == scene->inbound;
}

/* ---- matches ---- */

static size_t find_protocol(uint8_t number)
{
	size_t i = 0;

	while (i < array_length(PROTOCOLS) && PROTOCOLS[i].number != number)
		i++;
	return i;
}

static void write_protocol(const struct scene *scene)
{
	const struct rule_match *match = &scene->rule->match;
	size_t i = find_protocol(match->protocol);

	if (!match->has_protocol)
		return;
	if (i < array_length(PROTOCOLS) && PROTOCOLS[i].name)
		(void)fprintf(scene->stream, " -p %s", PROTOCOLS[i].name);
	else
		(void)fprintf(scene->stream, " -p %u", match->protocol);
}

static void write_ports(const struct scene *scene)
{
	const struct rule_match *match = &scene->rule->match;
	size_t protocol = find_protocol(match->protocol);
	const struct {
		bool set;
		const uint16_t *range;
	} sides[] = {
		/* source, destination */
		{scene->inbound ? match->has_remote_ports : match->has_local_ports,
		 scene->inbound ? match->remote_ports : match->local_ports},
		{scene->inbound ? match->has_local_ports : match->has_remote_ports,
		 scene->inbound ? match->local_ports : match->remote_ports},
	};
	bool named = false;

	if (!match->has_protocol || protocol == array_length(PROTOCOLS) ||
	    !PROTOCOLS[protocol].match)
		return;
	for (size_t i = 0; i < array_length(sides); i++) {
		if (!sides[i].set)
			continue;
		/* each use of multiport has one list */
		if (!named || strcmp(PROTOCOLS[protocol].match, "multiport") == 0)
			(void)fprintf(scene->stream, " -m %s", PROTOCOLS[protocol].match);
		named = true;
		(void)fprintf(scene->stream, " %s %u",
			      i == 0 ? PROTOCOLS[protocol].source : PROTOCOLS[protocol].destination,
			      sides[i].range[0]);
		if (sides[i].range[1] > sides[i].range[0])
			(void)fprintf(scene->stream, ":%u", sides[i].range[1]);
	}
	if (match->opens)
		(void)fprintf(scene->stream, "%s --tcp-flags FIN,SYN,RST,ACK SYN",
			      named ? "" : " -m tcp");
}

static void write_icmp_type(const struct scene *scene)
{
	const struct rule_match *match = &scene->rule->match;

	if (!match->has_icmp_type)
		return;
	if (scene->family == RULE_IPV6)
		(void)fprintf(scene->stream, " -m icmp6 --icmpv6-type %u", match->icmp_type);
	else
		(void)fprintf(scene->stream, " -m icmp --icmp-type %u", match->icmp_type);
}

struct bit_name {
	unsigned int bit;
	const char *name;
};

static void write_bits(const struct scene *scene, const char *option, unsigned int bits,
		       const struct bit_name *names, size_t count)
{
	char before = ' ';

	if (!bits)
		return;
	(void)fprintf(scene->stream, " -m %s", option);
	for (size_t i = 0; i < count; i++) {
		if (!(bits & names[i].bit))
			continue;
		(void)fprintf(scene->stream, "%c%s", before, names[i].name);
		before = ',';
	}
}

static void write_state_and_place(const struct scene *scene)
{
	static const struct bit_name states[] = {
		{STATE_INVALID, "INVALID"},	{STATE_NEW, "NEW"},
		{STATE_RELATED, "RELATED"},	{STATE_ESTABLISHED, "ESTABLISHED"},
		{STATE_UNTRACKED, "UNTRACKED"},
	};
	static const struct bit_name places[] = {
		{PLACE_LOCAL, "LOCAL"},
		{PLACE_BROADCAST, "BROADCAST"},
		{PLACE_MULTICAST, "MULTICAST"},
	};
	const struct rule_match *match = &scene->rule->match;
	unsigned int to = match->places;

	if (scene->family == RULE_IPV6) /* the match refuses to hear of it */
		to &= ~(unsigned int)PLACE_BROADCAST;
	write_bits(scene, "conntrack --ctstate", match->states, states, array_length(states));
	write_bits(scene, "addrtype --dst-type", to, places, array_length(places));
	if (match->link_scope)
		(void)fputs(scene->family == RULE_IPV6 ? " -m hl --hl-eq 255"
						       : " -m ttl --ttl-eq 255",
			    scene->stream);
	if (match->has_user)
		(void)fprintf(scene->stream, " -m owner --uid-owner %u", match->user);
}

static char set_letter(const struct scene *scene, const struct rule_set *set)
{
	if (set->kind == SET_PORT)
		return 'x';
	return scene->family == RULE_IPV6 ? '6' : '4';
}

/* Which parts of the packet make the key: "dst,dst". */
static void write_directions(const struct scene *scene, const struct rule_set *set,
			     enum rule_side side)
{
	const char *direction = is_source(scene, side) ? "src" : "dst";
	bool both = set->kind == SET_ADDRESS_PORT || set->kind == SET_PREFIX_PORT;

	(void)fprintf(scene->stream, " %s%s%s", direction, both ? "," : "", both ? direction : "");
}

static void write_lookups(const struct scene *scene)
{
	char name[RENDER_SET_NAME_SIZE];

	for (size_t i = 0; i < RULE_LOOKUPS; i++) {
		const struct rule_lookup *lookup = &scene->rule->match.lookups[i];
		const struct rule_set *set;

		if (lookup->set == RULE_NONE)
			continue;
		set = &scene->program->sets[lookup->set];
		if (set->kind != SET_PORT && !(set->families & scene->family))
			continue; /* absent from a set that this family does not have */
		render_set_name(set, set_letter(scene, set), scene->instance->generation, name);
		(void)fprintf(scene->stream, " -m set%s --match-set %s", lookup->absent ? " !" : "",
			      name);
		write_directions(scene, set, lookup->side);
	}
}

#define RATE_LIFE_MS 10000 /* a source that was silent so long begins anew */

/* The last of the matches: what does not come to it does not count. */
static void write_rate(const struct scene *scene)
{
	const struct rule_match *match = &scene->rule->match;

	if (!match->rate_per_s)
		return;
	if (!match->rate_per_source) {
		(void)fprintf(scene->stream, " -m limit --limit %u/sec", match->rate_per_s);
		if (match->burst)
			(void)fprintf(scene->stream, " --limit-burst %u", match->burst);
		return;
	}
	(void)fprintf(scene->stream, " -m hashlimit --hashlimit-upto %u/sec", match->rate_per_s);
	if (match->burst)
		(void)fprintf(scene->stream, " --hashlimit-burst %u", match->burst);
	(void)fprintf(scene->stream,
		      " --hashlimit-mode %s --hashlimit-name %s-%c-%s-%zu"
		      " --hashlimit-htable-expire %d",
		      is_source(scene, SIDE_REMOTE) ? "srcip" : "dstip", RENDER_PREFIX,
		      scene->instance->generation, scene->chain->name, scene->index + 1,
		      RATE_LIFE_MS);
}

/* As iptables-save quotes it. */
static void write_quoted(const char *text, FILE *stream)
{
	static const char plain[] = "_-0123456789"
				    "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (*text && strspn(text, plain) == strlen(text)) {
		(void)fputs(text, stream);
		return;
	}
	(void)fputc('"', stream);
	for (; *text; text++) {
		if (strchr("\"\\'", *text))
			(void)fputc('\\', stream);
		(void)fputc(*text, stream);
	}
	(void)fputc('"', stream);
}

static void write_comment(const struct scene *scene)
{
	if (!*scene->rule->comment)
		return;
	(void)fputs(" -m comment --comment ", scene->stream);
	write_quoted(scene->rule->comment, scene->stream);
}

/* ---- targets ---- */

#define REPORT_BYTES 256 /* of each reported packet: its headers */

static void write_reject(const struct scene *scene)
{
	const struct rule_match *match = &scene->rule->match;
	const char *with =
		scene->family == RULE_IPV6 ? "icmp6-adm-prohibited" : "icmp-admin-prohibited";

	if (match->has_protocol && match->protocol == IPPROTO_TCP)
		with = "tcp-reset";
	(void)fprintf(scene->stream, "REJECT --reject-with %s", with);
}

static void write_report(const struct scene *scene)
{
	(void)fputs("NFLOG", scene->stream);
	if (scene->chain->report_prefix) {
		(void)fputs(" --nflog-prefix ", scene->stream);
		write_quoted(scene->chain->report_prefix, scene->stream);
	}
	(void)fprintf(scene->stream, " --nflog-group %u --nflog-size %d", scene->program->log_group,
		      REPORT_BYTES);
}

static void write_note(const struct scene *scene)
{
	const struct rule *rule = scene->rule;
	const struct rule_set *set = &scene->program->sets[rule->set];
	char name[RENDER_SET_NAME_SIZE];

	render_set_name(set, set_letter(scene, set), scene->instance->generation, name);
	(void)fprintf(scene->stream, "SET --add-set %s", name);
	write_directions(scene, set, rule->side);
	(void)fprintf(scene->stream, " --exist --timeout %u", rule->seconds);
}

static void write_target(const struct scene *scene)
{
	const struct rule *rule = scene->rule;
	char name[RENDER_CHAIN_NAME_SIZE];

	(void)fputs(" -j ", scene->stream);
	switch (rule->verdict) {
	case RULE_PERMIT: /* others' rules decide */
		(void)fputs("RETURN", scene->stream);
		break;
	case RULE_REJECT:
		write_reject(scene);
		break;
	case RULE_JUMP:
		render_chain_name(&scene->program->chains[rule->chain], name);
		(void)fputs(name, scene->stream);
		break;
	case RULE_HOLD:
		(void)fprintf(scene->stream, "NFQUEUE --queue-num %u%s",
			      (unsigned int)scene->program->first_queue + rule->queue,
			      rule->passes_unheard ? " --queue-bypass" : "");
		break;
	case RULE_REPORT:
		write_report(scene);
		break;
	case RULE_NOTE:
		write_note(scene);
		break;
	case RULE_DROP:
	default: /* what is not known does not pass */
		(void)fputs("DROP", scene->stream);
		break;
	}
}

static void write_line(const struct scene *scene, const char *name)
{
	const struct rule *rule = scene->rule;

	(void)fprintf(scene->stream, "-A %s", name);
	if (rule->match.loopback)
		(void)fprintf(scene->stream, " %s lo", scene->inbound ? "-i" : "-o");
	write_protocol(scene);
	write_ports(scene);
	write_icmp_type(scene);
	write_state_and_place(scene);
	write_lookups(scene);
	write_rate(scene);
	if (rule->verdict == RULE_HOLD)
		(void)fprintf(scene->stream, " -m mark ! --mark 0x%x/0x%x",
			      scene->instance->release_mark & RENDER_MARK_MASK, RENDER_MARK_MASK);
	write_comment(scene);
	write_target(scene);
	(void)fputc('\n', scene->stream);
}

bool iptables_write_rule(const struct rule_program *program, uint16_t chain, size_t index,
			 const char *name, unsigned int family,
			 const struct render_instance *instance, FILE *stream)
{
	const struct rule *rule = &program->chains[chain].rules[index];
	struct rule reset = *rule;
	struct scene scene = {
		.program = program,
		.chain = &program->chains[chain],
		.index = index,
		.rule = rule,
		.inbound = render_chain_is_inbound(program, chain),
		.family = family,
		.instance = instance,
		.stream = stream,
	};

	if (!(render_rule_families(program, rule) & family))
		return false;
	/* TCP has a refusal of its own: what leaves the protocol open becomes two rules */
	if (rule->verdict == RULE_REJECT && !rule->match.has_protocol) {
		reset.match.has_protocol = true;
		reset.match.protocol = IPPROTO_TCP;
		scene.rule = &reset;
		write_line(&scene, name);
		scene.rule = rule;
	}
	write_line(&scene, name);
	return true;
}
