/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/iptc_program.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "backends/iptc_targets.h"
#include "base/cleanup.h"

struct builder {
	const struct iptc_setting *setting;
	struct iptc_rules *rules;
	struct error *error;
	char place[RULE_SET_NAME_SIZE + 24]; /* of the rule in the program: "in-3" */
};

static int add(struct builder *builder, struct iptc_chain *chain, const struct iptc_entry *entry)
{
	if (entry->too_long)
		return error_set(builder->error, EINVAL, "a rule of %s is too long for iptables",
				 chain->name);
	if (iptc_chain_append(chain, builder->setting->family, entry->bytes) < 0)
		return error_set(builder->error, ENOMEM, "%s: %s", chain->name, strerror(ENOMEM));
	builder->rules->extensions |= entry->extensions;
	return 0;
}

/* Header, matches and comment; the target is to follow. */
static void begin(struct builder *builder, struct iptc_entry *entry, enum iptc_way way,
		  const struct rule_match *match, const char *comment, bool held)
{
	struct iptc_header header = iptc_match_header(way, match);

	iptc_entry_begin(entry, builder->setting->family, &header);
	iptc_match_write(entry, builder->setting, way, match, builder->place);
	if (held)
		iptc_match_release(entry, builder->setting, true);
	iptc_match_comment(entry, comment);
}

/* TCP has an answer of its own: what leaves the protocol open becomes two rules. */
static int add_reject(struct builder *builder, struct iptc_chain *chain, enum iptc_way way,
		      const struct rule *rule)
{
	struct rule_match match = rule->match;
	struct iptc_entry entry;
	int result = 0;

	if (!match.has_protocol || match.protocol == IPPROTO_TCP) {
		match.has_protocol = true;
		match.protocol = IPPROTO_TCP;
		begin(builder, &entry, way, &match, rule->comment, false);
		iptc_target_reject(&entry, builder->setting, true);
		result = add(builder, chain, &entry);
	}
	if (result == 0 && (!rule->match.has_protocol || rule->match.protocol != IPPROTO_TCP)) {
		begin(builder, &entry, way, &rule->match, rule->comment, false);
		iptc_target_reject(&entry, builder->setting, false);
		result = add(builder, chain, &entry);
	}
	return result;
}

static int add_rule(struct builder *builder, struct iptc_chain *chain, uint16_t from, size_t index)
{
	const struct iptc_setting *setting = builder->setting;
	const struct rule_program *program = setting->program;
	const struct rule_chain *source = &program->chains[from];
	const struct rule *rule = &source->rules[index];
	enum iptc_way way = render_chain_is_inbound(program, from) ? IPTC_IN : IPTC_OUT;
	bool held = source->hook == HOOK_HOLD_OUT || source->hook == HOOK_HOLD_IN;
	char target[RENDER_CHAIN_NAME_SIZE];
	struct iptc_entry entry;

	if (!(render_rule_families(program, rule) & setting->family->family))
		return 0;
	/* the hold stage is no chain of its own here: nothing ends it early */
	if (held != (rule->verdict == RULE_HOLD))
		return error_set(builder->error, EINVAL,
				 "chain %s: iptables holds packets in the hold stage, and does "
				 "nothing else there",
				 source->name);
	(void)snprintf(builder->place, sizeof(builder->place), "%s-%zu", source->name, index + 1);
	if (rule->verdict == RULE_REJECT)
		return add_reject(builder, chain, way, rule);

	begin(builder, &entry, way, &rule->match, rule->comment, held);
	switch (rule->verdict) {
	case RULE_PERMIT:
		iptc_entry_verdict(&entry, setting->family, "RETURN");
		break;
	case RULE_DROP:
		iptc_entry_verdict(&entry, setting->family, "DROP");
		break;
	case RULE_JUMP:
		render_chain_name(&program->chains[rule->chain], target);
		iptc_entry_verdict(&entry, setting->family, target);
		break;
	case RULE_HOLD:
		iptc_target_hold(&entry, setting, rule);
		break;
	case RULE_REPORT:
		iptc_target_report(&entry, setting, source->report_prefix);
		break;
	case RULE_NOTE:
		iptc_target_note(&entry, setting, way, rule);
		break;
	default:
		return error_set(builder->error, EINVAL, "chain %s: verdict %d is unknown",
				 source->name, (int)rule->verdict);
	}
	return add(builder, chain, &entry);
}

