/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/policy_loader.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "daemon/machine_fit.h"
#include "daemon/own_files.h"
#include "daemon/policy_network.h"
#include "daemon/policy_users.h"
#include "privilege/channel.h"
#include "privilege/child.h"
#include "profiles/profile_json.h"
#include "profiles/version_floor.h"

#define LOAD_LIMIT_S 60 /* 100,000 entries take about one, on a small board ten times as much */

/* What the child says, once, together with the block's descriptor; before it came a byte with that
 * of the network part. */
struct loader_message {
	struct error error; /* code 0: it worked */
	struct policy_summary summary;
	struct guard_user users[POLICY_USERS_LIMIT];
	size_t user_count;
};

struct policy_loading {
	struct loop *loop;
	struct loop_source *source;
	int channel;
	bool has_network; /* the first message has come */
	int network;	  /* -1: none */
	pid_t child;
	uint64_t started_ns;
	policy_done_fn done;
	void *context;
};

/* ---- in the child ---- */

static int check_signature(const struct policy_source *source, struct profile *profile,
			   struct policy_summary *summary, struct error *error)
{
	struct verifying_keys *keys = NULL;
	uint64_t held = 0;
	int result;

	if (!profile->signature && source->allow_unsigned)
		return 0;
	if (!profile->signature)
		return error_set(error, ENOKEY,
				 "%s: is not signed; sign it with 'rtguard sign', or allow "
				 "unsigned profiles with --allow-unsigned",
				 source->profile);
	result = verifying_keys_load(source->keys, source->key_count, &keys, error);
	if (result == 0)
		result = profile_verify(profile, keys, &summary->signature, error);
	verifying_keys_free(keys);
	if (result == 0 && source->version_file)
		result = version_floor_read(source->version_file, &held, error);
	if (result == 0)
		result = signature_check_version(&summary->signature, held, error);
	summary->is_signed = result == 0;
	return result < 0 ? error_prefix(error, "%s", source->profile) : 0;
}

static int compile(const struct profile *profile, int *ret_memory, struct error *error)
{
	_cleanup_(own_files_free) struct own_files own = {0};
	_cleanup_(freep) void *block = NULL;
	size_t size;
	int result = own_files_read(&own, error);

	if (result == 0)
		result = program_policy_compile(
			profile,
			&(struct own_content){.sha256 = (const uint8_t(*)[32])own.sha256,
					      .uses = own.uses,
					      .count = own.count},
			&block, &size, error);
	if (result < 0)
		return result;
	return policy_memory_new("rtguard-policy", block, size, ret_memory, error);
}

static int load(const struct policy_source *source, struct loader_message *message,
		int *ret_network, int *ret_memory)
{
	struct policy_summary *summary = &message->summary;
	struct error *error = &message->error;
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct machine_fit fit;
	int result = profile_load(source->profile, &profile, error);

	if (result == 0)
		result = check_signature(source, profile, summary, error);
	if (result == 0)
		result = machine_fit_measure(profile, &fit, error);
	if (result < 0)
		return result;
	summary->machine_present = fit.present;
	summary->machine_same = fit.same;
	if (!source->any_machine) {
		result = machine_fit_check(&fit, profile, error);
		if (result < 0)
			return error_prefix(error, "%s", source->profile);
	}
	(void)snprintf(summary->device, sizeof(summary->device), "%s",
		       profile->device_name ? profile->device_name : "");
	if (!realpath(source->profile, summary->profile))
		(void)snprintf(summary->profile, sizeof(summary->profile), "%s", source->profile);
	message->user_count = policy_users_read(profile, "/etc/passwd", message->users);
	result = policy_network_take(profile, &summary->network, ret_network, error);
	return result < 0 ? result : compile(profile, ret_memory, error);
}

static int check_file(const char *path, struct error *error)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return error_set(error, EINVAL, "%s: is no regular file", path);
	return 0;
}

static void __attribute__((noreturn)) child(const struct policy_source *source, int channel)
{
	static struct loader_message message;
	const char first = 0;
	int network = -1;
	int memory = -1;
	int result;

	(void)alarm(LOAD_LIMIT_S); /* a file server may never answer */
	result = check_file(source->profile, &message.error);
	if (result == 0)
		result = load(source, &message, &network, &memory);

	if (result < 0 && !message.error.code)
		message.error.code = -result;
	/* one message carries one descriptor */
	_exit(channel_send(channel, &first, sizeof(first), 1, network) < 0 ||
	      channel_send(channel, &message, sizeof(message), 1, memory) < 0);
}

/* ---- in the supervisor ---- */

static int start(const struct policy_source *source, struct policy_loading *loading)
{
	int ends[2];
	int result = channel_pair(ends);
	pid_t pid;

	if (result < 0)
		return result;
	pid = child_fork(ends[1]);
	if (pid == 0)
		child(source, ends[1]);
	result = pid < 0 ? pid : 0;
	(void)close(ends[1]);
	if (result < 0) {
		(void)close(ends[0]);
		return result;
	}
	loading->channel = ends[0];
	loading->child = pid;
	loading->started_ns = clock_monotonic_ns();
	return 0;
}

