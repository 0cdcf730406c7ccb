/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/failure.h"

#include <stddef.h>

#include "base/cleanup.h"

static const struct failure_answer answers[] = {
	[FAILURE_GUARD_ENDED] =
		{
			"guard-ended",
			"the guard crashed or was killed",
			"whoever waits goes on waiting; a new guard starts at once and takes up "
			"the events on the desk, each judged as any other",
			"nothing; if it recurs, report the event log",
		},
	[FAILURE_GUARD_HUNG] =
		{
			"guard-hung",
			"the guard was stopped, or an event takes it longer than its limit",
			"it is killed and replaced as if it had crashed",
			"look in the event log for the file it worked at; a failing disk is the "
			"usual cause",
		},
	[FAILURE_GUARD_ENDED_REPEATEDLY] =
		{
			"guard-ended-repeatedly",
			"guards ended at the same event",
			"from the third time on that event is denied unseen",
			"keep the file for examination: it may be made to end the guard",
		},
	[FAILURE_SWEEPER_ENDED] =
		{
			"sweeper-ended",
			"the sweeper crashed or was killed",
			"it is started again and looks at every process; the guard goes on alone "
			"meanwhile",
			"nothing; if it recurs, report the event log",
		},
	[FAILURE_GATE_ENDED] =
		{
			"gate-ended",
			"the gate crashed or was killed",
			"the rules stay as they are, known addresses go on working, and what "
			"needs the gate (questions to resolvers, their answers, connections that "
			"belong to one program) gets no further until a new one, which starts at "
			"once, has applied the rules again",
			"nothing; if it recurs, report the event log",
		},
	[FAILURE_GATE_HUNG] =
		{
			"gate-hung",
			"the gate was stopped, or does not answer within its limit",
			"it is killed and replaced as if it had crashed",
			"nothing; if it recurs, report the event log",
		},
	[FAILURE_READER_ENDED] =
		{
			"reader-ended",
			"the process that takes packets apart for the gate crashed or was killed",
			"packets that wait for it are dropped, never let through; a new one starts "
			"at once",
			"keep a recording of the traffic: a packet may be made to end it",
		},
	[FAILURE_RULES_UNAVAILABLE] =
		{
			"rules-unavailable",
			"the kernel or a container cannot hold the rules at the start",
			"rtguard does not start unless told to hold programs alone; nothing on the "
			"machine changes",
			"rtguard doctor says which kernel option or privilege it needs; "
			"--programs-only goes on without",
		},
	[FAILURE_RULES_REFUSED] =
		{
			"rules-refused",
			"the kernel refuses the rules of a profile that was reloaded, of another "
			"mode, or of a new gate",
			"the rules that were in force stay, whole; the reload or change is refused "
			"with them, programs included; a new gate tries again every few seconds",
			"the message names what was refused and the kernel option that is missing",
		},
	[FAILURE_RULES_CHANGED] =
		{
			"rules-changed-by-others",
			"somebody flushed or changed the rules, or put something in front of them",
			"they are applied again within seconds, and the event log says so",
			"find out who did it; a firewall's own service has to leave what is not "
			"its own alone",
		},
	[FAILURE_NAMES_UNSAVED] =
		{
			"names-unsaved",
			"the addresses that names have cannot be written down",
			"they are kept in memory, and written with the next try; after a restart "
			"names count from the profile's evidence",
			"make room in the state directory",
		},
	[FAILURE_SUPERVISOR_KILLED] =
		{
			"supervisor-killed",
			"the supervisor was killed",
			"the guard stays and judges on, the rules stay as they are, and what needs "
			"the gate gets no further; the next supervisor takes over what the "
			"guard holds and the rules, so that there is no moment without",
			"start rtguard enforce again where nothing restarts it; the unit for "
			"systemd does",
		},
	[FAILURE_SECOND_INSTANCE] =
		{
			"second-instance",
			"rtguard enforce was started while one runs",
			"the second one says who holds the place and ends; nothing changes",
			"stop the first one, or reload it",
		},
	[FAILURE_FINDINGS_FULL] =
		{
			"findings-full",
			"findings come faster than the supervisor takes them",
			"the guard judges on and counts what it could not tell",
			"see rtguard status for the count; stop what floods",
		},
	[FAILURE_QUEUE_OVERFLOW] =
		{
			"queue-overflow",
			"the kernel's queue of events overflowed",
			"it cannot: rtguard's queue has no limit, in either mode; should a kernel "
			"say so all the same, it is counted",
			"nothing; rtguard status has the count",
		},
	[FAILURE_FILE_UNREADABLE] =
		{
			"file-unreadable",
			"a file could not be read to be checked",
			"it does not run and is not opened as code",
			"check the disk; then try again",
		},
	[FAILURE_FILE_TOO_LARGE] =
		{
			"file-too-large",
			"a file is larger than what is checked",
			"it does not run and is not opened as code; nobody else waits for it",
			"raise the limit if the file belongs to the device",
		},
	[FAILURE_PROFILE_UNREADABLE] =
		{
			"profile-unreadable",
			"the profile cannot be read or is not valid at the start",
			"rtguard does not start; nothing on the machine changes",
			"rtguard check PROFILE names the place",
		},
	[FAILURE_PROFILE_BADLY_SIGNED] =
		{
			"profile-badly-signed",
			"the profile's signature is missing, wrong, by nobody trusted, or of an "
			"older version at the start",
			"rtguard does not start; nothing on the machine changes",
			"rtguard verify PROFILE says which; sign it, or name the key",
		},
	[FAILURE_RELOAD_REFUSED] =
		{
			"reload-refused",
			"the profile for a reload is unreadable, badly signed or older",
			"the profile that was loaded serves on",
			"correct the file and reload again",
		},
	[FAILURE_DISK_FULL] =
		{
			"disk-full",
			"the event log cannot be written",
			"judging goes on; lines that are lost are counted, and the last ones are "
			"kept in memory",
			"make room; rtguard status has the count",
		},
	[FAILURE_DESCRIPTORS_SHORT] =
		{
			"descriptors-short",
			"no descriptors are left for events",
			"the kernel denies what it cannot hand over; the guard first finishes "
			"what it has",
			"raise the limit of open files of the service",
		},
	[FAILURE_MEMORY_SHORT] =
		{
			"memory-short",
			"memory is out",
			"what cannot be judged is denied; the policy and the desk are in memory "
			"from the start and stay",
			"free memory; give the machine more or the service a reserve",
		},
	[FAILURE_CLOCK_JUMP] =
		{
			"clock-jump",
			"the wall clock was set",
			"nothing: limits, watchdogs and the confirmation use clocks that cannot be "
			"set; only times in the event log jump",
			"nothing",
		},
	[FAILURE_LAYER_MISSING] =
		{
			"layer-missing",
			"the kernel or a container lacks one of the layers",
			"the other layers hold alone; without permission events or rules rtguard "
			"does not start unless told to go without them",
			"rtguard doctor says which kernel option or privilege it needs",
		},
	[FAILURE_ORDERLY_STOP] =
		{
			"orderly-stop",
			"rtguard was told to stop (SIGTERM)",
			"everything is released: who waits passes, marks and rules go, settings "
			"return",
			"start it again to hold the machine to its profile",
		},
};

const struct failure_answer *failure_answer(enum failure failure)
{
	_Static_assert(array_length(answers) == FAILURE_COUNT, "a failure without an answer");
	return (size_t)failure < array_length(answers) ? &answers[failure] : NULL;
}
