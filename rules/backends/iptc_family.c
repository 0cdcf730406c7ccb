/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/iptc_family.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <libiptc/libip6tc.h>
#include <libiptc/libiptc.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "rules/program.h"

/* ---- the calls that have an entry in them, with the entry as bytes ---- */

static const void *first_rule4(const char *chain, struct xtc_handle *handle)
{
	return iptc_first_rule(chain, handle);
}

static const void *first_rule6(const char *chain, struct xtc_handle *handle)
{
	return ip6tc_first_rule(chain, handle);
}

static const void *next_rule4(const void *entry, struct xtc_handle *handle)
{
	return iptc_next_rule(entry, handle);
}

static const void *next_rule6(const void *entry, struct xtc_handle *handle)
{
	return ip6tc_next_rule(entry, handle);
}

static const char *target4(const void *entry, struct xtc_handle *handle)
{
	return iptc_get_target(entry, handle);
}

static const char *target6(const void *entry, struct xtc_handle *handle)
{
	return ip6tc_get_target(entry, handle);
}

static int append4(const char *chain, const void *entry, struct xtc_handle *handle)
{
	return iptc_append_entry(chain, entry, handle);
}

static int append6(const char *chain, const void *entry, struct xtc_handle *handle)
{
	return ip6tc_append_entry(chain, entry, handle);
}

static int insert4(const char *chain, const void *entry, unsigned int place,
		   struct xtc_handle *handle)
{
	return iptc_insert_entry(chain, entry, place, handle);
}

static int insert6(const char *chain, const void *entry, unsigned int place,
		   struct xtc_handle *handle)
{
	return ip6tc_insert_entry(chain, entry, place, handle);
}

/* ---- the header of an entry ---- */

/* The mask covers the name's NUL: "lo" is not "lo1". */
static void fill_interface(const char *name, char interface[IFNAMSIZ], unsigned char mask[IFNAMSIZ])
{
	if (!name)
		return;
	memcpy(interface, name, strlen(name) + 1);
	memset(mask, 0xff, strlen(name) + 1);
}

static void fill4(void *entry, const struct iptc_header *header)
{
	struct ipt_entry *entry4 = entry;

	entry4->ip.proto = header->has_protocol ? header->protocol : 0;
	fill_interface(header->in_interface, entry4->ip.iniface, entry4->ip.iniface_mask);
	fill_interface(header->out_interface, entry4->ip.outiface, entry4->ip.outiface_mask);
}

static void fill6(void *entry, const struct iptc_header *header)
{
	struct ip6t_entry *entry6 = entry;

	if (header->has_protocol) {
		entry6->ipv6.proto = header->protocol;
		entry6->ipv6.flags |= IP6T_F_PROTO;
	}
	fill_interface(header->in_interface, entry6->ipv6.iniface, entry6->ipv6.iniface_mask);
	fill_interface(header->out_interface, entry6->ipv6.outiface, entry6->ipv6.outiface_mask);
}

