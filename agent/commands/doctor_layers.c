/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/doctor_layers.h"

#include <pwd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "observe/host/process_info.h"

#define NEEDS_MAX 3
#define WORKER	  "rtguard"

/* Each needs all of its capabilities. */
static const struct {
	const char *name;
	const char *does;
	size_t count;
	enum capability needs[NEEDS_MAX];
} layers[DOCTOR_LAYERS] = {
	{"before a program starts",
	 "an unknown one does not run one instruction",
	 2,
	 {CAPABILITY_FANOTIFY_PERMISSION, CAPABILITY_FANOTIFY_EXEC}},
	{"before a file is opened",
	 "unknown libraries, scripts and plug-ins are not read",
	 1,
	 {CAPABILITY_FANOTIFY_PERMISSION}},
	{"arguments before the start",
	 "an interpreter runs what it was learnt with",
	 3,
	 {CAPABILITY_FANOTIFY_PERMISSION, CAPABILITY_FANOTIFY_EXEC, CAPABILITY_EXEC_ARGUMENTS}},
	{"every mount namespace",
	 "what is guarded is the filesystem, not one view of it",
	 2,
	 {CAPABILITY_FANOTIFY_PERMISSION, CAPABILITY_FANOTIFY_FILESYSTEM}},
	{"right after a program starts",
	 "what got past the others is ended",
	 2,
	 {CAPABILITY_PROCESS_CONNECTOR, CAPABILITY_PIDFD}},
	{"sweep of /proc",
	 "what got past all others is found within a fraction of a second",
	 0,
	 {0}},
};

static bool is_there(enum capability_state state, bool offline)
{
	return state == CAPABILITY_ON || (offline && state == CAPABILITY_UNKNOWN);
}

void doctor_layers(const struct capability_finding findings[CAPABILITY_COUNT], bool offline,
		   struct doctor_layer ret_layers[DOCTOR_LAYERS])
{
	for (size_t i = 0; i < DOCTOR_LAYERS; i++) {
		ret_layers[i] = (struct doctor_layer){layers[i].name, layers[i].does, true, NULL};
		for (size_t j = layers[i].count; j > 0; j--) {
			const struct capability_finding *need = &findings[layers[i].needs[j - 1]];

			if (is_there(need->state, offline))
				continue;
			ret_layers[i].on = false;
			ret_layers[i].lacks = need->name;
		}
	}
}

void doctor_surroundings(struct doctor_surrounding ret_surroundings[DOCTOR_SURROUNDINGS])
{
	const bool root = geteuid() == 0;
	const bool initial = in_initial_pid_namespace();
	const bool systemd = access("/run/systemd/system", F_OK) == 0;
	const bool worker = getpwnam(WORKER) != NULL;

	ret_surroundings[0] = (struct doctor_surrounding){
		"privileges", root,
		root ? "root"
		     : "not root: what needs privileges to try is unknown; run it as root"};
	ret_surroundings[1] = (struct doctor_surrounding){
		"process namespace", initial,
		initial ? "the machine's first"
			: "a container's: enforcing covers this container's mounts alone, and "
			  "there are no process events"};
	ret_surroundings[2] = (struct doctor_surrounding){
		"descriptor store", systemd,
		systemd ? "systemd: keeps what waits for an answer while rtguard is started anew"
			: "no systemd: when the supervisor itself is killed its guard goes on "
			  "alone until rtguard enforce is started again"};
	ret_surroundings[3] = (struct doctor_surrounding){
		"user " WORKER, worker,
		worker ? "there: parsing workers become it"
		       : "none: parsing workers become an unused number instead; "
			 "systemd-sysusers or adduser makes one"};
}
