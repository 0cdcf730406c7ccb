/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_scene.h"

#include "base/cleanup.h"

/* What is known of the script: 's' a learnt one, 'o' one of another interpreter, 'n' one whose
 * interpreter is not known, '-' nothing. */
struct judgement {
	const char *words;
	char script;
	bool permitted;
};

#define PERMITS(words, script)                                                                     \
	{                                                                                          \
		words, script, true                                                                \
	}
#define REFUSES(words, script)                                                                     \
	{                                                                                          \
		words, script, false                                                               \
	}

#define SCRIPTS(path)                                                                              \
	SCRIPT("/opt/app", "a", "\"" path "\"")                                                    \
	", " SCRIPT("/opt/other", "b", "\"/usr/bin/other\"") ", " SCRIPT("/opt/free", "c", "null")

static void judge(const char *programs, const char *scripts, const struct judgement *judgements,
		  size_t count)
{
	struct scene scene = scene_open(programs, scripts, "", NULL);
	const struct content program = scene_find(&scene, '1');
	const struct content known[] = {scene_find(&scene, 'a'), scene_find(&scene, 'b'),
					scene_find(&scene, 'c')};

	assert_true(program.uses & CONTENT_PROGRAM);
	for (size_t i = 0; i < count; i++) {
		struct arguments arguments = scene_split(judgements[i].words);
		const struct content *script = judgements[i].script == 's'   ? &known[0]
					       : judgements[i].script == 'o' ? &known[1]
					       : judgements[i].script == 'n' ? &known[2]
									     : NULL;

		if (program_policy_permits_arguments(scene.policy, program.program, &arguments,
						     script) != judgements[i].permitted)
			fail_msg("\"%s\", script %c: expected %s", judgements[i].words,
				 judgements[i].script,
				 judgements[i].permitted ? "permitted" : "refused");
		arguments_clear(&arguments);
	}
	scene_close(&scene);
}

static void shells(void **state)
{
	static const struct judgement judgements[] = {
		/* as learnt, whatever argv[0] is */
		PERMITS("sh -c uptime", '-'),
		PERMITS("/bin/sh -c uptime", '-'),
		PERMITS("-dash -c uptime", '-'),
		PERMITS("sh -c _", '-'),
		REFUSES("sh -c reboot", '-'),
		REFUSES("sh -c uptime more", '-'),
		REFUSES("sh -c", '-'),
		REFUSES("sh", '-'),
		REFUSES("sh -i", '-'),
		REFUSES("sh -s", '-'),
		/* a learnt script, with any arguments of its own */
		PERMITS("sh /opt/app", 's'),
		PERMITS("sh app -x y", 's'),
		PERMITS("sh -e /opt/app x", 's'),
		PERMITS("sh /opt/free", 'n'),
		REFUSES("sh /opt/evil", '-'),
		REFUSES("sh /opt/app", 'o'),
		/* with other options than were before one */
		REFUSES("sh -x /opt/app", 's'),
		REFUSES("sh -e -x /opt/app", 's'),
		REFUSES("sh -c /opt/app", 's'),
		REFUSES("sh -c uptime /opt/app", 's'),
		REFUSES("sh -s /opt/app", 's'),
		REFUSES("sh", 's'),
		/* a vector is learnt with its script's name, and that may be another file by now;
		 * the file itself is judged when it is opened */
		PERMITS("sh -e /opt/app", '-'),
	};

	(void)state;
	judge(PROGRAM("/usr/bin/dash", "1",
		      "\"arguments\": [[\"-c\", \"uptime\"], [\"-e\", \"/opt/app\"], [\"-c\", "
		      "\"\"]]"),
	      SCRIPTS("/usr/bin/dash"), judgements, array_length(judgements));
}

static void an_empty_vector_is_one(void **state)
{
	static const struct judgement judgements[] = {
		PERMITS("sh", '-'),
		PERMITS("-sh", '-'),
		REFUSES("sh -i", '-'),
		PERMITS("sh /opt/app", 's'),
	};

	(void)state;
	judge(PROGRAM("/bin/sh", "1", "\"arguments\": [[]]"), SCRIPTS("/bin/sh"), judgements,
	      array_length(judgements));
}

static void unknown_arguments_permit_known_scripts(void **state)
{
	static const struct judgement judgements[] = {
		REFUSES("sh", '-'),
		REFUSES("sh -c x", '-'),
		PERMITS("sh /opt/app x", 's'),
		REFUSES("sh -e /opt/app x", 's'),
	};

	(void)state;
	judge(PROGRAM("/bin/sh", "1", "\"arguments\": null"), SCRIPTS("/bin/sh"), judgements,
	      array_length(judgements));
}

