/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/ip_sets.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libipset/data.h>
#include <libipset/session.h>
#include <libipset/types.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "rules/render.h"

/* (UINT_MAX >> 1) / MSEC_PER_SEC, linux/netfilter/ipset/ip_set.h */
#define LONGEST_TIMEOUT_S 2147483u

struct ip_sets {
	struct ipset_session *session;
	int socket;
	struct text *listing; /* what the library prints goes there; NULL: nowhere */
};

/* ---- what the library wants to print ---- */

static int collect(struct ipset_session *session, void *context, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int collect(struct ipset_session *session, void *context, const char *format, ...)
{
	struct ip_sets *sets = context;
	char line[IPSET_OUTBUFLEN];
	va_list arguments;

	(void)session;
	if (!sets->listing)
		return 0;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	text_append(sets->listing, line);
	return 0;
}

/* The library has no codes, only sentences (its errcode.c). */
static int code_of(const char *message)
{
	static const struct {
		const char *part;
		int code;
	} known[] = {
		{"is full", ENOSPC},	       {"name already exists", EEXIST},
		{"does not exist", ENOENT},    {"in use by a kernel", EBUSY},
		{"not supported", EOPNOTSUPP}, {"Operation not permitted", EPERM},
	};

	for (size_t i = 0; i < array_length(known); i++)
		if (strstr(message, known[i].part))
			return known[i].code;
	return EIO;
}

/* Ends a command: its data is forgotten, its error told. */
static int finish(struct ip_sets *sets, int result, const char *name, struct error *error)
{
	char said[256];

	(void)snprintf(said, sizeof(said), "%s", ipset_session_report_msg(sets->session));
	said[strcspn(said, "\n")] = '\0';
	ipset_session_report_reset(sets->session);
	ipset_data_reset(ipset_session_data(sets->session));
	if (result >= 0)
		return 0;
	return error_set(error, code_of(said), "ipset %s: %s", name,
			 said[0] ? said : "the kernel does not answer");
}

/* ---- life ---- */

bool ip_sets_are_there(void)
{
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct ip_set_req_version version = {.op = IP_SET_OP_VERSION};
	socklen_t size = sizeof(version);

	return fd < 0 || getsockopt(fd, SOL_IP, SO_IP_SET, &version, &size) == 0 ||
	       errno != ENOPROTOOPT;
}

int ip_sets_open(struct ip_sets **ret_sets, struct error *error)
{
	_cleanup_(ip_sets_closep) struct ip_sets *sets = calloc(1, sizeof(*sets));

	if (!sets)
		return error_set(error, ENOMEM, "ipset: %s", strerror(ENOMEM));
	sets->socket = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (sets->socket < 0)
		return error_set(error, errno, "ipset: socket: %s", strerror(errno));
	if (!ipset_types())
		ipset_load_types();
	sets->session = ipset_session_init(collect, sets);
	if (!sets->session)
		return error_set(error, ENOMEM, "ipset: %s", strerror(ENOMEM));
	*ret_sets = take_pointer(sets);
	return 0;
}

void ip_sets_close(struct ip_sets *sets)
{
	if (!sets)
		return;
	if (sets->session)
		(void)ipset_session_fini(sets->session);
	closep(&sets->socket);
	free(sets);
}

void ip_sets_closep(struct ip_sets **sets)
{
	ip_sets_close(*sets);
}

int ip_sets_probe(struct ip_sets *sets, struct error *error)
{
	static const struct {
		const char *type;
		uint8_t family;
		const char *option;
	} types[] = {
		{"hash:ip", NFPROTO_IPV4, "CONFIG_IP_SET_HASH_IP"},
		{"hash:ip", NFPROTO_IPV6, "CONFIG_IP_SET_HASH_IP"},
		{"hash:ip,port", NFPROTO_IPV4, "CONFIG_IP_SET_HASH_IPPORT"},
		{"hash:ip,port", NFPROTO_IPV6, "CONFIG_IP_SET_HASH_IPPORT"},
		{"hash:net", NFPROTO_IPV4, "CONFIG_IP_SET_HASH_NET"},
		{"hash:net", NFPROTO_IPV6, "CONFIG_IP_SET_HASH_NET"},
		{"hash:net,port", NFPROTO_IPV4, "CONFIG_IP_SET_HASH_NETPORT"},
		{"hash:net,port", NFPROTO_IPV6, "CONFIG_IP_SET_HASH_NETPORT"},
		{"bitmap:port", NFPROTO_UNSPEC, "CONFIG_IP_SET_BITMAP_PORT"},
	};

	for (size_t i = 0; i < array_length(types); i++) {
		struct ipset_data *data = ipset_session_data(sets->session);
		struct error said = {0};
		bool there;

		(void)ipset_data_set(data, IPSET_OPT_TYPENAME, types[i].type);
		(void)ipset_data_set(data, IPSET_OPT_FAMILY, &types[i].family);
		there = ipset_type_get(sets->session, IPSET_CMD_CREATE) != NULL;
		if (finish(sets, there ? 0 : -1, types[i].type, &said) < 0)
			return error_set(error, EOPNOTSUPP,
					 "the kernel has no sets of type %s (%s): %s",
					 types[i].type, types[i].option, said.message);
	}
	return 0;
}

/* ---- whole sets ---- */

static const char *const TYPES[] = {
	[SET_ADDRESS] = "hash:ip",  [SET_ADDRESS_PORT] = "hash:ip,port",
	[SET_PREFIX] = "hash:net",  [SET_PREFIX_PORT] = "hash:net,port",
	[SET_PORT] = "bitmap:port",
};

int ip_sets_create(struct ip_sets *sets, const char *name, const struct rule_set *kind,
		   unsigned int family, struct error *error)
{
	static const uint32_t no_timeout = 0; /* until a member says otherwise */
	static const uint16_t first_port = 0;
	static const uint16_t last_port = UINT16_MAX;
	struct ipset_data *data = ipset_session_data(sets->session);
	uint8_t protocol_family = family == RULE_IPV6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	uint32_t buckets = render_set_buckets(kind);
	uint32_t room = render_set_room(kind);

	(void)ipset_data_set(data, IPSET_SETNAME, name);
	(void)ipset_data_set(data, IPSET_OPT_TYPENAME, TYPES[kind->kind]);
	if (kind->kind != SET_PORT)
		(void)ipset_data_set(data, IPSET_OPT_FAMILY, &protocol_family);
	if (!ipset_type_get(sets->session, IPSET_CMD_CREATE))
		return finish(sets, -1, name, error);
	if (kind->kind == SET_PORT) {
		(void)ipset_data_set(data, IPSET_OPT_PORT, &first_port);
		(void)ipset_data_set(data, IPSET_OPT_PORT_TO, &last_port);
	} else {
		(void)ipset_data_set(data, IPSET_OPT_HASHSIZE, &buckets);
		(void)ipset_data_set(data, IPSET_OPT_MAXELEM, &room);
	}
	if (kind->has_timeouts)
		(void)ipset_data_set(data, IPSET_OPT_TIMEOUT, &no_timeout);
	ipset_envopt_unset(sets->session, IPSET_ENV_EXIST);
	return finish(sets, ipset_cmd(sets->session, IPSET_CMD_CREATE, 0), name, error);
}

int ip_sets_destroy(struct ip_sets *sets, const char *name, struct error *error)
{
	(void)ipset_session_data_set(sets->session, IPSET_SETNAME, name);
	return finish(sets, ipset_cmd(sets->session, IPSET_CMD_DESTROY, 0), name, error);
}

/* "Name: x", "References: 2" of `ipset list -terse`. */
static int parse_listing(char *listing, const char *prefix, struct ip_set_listed **ret_listed,
			 size_t *ret_count)
{
	_cleanup_(freep) struct ip_set_listed *listed = NULL;
	struct ip_set_listed *last = NULL;
	size_t capacity = 0;
	size_t count = 0;
	char *rest = NULL;

	for (char *line = strtok_r(listing, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, "Name: ", 6) == 0) {
			last = NULL;
			if (strncmp(line + 6, prefix, strlen(prefix)) != 0)
				continue;
			if (array_reserve(&listed, &capacity, count, sizeof(*listed)) < 0)
				return -ENOMEM;
			last = &listed[count++];
			memset(last, 0, sizeof(*last));
			(void)snprintf(last->name, sizeof(last->name), "%s", line + 6);
		} else if (last && strncmp(line, "References: ", 12) == 0) {
			last->references = (unsigned int)strtoul(line + 12, NULL, 10);
		}
	}
	*ret_listed = take_pointer(listed);
	*ret_count = count;
	return 0;
}