const struct iptc_family iptc_families[IPTC_FAMILY_COUNT] = {
	{
		.family = RULE_IPV4,
		.digit = '4',
		.name = "IPv4",
		.domain = AF_INET,
		.level = IPPROTO_IP,
		.ask_match = IPT_SO_GET_REVISION_MATCH,
		.ask_target = IPT_SO_GET_REVISION_TARGET,
		.tables_file = "/proc/net/ip_tables_names",
		.module = "ip_tables",
		.option =
			"CONFIG_IP_NF_FILTER, and CONFIG_IP_NF_IPTABLES_LEGACY from Linux 6.17 on",
		.entry_size = sizeof(struct ipt_entry),
		.target_offset_at = offsetof(struct ipt_entry, target_offset),
		.next_offset_at = offsetof(struct ipt_entry, next_offset),
		.counters_at = offsetof(struct ipt_entry, counters),
		.header_size = sizeof(struct ipt_ip),
		.fill = fill4,
		.init = iptc_init,
		.free = iptc_free,
		.commit = iptc_commit,
		.describe = iptc_strerror,
		.first_chain = iptc_first_chain,
		.next_chain = iptc_next_chain,
		.create_chain = iptc_create_chain,
		.flush_chain = iptc_flush_entries,
		.delete_chain = iptc_delete_chain,
		.policy = iptc_get_policy,
		.set_policy = iptc_set_policy,
		.first_rule = first_rule4,
		.next_rule = next_rule4,
		.target = target4,
		.append = append4,
		.insert = insert4,
		.delete_number = iptc_delete_num_entry,
	},
	{
		.family = RULE_IPV6,
		.digit = '6',
		.name = "IPv6",
		.domain = AF_INET6,
		.level = IPPROTO_IPV6,
		.ask_match = IP6T_SO_GET_REVISION_MATCH,
		.ask_target = IP6T_SO_GET_REVISION_TARGET,
		.tables_file = "/proc/net/ip6_tables_names",
		.module = "ip6_tables",
		.option = "CONFIG_IP6_NF_FILTER, and CONFIG_IP6_NF_IPTABLES_LEGACY from Linux 6.17 "
			  "on",
		.entry_size = sizeof(struct ip6t_entry),
		.target_offset_at = offsetof(struct ip6t_entry, target_offset),
		.next_offset_at = offsetof(struct ip6t_entry, next_offset),
		.counters_at = offsetof(struct ip6t_entry, counters),
		.header_size = sizeof(struct ip6t_ip6),
		.fill = fill6,
		.init = ip6tc_init,
		.free = ip6tc_free,
		.commit = ip6tc_commit,
		.describe = ip6tc_strerror,
		.first_chain = ip6tc_first_chain,
		.next_chain = ip6tc_next_chain,
		.create_chain = ip6tc_create_chain,
		.flush_chain = ip6tc_flush_entries,
		.delete_chain = ip6tc_delete_chain,
		.policy = ip6tc_get_policy,
		.set_policy = ip6tc_set_policy,
		.first_rule = first_rule6,
		.next_rule = next_rule6,
		.target = target6,
		.append = append6,
		.insert = insert6,
		.delete_number = ip6tc_delete_num_entry,
	},
};

/* ---- whether it is there ---- */

bool iptc_family_is_there(const struct iptc_family *family)
{
	_cleanup_(closep) int fd = socket(family->domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd >= 0 || errno != EAFNOSUPPORT;
}

bool iptc_family_has_table(const struct iptc_family *family)
{
	_cleanup_(closep) int fd = open(family->tables_file, O_RDONLY | O_CLOEXEC);
	char tables[512];
	char *rest = NULL;

	/* who may not read it may not change the table either, and is told so there */
	if (fd < 0)
		return errno != ENOENT;
	if (read_text(fd, tables, sizeof(tables)) < 0)
		return true;
	for (char *name = strtok_r(tables, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest))
		if (strcmp(name, IPTC_TABLE) == 0)
			return true;
	return false;
}

/* As iptables(8) does: the socket options that would load the module are in the module. */
static bool load_module(const char *module)
{
	char program[256];
	char name[32];
	char quiet[] = "-q";
	char *arguments[] = {program, quiet, name, NULL};
	char *environment[] = {NULL};
	_cleanup_(closep) int fd = open("/proc/sys/kernel/modprobe", O_RDONLY | O_CLOEXEC);
	pid_t pid;
	int status;

	(void)snprintf(name, sizeof(name), "%s", module);
	if (fd < 0 || read_text(fd, program, sizeof(program)) <= 0)
		return false;
	program[strcspn(program, "\n")] = '\0';
	if (!program[0] || posix_spawn(&pid, program, NULL, NULL, arguments, environment) != 0)
		return false;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int iptc_family_open(const struct iptc_family *family, struct xtc_handle **ret_handle,
		     struct error *error)
{
	struct xtc_handle *handle = family->init(IPTC_TABLE);

	if (!handle && errno == ENOPROTOOPT && load_module(family->module))
		handle = family->init(IPTC_TABLE);
	if (handle) {
		*ret_handle = handle;
		return 0;
	}
	if (errno == ENOPROTOOPT || errno == ENOENT || errno == EPROTONOSUPPORT)
		return error_set(error, EOPNOTSUPP,
				 "the kernel has no legacy table " IPTC_TABLE
				 " for %s (module %s; %s): use nftables",
				 family->name, family->module, family->option);
	return error_set(error, errno, "%s table " IPTC_TABLE " cannot be read: %s", family->name,
			 family->describe(errno));
}
