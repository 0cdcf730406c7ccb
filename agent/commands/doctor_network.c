/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/doctor_network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/backend.h"
#include "base/cleanup.h"
#include "gate/connection_table.h"
#include "gate/netlink_dump.h"
#include "gate/queue.h"
#include "kernel/sysctl.h"
#include "rules/compile.h"

#define TRIAL_LIMIT_S 20
#define QUEUE_LENGTH  16

/* ---- tried, in a network namespace of its own ---- */

static int try_nftables(struct error *error)
{
	return backend_nftables.probe(error);
}

static int try_iptables(struct error *error)
{
	return backend_iptables.probe(error);
}

static int try_queues(struct error *error)
{
	const struct rules_options usual = RULES_OPTIONS_DEFAULT;
	_cleanup_(closep) int fd = -1;

	return queue_open(usual.first_queue, RULE_QUEUE_COUNT, QUEUE_LENGTH, &fd, error);
}

static int try_log(struct error *error)
{
	const struct rules_options usual = RULES_OPTIONS_DEFAULT;
	_cleanup_(closep) int fd = -1;

	return queue_open_log(usual.log_group, &fd, error);
}

static bool keep(void *context, const struct tracked_connection *connection)
{
	(void)context;
	(void)connection;
	return true;
}

static int try_connections(struct error *error)
{
	int result = connection_table_prune(keep, NULL, error);

	return result < 0 ? result : 0;
}

enum trial { TRIAL_NFTABLES, TRIAL_IPTABLES, TRIAL_QUEUES, TRIAL_LOG, TRIAL_CONNECTIONS, TRIALS };

static const struct {
	const char *name;
	int (*try)(struct error *error);
	const char *good;
} trials[TRIALS] = {
	[TRIAL_NFTABLES] = {"nftables", try_nftables,
			    "can hold the rules: sets with times, held packets, one transaction"},
	[TRIAL_IPTABLES] = {"legacy iptables and ipset", try_iptables, "can hold the rules"},
	[TRIAL_QUEUES] = {"held packets", try_queues,
			  "DNS and first packets can wait until they are looked at (NFQUEUE)"},
	[TRIAL_LOG] = {"told packets", try_log, "refused packets are told of (NFLOG)"},
	[TRIAL_CONNECTIONS] = {"connection table", try_connections,
			       "connections from before the rules can be looked at"},
};

/* What came of it, in memory that both see. */
struct trial_result {
	bool was_tried;
	int result;
	char why[DOCTOR_NETWORK_SAYS];
};

static void __attribute__((noreturn)) try_all(struct trial_result *results)
{
	(void)alarm(TRIAL_LIMIT_S);
	if (unshare(CLONE_NEWNET) < 0)
		_exit(1);
	for (size_t i = 0; i < TRIALS; i++) {
		struct error error = {0};

		results[i].result = trials[i].try(&error);
		(void)snprintf(results[i].why, sizeof(results[i].why), "%s", error.message);
		results[i].was_tried = true;
	}
	_exit(0);
}

static void run_trials(struct trial_result results[TRIALS])
{
	const size_t size = TRIALS * sizeof(*results);
	void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (shared == MAP_FAILED)
		return;
	pid = fork();
	if (pid == 0)
		try_all(shared);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	memcpy(results, shared, size);
	(void)munmap(shared, size);
}

static void describe_trial(size_t number, const struct trial_result *result,
			   struct doctor_network_row *row)
{
	const char *says = trials[number].good;

	if (!result->was_tried)
		says = "not tried: that takes root, and a network namespace to try it in";
	else if (result->result < 0)
		says = result->why;
	row->name = trials[number].name;
	row->good = result->was_tried && result->result == 0;
	(void)snprintf(row->says, sizeof(row->says), "%s", says);
}

/* ---- looked at, here ---- */

static void count_message(void *context, struct nlmsghdr *message)
{
	size_t *count = context;

	(void)message;
	(*count)++;
}

/* As a kernel answers whose nftables is missing or older than flowtables. */
static bool is_without_nftables(int result)
{
	return result == -EOPNOTSUPP || result == -EINVAL || result == -ENOENT;
}

static void look_at_flowtables(struct doctor_network_row *row)
{
	const struct nfgenmsg header = {.nfgen_family = AF_UNSPEC};
	_cleanup_(closep) int fd = netlink_open(NETLINK_NETFILTER);
	size_t count = 0;
	int result = fd < 0 ? fd
			    : netlink_dump(fd, (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETFLOWTABLE,
					   &header, sizeof(header), count_message, &count);

	row->name = "flowtables";
	row->good = count == 0 && (result == 0 || is_without_nftables(result));
	if (count)
		(void)snprintf(row->says, sizeof(row->says),
			       "%zu in nftables: connections that pass through this host and are "
			       "handed to one (by software or by the device) go past all rules",
			       count);
	else
		(void)snprintf(row->says, sizeof(row->says), "%s%s",
			       row->good ? "none: no connection goes past the rules that way"
					 : "cannot be asked for: ",
			       row->good ? "" : strerror(-result));
}

static void look_at_bridges(struct doctor_network_row *row)
{
	static const char setting[] = "net.bridge.bridge-nf-call-iptables";
	long value;
	int result = sysctl_read("", setting, &value);

	row->name = "bridged packets";
	row->good = result < 0 || value == 0;
	(void)snprintf(row->says, sizeof(row->says), "%s",
		       row->good ? "pass a bridge without the rules being asked"
				 : "are judged as packets that pass through this host "
				   "(net.bridge.bridge-nf-call-iptables=1, br_netfilter), and "
				   "refused unless --forwarded leave says otherwise");
}

bool doctor_network(struct doctor_network_row ret_rows[DOCTOR_NETWORK])
{
	struct trial_result results[TRIALS] = {0};

	_Static_assert(DOCTOR_NETWORK == TRIALS + 2, "a row for each");
	run_trials(results);
	for (size_t i = 0; i < TRIALS; i++)
		describe_trial(i, &results[i], &ret_rows[i]);
	look_at_flowtables(&ret_rows[TRIALS]);
	look_at_bridges(&ret_rows[TRIALS + 1]);
	return (ret_rows[TRIAL_NFTABLES].good || ret_rows[TRIAL_IPTABLES].good) &&
	       ret_rows[TRIAL_QUEUES].good && ret_rows[TRIAL_LOG].good;
}