int ip_sets_list(struct ip_sets *sets, const char *prefix, struct ip_set_listed **ret_listed,
		 size_t *ret_count, struct error *error)
{
	struct text text = {0};
	_cleanup_(freep) char *listing = NULL;
	int result;

	sets->listing = &text;
	(void)ipset_session_output(sets->session, IPSET_LIST_PLAIN);
	ipset_envopt_set(sets->session, IPSET_ENV_LIST_HEADER);
	result = ipset_cmd(sets->session, IPSET_CMD_LIST, 0);
	ipset_envopt_unset(sets->session, IPSET_ENV_LIST_HEADER);
	sets->listing = NULL;
	result = finish(sets, result, "list", error);
	if (result < 0) {
		text_free(&text);
		return result;
	}
	if (text_finish(&text, &listing) < 0 ||
	    parse_listing(listing, prefix, ret_listed, ret_count) < 0)
		return error_set(error, ENOMEM, "ipset list: %s", strerror(ENOMEM));
	return 0;
}

int ip_sets_index(struct ip_sets *sets, const char *name, uint16_t *ret_index)
{
	struct ip_set_req_get_set request = {
		.op = IP_SET_OP_GET_BYNAME,
		.version = IPSET_PROTOCOL,
	};
	socklen_t size = sizeof(request);

	if (strlen(name) >= sizeof(request.set.name))
		return -ENAMETOOLONG;
	memcpy(request.set.name, name, strlen(name));
	if (getsockopt(sets->socket, SOL_IP, SO_IP_SET, &request, &size) < 0)
		return -errno;
	if (request.set.index == IPSET_INVALID_ID)
		return -ENOENT;
	*ret_index = request.set.index;
	return 0;
}