static int add_rules(struct builder *builder, struct iptc_chain *chain, uint16_t from)
{
	const struct rule_chain *source = &builder->setting->program->chains[from];

	for (size_t i = 0; i < source->rule_count; i++) {
		int result = add_rule(builder, chain, from, i);

		if (result < 0)
			return result;
	}
	return 0;
}

static uint16_t find_hook(const struct rule_program *program, enum rule_hook hook)
{
	for (size_t i = 0; i < program->chain_count; i++)
		if (program->chains[i].hook == hook)
			return (uint16_t)i;
	return RULE_NONE;
}

/* Released packets lose their mark before the judge stage sees them. */
static int add_hold_stage(struct builder *builder, struct iptc_chain *chain, uint16_t from)
{
	struct iptc_header any = {0};
	struct iptc_entry entry;
	int result = add_rules(builder, chain, from);

	if (result < 0 || !chain->entry_count)
		return result;
	iptc_entry_begin(&entry, builder->setting->family, &any);
	iptc_match_release(&entry, builder->setting, false);
	iptc_target_unmark(&entry, builder->setting);
	return add(builder, chain, &entry);
}

static int add_jump(struct builder *builder, const char *from, const char *target)
{
	struct iptc_header any = {0};
	struct iptc_entry entry;

	iptc_entry_begin(&entry, builder->setting->family, &any);
	iptc_entry_verdict(&entry, builder->setting->family, target);
	if (iptc_rules_add_jump(builder->rules, builder->setting->family, from, 1, entry.bytes) < 0)
		return error_set(builder->error, ENOMEM, "%s: %s", from, strerror(ENOMEM));
	return 0;
}

static int build_chain(struct builder *builder, uint16_t index)
{
	static const struct {
		enum rule_hook hook;
		enum rule_hook hold;
		const char *chain;
	} hooks[] = {
		{HOOK_OUT, HOOK_HOLD_OUT, "OUTPUT"},
		{HOOK_IN, HOOK_HOLD_IN, "INPUT"},
		{HOOK_FORWARD, HOOK_NONE, "FORWARD"},
	};
	const struct rule_program *program = builder->setting->program;
	const struct rule_chain *source = &program->chains[index];
	char name[RENDER_CHAIN_NAME_SIZE];
	struct iptc_chain *chain;
	int result = 0;

	render_chain_name(source, name);
	chain = iptc_rules_add_chain(builder->rules, name);
	if (!chain)
		return error_set(builder->error, ENOMEM, "%s: %s", name, strerror(ENOMEM));
	for (size_t i = 0; i < array_length(hooks) && result == 0; i++) {
		uint16_t hold;

		if (hooks[i].hook != source->hook)
			continue;
		hold = hooks[i].hold ? find_hook(program, hooks[i].hold) : RULE_NONE;
		if (hold != RULE_NONE)
			result = add_hold_stage(builder, chain, hold);
		if (result == 0)
			result = add_jump(builder, hooks[i].chain, name);
	}
	return result < 0 ? result : add_rules(builder, chain, index);
}

int iptc_program_build(const struct iptc_setting *setting, struct iptc_rules *rules,
		       struct error *error)
{
	struct builder builder = {.setting = setting, .rules = rules, .error = error};
	const struct rule_program *program = setting->program;
	int result = 0;

	for (size_t i = 0; i < program->chain_count && result == 0; i++) {
		enum rule_hook hook = program->chains[i].hook;

		if (hook != HOOK_HOLD_OUT && hook != HOOK_HOLD_IN)
			result = build_chain(&builder, (uint16_t)i);
		else if (find_hook(program, hook == HOOK_HOLD_OUT ? HOOK_OUT : HOOK_IN) ==
			 RULE_NONE)
			result = error_set(error, EINVAL, "chain %s: nothing judges what it holds",
					   program->chains[i].name);
	}
	if (result < 0)
		iptc_rules_free(rules);
	return result;
}