static int map(int memory, struct loaded_policy *loaded)
{
	struct stat status;

	if (fstat(memory, &status) < 0)
		return -errno;
	loaded->size = (size_t)status.st_size;
	loaded->block = mmap(NULL, loaded->size, PROT_READ, MAP_SHARED, memory, 0);
	if (loaded->block == MAP_FAILED) {
		loaded->block = NULL;
		return -errno;
	}
	return program_policy_open(loaded->block, loaded->size, &loaded->policy);
}

static int keep_users(const struct loader_message *message, struct loaded_policy *loaded)
{
	size_t count = message->user_count;

	if (count > POLICY_USERS_LIMIT)
		return -EBADMSG;
	loaded->users = calloc(count + 1, sizeof(*loaded->users));
	if (!loaded->users)
		return -ENOMEM;
	memcpy(loaded->users, message->users, count * sizeof(*loaded->users));
	for (size_t i = 0; i < count; i++)
		loaded->users[i].name[sizeof(loaded->users->name) - 1] = '\0';
	loaded->user_count = count;
	return 0;
}

static const char gone[] =
	"the process that loads profiles was killed, or it took more than a minute";

/* The first message. */
static int receive_network(struct policy_loading *loading, bool wait, struct error *error)
{
	char first;
	int result = channel_receive(loading->channel, &first, sizeof(first), 1, wait,
				     &loading->network);

	if (result <= 0)
		return error_set(error, result < 0 ? -result : EIO, "%s", gone);
	loading->has_network = true;
	return 0;
}

static int receive(struct policy_loading *loading, bool wait, struct loaded_policy **ret_policy,
		   struct error *error)
{
	_cleanup_(freep) struct loader_message *message = calloc(1, sizeof(*message));
	_cleanup_(closep) int memory = -1;
	struct loaded_policy *loaded;
	int result;

	if (!message)
		return error_set(error, ENOMEM, "out of memory");
	result = channel_receive(loading->channel, message, sizeof(*message), 1, wait, &memory);
	if (result <= 0)
		return error_set(error, result < 0 ? -result : EIO, "%s", gone);
	if (message->error.code) {
		*error = message->error;
		error->message[sizeof(error->message) - 1] = '\0';
		return -error->code;
	}
	loaded = calloc(1, sizeof(*loaded));
	if (!loaded)
		return error_set(error, ENOMEM, "out of memory");
	loaded->network = -1;
	loaded->summary = message->summary;
	result = keep_users(message, loaded);
	loaded->ns = clock_monotonic_ns() - loading->started_ns;
	if (result == 0)
		result = memory < 0 || loading->network < 0 ? -EIO : map(memory, loaded);
	if (result < 0) {
		policy_free(loaded);
		return error_set(error, -result, "the compiled policy cannot be used: %s",
				 strerror(-result));
	}
	loaded->network = take_fd(&loading->network);
	loaded->summary.counts = program_policy_counts(loaded->policy);
	*ret_policy = loaded;
	return 0;
}

int policy_load(const struct policy_source *source, struct loaded_policy **ret_policy,
		struct error *error)
{
	struct policy_loading loading = {.channel = -1, .network = -1};
	int result = start(source, &loading);

	if (result < 0)
		return error_set(error, -result, "cannot start loading: %s", strerror(-result));
	result = receive_network(&loading, true, error);
	if (result == 0)
		result = receive(&loading, true, ret_policy, error);
	closep(&loading.network);
	(void)close(loading.channel);
	(void)waitpid(loading.child, NULL, 0);
	return result;
}

void policy_free(struct loaded_policy *policy)
{
	if (!policy)
		return;
	if (policy->block)
		(void)munmap(policy->block, policy->size);
	closep(&policy->network);
	free(policy->users);
	free(policy);
}

static void answered(void *context, int fd, uint32_t events)
{
	struct policy_loading *loading = context;
	policy_done_fn done = loading->done;
	void *done_context = loading->context;
	struct loaded_policy *policy = NULL;
	struct error error = {0};

	(void)fd;
	(void)events;
	if (!loading->has_network && receive_network(loading, false, &error) == 0)
		return;
	if (loading->has_network)
		(void)receive(loading, false, &policy, &error);
	policy_load_cancel(loading);
	done(done_context, policy, &error);
}

int policy_load_begin(struct loop *loop, const struct policy_source *source, policy_done_fn done,
		      void *context, struct policy_loading **ret_loading)
{
	struct policy_loading *loading = calloc(1, sizeof(*loading));
	int result;

	if (!loading)
		return -ENOMEM;
	loading->loop = loop;
	loading->network = -1;
	loading->done = done;
	loading->context = context;
	result = start(source, loading);
	if (result == 0) {
		result = loop_add_fd(loop, loading->channel, EPOLLIN, answered, loading,
				     &loading->source);
		if (result < 0) {
			(void)kill(loading->child, SIGKILL);
			(void)close(loading->channel);
		}
	}
	if (result < 0) {
		free(loading);
		return result;
	}
	*ret_loading = loading;
	return 0;
}

void policy_load_cancel(struct policy_loading *loading)
{
	if (!loading)
		return;
	loop_remove(loading->source);
	closep(&loading->network);
	(void)close(loading->channel); /* the child, if any, ends by EPIPE; SIGCHLD reaps it */
	free(loading);
}

void policy_note_version(const struct policy_source *source, const struct policy_summary *summary)
{
	if (!source->version_file || !summary->is_signed)
		return;
	if (child_fork(STDERR_FILENO) == 0)
		_exit(version_floor_raise(source->version_file, summary->signature.version, NULL) <
		      0);
}