/* ---- members ---- */

/* line: 0 for a command of its own; else the library gathers as many as go into one message, and
 * names the line in its error. */
static int element(struct ip_sets *sets, enum ipset_cmd command, const char *name,
		   const struct rule_set *kind, const struct rule_member *member, uint32_t line)
{
	struct ipset_data *data = ipset_session_data(sets->session);
	uint8_t family = member->address.family == 6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	uint32_t timeout_s =
		member->timeout_s < LONGEST_TIMEOUT_S ? member->timeout_s : LONGEST_TIMEOUT_S;
	bool has_port = kind->kind == SET_ADDRESS_PORT || kind->kind == SET_PREFIX_PORT;
	bool has_prefix = kind->kind == SET_PREFIX || kind->kind == SET_PREFIX_PORT;

	(void)ipset_data_set(data, IPSET_SETNAME, name);
	if (!ipset_type_get(sets->session, command))
		return -1;
	if (kind->kind == SET_PORT) {
		(void)ipset_data_set(data, IPSET_OPT_PORT, &member->port);
		(void)ipset_data_set(data, IPSET_OPT_PORT_TO, &member->last_port);
	} else {
		(void)ipset_data_set(data, IPSET_OPT_FAMILY, &family);
		(void)ipset_data_set(data, IPSET_OPT_IP, member->address.bytes);
	}
	if (has_prefix)
		(void)ipset_data_set(data, IPSET_OPT_CIDR, &member->prefix_length);
	if (has_port) {
		(void)ipset_data_set(data, IPSET_OPT_PROTO, &member->protocol);
		(void)ipset_data_set(data, IPSET_OPT_PORT, &member->port);
	}
	if (kind->has_timeouts && command == IPSET_CMD_ADD)
		(void)ipset_data_set(data, IPSET_OPT_TIMEOUT, &timeout_s);
	ipset_envopt_set(sets->session, IPSET_ENV_EXIST);
	return ipset_cmd(sets->session, command, line);
}

int ip_sets_fill(struct ip_sets *sets, const char *name, const struct rule_set *set,
		 unsigned int family, struct error *error)
{
	uint8_t version = family == RULE_IPV6 ? 6 : 4;
	uint32_t line = 0;
	int result = 0;

	for (size_t i = 0; i < set->member_count && result >= 0; i++) {
		const struct rule_member *member = &set->members[i];

		if (set->kind == SET_PORT || member->address.family == version)
			result = element(sets, IPSET_CMD_ADD, name, set, member, ++line);
	}
	if (result >= 0 && line)
		result = ipset_commit(sets->session);
	return finish(sets, result, name, error);
}

int ip_sets_add(struct ip_sets *sets, const char *name, const struct rule_set *kind,
		const struct rule_member *member, struct error *error)
{
	return finish(sets, element(sets, IPSET_CMD_ADD, name, kind, member, 0), name, error);
}

int ip_sets_remove(struct ip_sets *sets, const char *name, const struct rule_set *kind,
		   const struct rule_member *member, struct error *error)
{
	return finish(sets, element(sets, IPSET_CMD_DEL, name, kind, member, 0), name, error);
}
