/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "observe/network/limits.h"

/* Key of a question; only the used part of the name counts. */
struct question_key {
	struct names_path path;
	uint16_t id;
	uint16_t type;
	char name[NAME_SIZE];
};

struct question {
	uint64_t asked_ns;	 /* first; a retransmission does not delay the report */
	uint64_t asked_again_ns; /* last; how long an answer is believed counts from here */
	uint64_t digest;	 /* of the answer that counted */
	bool is_answered;
	bool is_reported;
};

/* Names are kept once, however many addresses they have: the string is the key of this entry. */
struct interned {
	size_t references;
};

struct named {
	struct interned *name;
	uint64_t since_ns;
	uint32_t ttl_s;
};

struct names {
	struct map *questions; /* in the order in which they were asked */
	struct map *addresses;
	struct map *interned;
	uint64_t due_ns; /* nothing expires before */
	uint64_t forged;
	names_report_fn report;
	void *context;
};

/* local: RFC 6762; home.arpa: RFC 8375; internal: reserved by ICANN in 2024; the others are what
 * home routers hand out and the root does not delegate. */
static const char *const local_suffixes[] = {
	"local", "lan", "home", "home.arpa", "internal", "localdomain",
};

bool name_is_local(const char *name)
{
	size_t length = strlen(name);

	if (!strchr(name, '.'))
		return length > 0;
	for (size_t i = 0; i < array_length(local_suffixes); i++) {
		size_t suffix = strlen(local_suffixes[i]);

		if (length > suffix && name[length - suffix - 1] == '.' &&
		    strcmp(name + length - suffix, local_suffixes[i]) == 0)
			return true;
	}
	return false;
}

static void dispose_named(void *value, void *context)
{
	struct names *names = context;
	struct named *named = value;

	if (named->name && --named->name->references == 0)
		map_remove_value(names->interned, named->name);
}