static void python(void **state)
{
	static const struct judgement judgements[] = {
		PERMITS("python3 -m http.server", '-'),
		REFUSES("python3 -m http.client", '-'),
		REFUSES("python3 -c x", '-'),
		PERMITS("python3 -W ignore -u app", 's'),
		PERMITS("python3 -W ignore -u app any -c thing", 's'),
		REFUSES("python3 -W error -u app", 's'),
		REFUSES("python3 -i app", 's'),
		PERMITS("python3 app", 's'),
	};

	(void)state;
	judge(PROGRAM("/usr/bin/python3.11", "1",
		      "\"arguments\": [[\"-m\", \"http.server\"], "
		      "[\"-W\", \"ignore\", \"-u\", \"/opt/app\", \"--once\"]]"),
	      SCRIPTS("/usr/bin/python3.11"), judgements, array_length(judgements));
}

/* What comes behind awk -f FILE is awk's again. */
static void scripts_that_are_options(void **state)
{
	static const struct judgement judgements[] = {
		PERMITS("awk -f /opt/app data", 's'),	 PERMITS("awk -f/opt/app", 's'),
		PERMITS("awk -f /opt/app - x=1", 's'),	 PERMITS("awk -f /opt/app -- -e", 's'),
		REFUSES("awk -f /opt/app -e code", 's'), REFUSES("awk -f /opt/app -f more", 's'),
		REFUSES("awk -v a=b -f /opt/app", 's'),	 REFUSES("awk BEGIN{}", '-'),
	};

	(void)state;
	judge(PROGRAM("/usr/bin/gawk", "1", "\"arguments\": [[\"-f\", \"/opt/app\"]]"),
	      SCRIPTS("/usr/bin/gawk"), judgements, array_length(judgements));
}

/* "#!/usr/bin/env python3": the kernel says which script, env's arguments do not. */
static void the_kernel_names_the_script(void **state)
{
	static const struct judgement judgements[] = {
		PERMITS("env python3 /opt/app", '-'),	 PERMITS("env python3 /opt/app more", 's'),
		PERMITS("env python3 ./app", 's'),	 REFUSES("env python3 /opt/app more", '-'),
		REFUSES("env perl /opt/app", 's'),	 REFUSES("env python3", 's'),
		REFUSES("env -i python3 /opt/app", 's'),
	};

	(void)state;
	judge(PROGRAM("/usr/bin/env", "1", "\"arguments\": [[\"python3\", \"/opt/app\"]]"),
	      SCRIPTS("/usr/bin/env"), judgements, array_length(judgements));
}

#define BUSYBOX_VECTORS                                                                            \
	"\"arguments\": [[\"ls\", \"-l\"], [\"sh\", \"-c\", \"uptime\"], "                         \
	"[\"busybox\", \"cat\"], [\"busybox\", \"ash\", \"-e\", \"/opt/app\"], [\"busybox\"]]"

static void applets(void **state)
{
	static const struct judgement judgements[] = {
		/* known ones, with any options, however they are called */
		PERMITS("ls /tmp", '-'),
		PERMITS("/bin/ls", '-'),
		PERMITS("busybox ls -a", '-'),
		PERMITS("/bin/busybox /usr/bin/ls -a", '-'),
		PERMITS("busybox busybox cat x", '-'),
		PERMITS("cat x", '-'),
		REFUSES("nc -l", '-'),
		REFUSES("busybox nc -l", '-'),
		REFUSES("l", '-'),
		REFUSES("evil ls", '-'),
		/* interpreters */
		PERMITS("sh -c uptime", '-'),
		PERMITS("-sh -c uptime", '-'),
		PERMITS("busybox sh -c uptime", '-'),
		REFUSES("sh -c reboot", '-'),
		REFUSES("busybox sh -c reboot", '-'),
		REFUSES("busybox /x/sh -c reboot", '-'),
		REFUSES("busybox busybox sh -c reboot", '-'),
		REFUSES("sh", '-'),
		REFUSES("busybox sh", '-'),
		REFUSES("ash -c uptime", '-'),
		PERMITS("sh /opt/app x", 's'),
		PERMITS("ash -e /opt/app x", 's'),
		PERMITS("busybox ash -e /opt/app x", 's'),
		REFUSES("sh -e /opt/app x", 's'),
		REFUSES("sh /opt/app x", 'o'),
		REFUSES("ash -c /opt/app", 's'),
		/* an interpreter that was never called with a script of its own kind may run one */
		PERMITS("awk -f /opt/app", 'n'),
		REFUSES("awk BEGIN{}", '-'),
		/* the box itself */
		PERMITS("busybox", '-'),
		REFUSES("busybox --install", '-'),
	};

	(void)state;
	judge(PROGRAM("/bin/busybox", "1", BUSYBOX_VECTORS), SCRIPTS("/bin/busybox"), judgements,
	      array_length(judgements));
}

