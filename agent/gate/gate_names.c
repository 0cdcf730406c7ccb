/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/nameser.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "gate/gate_private.h"
#include "profiles/match.h"

static bool reports_only(const struct gate *gate)
{
	return gate->options.report_only;
}

static void found(struct gate *gate, enum finding_kind kind, enum finding_action action,
		  const struct held *held)
{
	gate_found(gate, kind, LAYER_GATE, action, held->way == HELD_OUT ? WAY_OUT : WAY_IN,
		   &held->flow, NULL);
}

/* ---- questions ---- */

static void ask(struct gate *gate, const struct held *question)
{
	if (questions_note(gate->questions, question, clock_monotonic_ns()) < 0) {
		gate_drop(gate, question);
		return;
	}
	gate->counts.questions++;
	gate_let_go(gate, question);
}

void gate_take_question(struct gate *gate, const struct held *question)
{
	enum finding_action action = ACTION_REPORTED;

	if (rule_program_permits_name(gate->program, question->flow.name)) {
		ask(gate, question);
		return;
	}
	if (gate->options.permit_unknown_names || reports_only(gate)) {
		ask(gate, question);
	} else {
		gate->counts.questions_refused++;
		action = gate_refuse(gate, question, ns_r_nxdomain);
	}
	/* who has which address is what logs ask for, and says nothing of what the host does */
	if (question->question_type != ns_t_ptr)
		found(gate, FINDING_NAME_UNKNOWN, action, question);
}

/* ---- answers ---- */

/* Names that no resolver of the internet knows: RFC 6762 section 3 and appendix G, RFC 8375, RFC
 * 6761, ICANN's resolution 2024.07.29.06 (internal); and those of one label. */
static bool is_special(const char *name)
{
	static const char *const domains[] = {"local", "home.arpa", "internal", "lan",
					      "home",  "intranet",  "private",	"corp"};

	if (!strchr(name, '.'))
		return true;
	for (size_t i = 0; i < array_length(domains); i++)
		if (name_in_domain(name, domains[i]))
			return true;
	return false;
}

bool gate_name_is_local(const struct gate *gate, const char *name)
{
	return is_special(name) || string_list_contains(&gate->local_names, name);
}

/* IPv6 that a translator or a tunnel takes to an IPv4 address. */
static const struct translation {
	uint8_t prefix[16];
	uint8_t prefix_size;
	uint8_t at; /* of the IPv4 address */
} translations[] = {
	{{0x00, 0x64, 0xff, 0x9b}, 12, 12}, /* RFC 6052 section 2.1 */
	{{0x20, 0x02}, 2, 2},		    /* 6to4, RFC 3056 section 2 */
	{{0}, 12, 12},			    /* IPv4-compatible, RFC 4291 section 2.5.5.1 */
};

/* What the network makes of it leads where the plain address would. */
static enum address_scope scope_of(const struct ip_address *address)
{
	enum address_scope scope = ip_scope(address);

	if (address->family != 6 || scope != ADDRESS_PUBLIC)
		return scope;
	for (size_t i = 0; i < array_length(translations); i++) {
		const struct translation *translation = &translations[i];
		struct ip_address plain;

		if (memcmp(address->bytes, translation->prefix, translation->prefix_size) != 0)
			continue;
		plain = ip_from_ipv4(address->bytes + translation->at);
		return ip_scope(&plain);
	}
	/* site-local, which RFC 3879 deprecates: where it is still used, it is local */
	if (address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0xc0)
		return ADDRESS_PRIVATE;
	return scope;
}

static bool address_fits(const struct gate *gate, const char *name,
			 const struct ip_address *address)
{
	switch (scope_of(address)) {
	case ADDRESS_PUBLIC:
		return true;
	case ADDRESS_PRIVATE:
	case ADDRESS_LINK_LOCAL:
		return gate_name_is_local(gate, name);
	case ADDRESS_UNSPECIFIED:
	case ADDRESS_LOOPBACK:
	case ADDRESS_MULTICAST:
	case ADDRESS_BROADCAST:
		break;
	}
	return false;
}

static bool addresses_fit(const struct gate *gate, const struct held *answer)
{
	for (size_t i = 0; i < answer->address_count; i++)
		if (!address_fits(gate, answer->flow.name, &answer->addresses[i].address))
			return false;
	return true;
}

static void refuse_answer(struct gate *gate, const struct held *answer, enum finding_kind kind)
{
	enum finding_action action = ACTION_DROPPED;

	if (reports_only(gate)) {
		gate_let_go(gate, answer);
		found(gate, kind, ACTION_REPORTED, answer);
		return;
	}
	gate->counts.answers_refused++;
	if (kind == FINDING_ANSWER_REBINDING)
		action = gate_refuse(gate, answer, ns_r_servfail);
	else
		gate_drop(gate, answer);
	found(gate, kind, action, answer);
}

static void label(struct gate *gate, const struct held *answer)
{
	for (size_t i = 0; i < answer->address_count; i++)
		(void)address_names_add(gate->labels, &answer->addresses[i].address,
					answer->flow.name);
}

static void measure(struct gate *gate, uint64_t begun_ns)
{
	uint64_t us = (clock_monotonic_ns() - begun_ns) / 1000;

	if (us > gate->counts.longest_us)
		gate->counts.longest_us = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

/* A client that has the answer and finds the door shut gives up for longer than one that asks
 * again. */
static void complain(struct gate *gate, const struct held *answer, const struct error *error)
{
	uint64_t now_ns = clock_monotonic_ns();

	if (gate->said_ns && now_ns - gate->said_ns < 10 * NS_PER_S)
		return;
	gate->said_ns = now_ns;
	gate_say(gate, "the addresses of %s could not be permitted: %s", answer->flow.name,
		 error->message);
}

/* What was refused here comes in over the loopback interface, as an answer. */
static bool is_own_refusal(struct gate *gate, const struct held *answer, uint64_t now_ns)
{
	return answer->rcode == ns_r_nxdomain && !answer->address_count && !answer->truncated &&
	       questions_answered(gate->refused, answer, now_ns);
}

void gate_take_answer(struct gate *gate, const struct held *answer)
{
	uint64_t begun_ns = clock_monotonic_ns();
	struct error error = {0};

	if (is_own_refusal(gate, answer, begun_ns)) {
		gate_let_go(gate, answer);
		return;
	}
	if (!questions_answered(gate->questions, answer, begun_ns)) {
		refuse_answer(gate, answer, FINDING_ANSWER_UNASKED);
		return;
	}
	if (!addresses_fit(gate, answer)) {
		refuse_answer(gate, answer, FINDING_ANSWER_REBINDING);
		return;
	}
	label(gate, answer);
	/* a name that is not in the profile may have been asked for; it opens nothing */
	if (rule_program_permits_name(gate->program, answer->flow.name) &&
	    gate_sets_answered(gate, answer, &error) < 0) {
		complain(gate, answer, &error);
		if (!reports_only(gate)) {
			gate->counts.answers_refused++;
			(void)gate_refuse(gate, answer, ns_r_servfail);
			return;
		}
	}
	gate_let_go(gate, answer);
	gate->counts.answers++;
	measure(gate, begun_ns);
}

void gate_take_unreadable(struct gate *gate, const struct held *held)
{
	refuse_answer(gate, held, FINDING_ANSWER_UNREADABLE);
}