int names_new(names_report_fn report, void *context, struct names **ret_names)
{
	struct names *names = calloc(1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	names->report = report;
	names->context = context;
	names->due_ns = UINT64_MAX;
	/* One more name than addresses: a new one is interned before the old one of its address
	 * goes. */
	if (map_new(&names->interned, ADDRESSES_MAX + 1, sizeof(struct interned), NULL, NULL) < 0 ||
	    map_new(&names->addresses, ADDRESSES_MAX, sizeof(struct named), dispose_named, names) <
		    0 ||
	    map_new(&names->questions, QUESTIONS_MAX, sizeof(struct question), NULL, NULL) < 0) {
		names_free(names);
		return -ENOMEM;
	}
	*ret_names = names;
	return 0;
}

void names_free(struct names *names)
{
	if (!names)
		return;
	map_free(names->questions);
	map_free(names->addresses);
	map_free(names->interned);
	free(names);
}

static size_t make_key(const struct names_path *path, const struct dns_message *message,
		       struct question_key *ret_key)
{
	size_t length = strnlen(message->question, NAME_SIZE - 1);

	ret_key->path = *path;
	ret_key->id = message->id;
	ret_key->type = message->question_type;
	memcpy(ret_key->name, message->question, length);
	ret_key->name[length] = '\0';
	return offsetof(struct question_key, name) + length + 1;
}

static const char *question_name(const struct question *question)
{
	const struct question_key *key = map_key(question, NULL);

	return key->name;
}

static void report_unanswered(struct names *names, struct question *question)
{
	if (question->is_answered || question->is_reported)
		return;
	question->is_reported = true;
	names->report(names->context, question_name(question), NULL, 0);
}

void names_question(struct names *names, const struct names_path *path,
		    const struct dns_message *message, uint64_t now_ns)
{
	struct question_key key;
	size_t size = make_key(path, message, &key);
	struct question *question = map_peek(names->questions, &key, size);

	if (question && !question->is_answered) {
		question->asked_again_ns = now_ns;
		return;
	}
	/* Answered and asked anew: some devices use one port and one id for all their questions. */
	if (question)
		map_remove_value(names->questions, question);
	if (map_count(names->questions) == QUESTIONS_MAX)
		report_unanswered(names, map_next(names->questions, NULL));
	question = map_add(names->questions, &key, size);
	if (!question)
		return;
	question->asked_ns = now_ns;
	question->asked_again_ns = now_ns;
	if (names->due_ns > now_ns + QUESTION_WAIT_NS)
		names->due_ns = now_ns + QUESTION_WAIT_NS;
}

/* The same for the same addresses in any order: resolvers rotate them. */
static uint64_t digest_answer(const struct dns_message *message)
{
	uint64_t sum = message->rcode;

	for (size_t i = 0; i < message->address_count; i++) {
		const struct ip_address *address = &message->addresses[i].address;
		uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a, 64 bits */

		for (size_t byte = 0; byte < sizeof(address->bytes); byte++)
			hash = (hash ^ address->bytes[byte]) * UINT64_C(0x100000001b3);
		sum += hash;
	}
	return sum;
}

static void name_address(struct names *names, const char *name, const struct dns_address *address,
			 uint64_t now_ns)
{
	struct interned *interned = map_add(names->interned, name, strlen(name) + 1);
	struct named *named;

	if (!interned)
		return;
	interned->references++;
	named = map_add(names->addresses, &address->address, sizeof(address->address));
	if (!named) {
		if (--interned->references == 0)
			map_remove_value(names->interned, interned);
		return;
	}
	dispose_named(named, names);
	named->name = interned;
	named->since_ns = now_ns;
	named->ttl_s = address->ttl_s;
}

static bool may_name(const char *name, const struct ip_address *address)
{
	return ip_scope(address) == ADDRESS_PUBLIC ||
	       (ip_is_local_network(address) && name_is_local(name));
}

int names_answer(struct names *names, const struct names_path *path,
		 const struct dns_message *message, uint64_t now_ns)
{
	struct question_key key;
	size_t size = make_key(path, message, &key);
	struct question *question = map_peek(names->questions, &key, size);
	uint64_t digest = digest_answer(message);
	bool has_address = false;

	if (!question || (question->is_answered && question->digest != digest)) {
		names->forged++;
		return -ENOENT;
	}
	if (question->is_answered)
		return -EALREADY;
	question->is_answered = true;
	question->digest = digest;
	for (size_t i = 0; i < message->address_count; i++) {
		const struct dns_address *address = &message->addresses[i];

		if (!may_name(message->question, &address->address))
			continue;
		has_address = true;
		name_address(names, message->question, address, now_ns);
		names->report(names->context, message->question, &address->address, address->ttl_s);
	}
	if (!has_address)
		names->report(names->context, message->question, NULL, 0);
	return 0;
}

bool names_is_asked(const struct names *names, const struct ip_address *resolver)
{
	for (struct question *question = map_next(names->questions, NULL); question;
	     question = map_next(names->questions, question)) {
		const struct question_key *key = map_key(question, NULL);

		if (!question->is_answered && ip_equal(&key->path.resolver, resolver))
			return true;
	}
	return false;
}

const char *names_find(struct names *names, const struct ip_address *address, uint64_t now_ns,
		       uint32_t *ret_ttl_s)
{
	struct named *named = map_find(names->addresses, address, sizeof(*address));

	if (!named)
		return NULL;
	if (now_ns > named->since_ns + NAME_LIFE_NS) {
		map_remove_value(names->addresses, named);
		return NULL;
	}
	*ret_ttl_s = named->ttl_s;
	return map_key(named->name, NULL);
}

static void expire_question(struct names *names, struct question *question, uint64_t now_ns)
{
	uint64_t due_ns = question->asked_ns + QUESTION_WAIT_NS;

	if (now_ns >= due_ns) {
		report_unanswered(names, question);
		due_ns = question->asked_again_ns + QUESTION_LIFE_NS;
	}
	if (now_ns >= due_ns)
		map_remove_value(names->questions, question);
	else if (names->due_ns > due_ns)
		names->due_ns = due_ns;
}

void names_expire(struct names *names, uint64_t now_ns)
{
	struct question *next;

	if (now_ns < names->due_ns)
		return;
	names->due_ns = UINT64_MAX;
	for (struct question *question = map_next(names->questions, NULL); question;
	     question = next) {
		next = map_next(names->questions, question);
		expire_question(names, question, now_ns);
	}
}

void names_forget_questions(struct names *names)
{
	for (struct question *question = map_next(names->questions, NULL); question;
	     question = map_next(names->questions, question))
		report_unanswered(names, question);
	map_clear(names->questions);
	names->due_ns = UINT64_MAX;
}

uint64_t names_forged(const struct names *names)
{
	return names->forged;
}

uint64_t names_evicted(const struct names *names)
{
	return map_evicted(names->questions) + map_evicted(names->addresses);
}