/* Every applet a file of its own: hard links, or copies. */
static void applets_by_hard_links(void **state)
{
	static const struct judgement judgements[] = {
		PERMITS("ls python", '-'),
		PERMITS("/bin/ls -a", '-'),
		PERMITS("sh -c uptime", '-'),
		REFUSES("sh -c reboot", '-'),
		REFUSES("busybox sh -c reboot", '-'),
		REFUSES("nc -l", '-'),
		PERMITS("sh -e /opt/app", 's'),
	};

	(void)state;
	judge(PROGRAM("/bin/ls", "1", ANY) ", " PROGRAM(
		      "/bin/sh", "1",
		      "\"arguments\": [[\"-c\", \"uptime\"], [\"-e\", \"/opt/app\"]]"),
	      SCRIPTS("/bin/sh"), judgements, array_length(judgements));
}

/* A program of an ordinary name that links lead to: learning notes what it was called by, and
 * nothing of its runs under its own name. */
static void ordinary_programs_with_links(void **state)
{
	static const struct judgement judgements[] = {
		PERMITS("xzcat a", '-'), PERMITS("/usr/bin/xzcat", '-'), PERMITS("xz -d b", '-'),
		PERMITS("xz sh", '-'),	 REFUSES("unxz b", '-'),	 REFUSES("sh -c x", '-'),
	};

	(void)state;
	judge(PROGRAM("/usr/bin/xz", "1", "\"arguments\": [[\"xzcat\", \"-\"]]"), "", judgements,
	      array_length(judgements));
}

static void entries_of_one_content_add_up(void **state)
{
	static const struct judgement both[] = {
		PERMITS("sh -c a", '-'),
		PERMITS("sh -c b", '-'),
		REFUSES("sh -c c", '-'),
		PERMITS("sh /opt/app", 's'),
	};
	static const struct judgement anything[] = {PERMITS("sh -c c", '-')};

	(void)state;
	judge(PROGRAM("/bin/dash", "1", "\"arguments\": [[\"-c\", \"a\"]]") ", " PROGRAM(
		      "/usr/bin/dash", "1", "\"arguments\": [[\"-c\", \"b\"]]"),
	      SCRIPTS("/bin/dash"), both, array_length(both));
	judge(PROGRAM("/bin/dash", "1",
		      "\"arguments\": [[\"-c\", \"a\"]]") ", " PROGRAM("/usr/bin/dash", "1", ANY),
	      "", anything, array_length(anything));
	judge(PROGRAM("/usr/sbin/sshd", "1", ANY), "", anything, array_length(anything));
}

/* More words than are compared: what is there cannot be a learnt vector, but may be a script's. */
static void cut_vectors(void **state)
{
	struct scene scene = scene_open(PROGRAM("/bin/sh", "1", "\"arguments\": [[\"x\", \"y\"]]"),
					SCRIPTS("/bin/sh"), "", NULL);
	uint32_t sh = scene_find(&scene, '1').program;
	struct content script = scene_find(&scene, 'a');
	struct arguments arguments = scene_split("sh x y");

	(void)state;
	assert_true(program_policy_permits_arguments(scene.policy, sh, &arguments, NULL));
	arguments.is_cut = true;
	assert_false(program_policy_permits_arguments(scene.policy, sh, &arguments, NULL));
	assert_true(program_policy_permits_arguments(scene.policy, sh, &arguments, &script));
	arguments.count = 0;
	assert_false(program_policy_permits_arguments(scene.policy, sh, &arguments, &script));
	assert_false(program_policy_permits_arguments(scene.policy, 5, &arguments, &script));
	arguments_clear(&arguments);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shells),
		cmocka_unit_test(an_empty_vector_is_one),
		cmocka_unit_test(unknown_arguments_permit_known_scripts),
		cmocka_unit_test(python),
		cmocka_unit_test(scripts_that_are_options),
		cmocka_unit_test(the_kernel_names_the_script),
		cmocka_unit_test(applets),
		cmocka_unit_test(applets_by_hard_links),
		cmocka_unit_test(ordinary_programs_with_links),
		cmocka_unit_test(entries_of_one_content_add_up),
		cmocka_unit_test(cut_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
