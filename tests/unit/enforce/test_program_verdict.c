/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_scene.h"

#include "base/cleanup.h"
#include "enforce/program_verdict.h"

/* ---- the table of docs/enforcing.md, row by row ---- */

static struct scene table;

#define PYTHON "/usr/bin/python3.11"

static int set_up(void **state)
{
	(void)state;
	table = scene_open(
		PROGRAM("/bin/daemon", "1", "\"users\": [\"daemon\"], " ANY) ", " PROGRAM(
			PYTHON, "2",
			"\"users\": [\"root\"], \"arguments\": [[\"-m\", \"http.server\"]], "
			"\"reads\": [\"/etc/app/\"]"),
		SCRIPT("/opt/app", "3", "\"" PYTHON "\""), LIBRARY("/lib/ld.so", "4"), NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scene_close(&table);
	return 0;
}

enum asker { DAEMON, INTERPRETER, INTRUDER, OURSELVES, WRITER };

static struct asking_process process_of(enum asker asker)
{
	char image = asker == DAEMON ? '1' : '2';

	if (asker == INTRUDER)
		return (struct asking_process){0};
	if (asker == OURSELVES)
		return (struct asking_process){.is_trusted = true};
	return (struct asking_process){
		.is_known = true,
		.image = scene_find(&table, image),
		.only_writes = asker == WRITER,
	};
}

/* content: a letter; '0' and '?' are not in the profile, '?' was not hashed */
struct row {
	enum asker asker;
	enum file_nature nature;
	char content;
	const char *path;
	enum finding_kind expected;
	enum finding_kind why;
	const char *becomes;
};

#define ROW(who, what, sha, where, finding, ...)                                                   \
	{                                                                                          \
		.asker = (who), .nature = (what), .content = (sha), .path = (where),               \
		.expected = (finding), __VA_ARGS__                                                 \
	}

static struct asked_file file_of(const struct row *row)
{
	return (struct asked_file){
		.nature = row->nature,
		.hashed = row->content != '?',
		.why = row->why,
		.content = row->content == '?' ? (struct content){0}
					       : scene_find(&table, row->content),
		.path = row->path,
		.sets_user = row->becomes != NULL,
		.becomes_user = row->becomes,
	};
}

typedef enum finding_kind (*judge_fn)(const struct program_policy *policy,
				      const struct asked_file *file,
				      const struct asking_process *process);

static void judge(judge_fn judgement, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct asked_file file = file_of(&rows[i]);
		struct asking_process process = process_of(rows[i].asker);
		enum finding_kind kind = judgement(table.policy, &file, &process);
		bool needed = program_verdict_needs_content(
			table.policy, judgement == program_verdict_exec, &file, &process);

		if (kind != rows[i].expected)
			fail_msg("row %zu (%s): expected %s, found %s", i, rows[i].path,
				 finding_kind_name(rows[i].expected), finding_kind_name(kind));
		/* what is not hashed for want of need is judged without */
		file.hashed = false;
		file.content = (struct content){0};
		file.why = FINDING_NONE;
		if (!needed)
			assert_int_equal(judgement(table.policy, &file, &process), kind);
	}
}

static void execs(void **state)
{
	static const struct row rows[] = {
		ROW(DAEMON, FILE_EXECUTABLE, '1', "/bin/daemon", FINDING_NONE, ),
		ROW(DAEMON, FILE_EXECUTABLE, '1', "/tmp/copy", FINDING_NONE, ),
		ROW(DAEMON, FILE_EXECUTABLE, '2', PYTHON, FINDING_NONE, ),
		ROW(DAEMON, FILE_CODE, '3', "/opt/app", FINDING_NONE, ),
		ROW(DAEMON, FILE_EXECUTABLE, '4', "/lib/ld.so", FINDING_NONE, ),
		ROW(DAEMON, FILE_EXECUTABLE, '0', "/tmp/evil", FINDING_PROGRAM_UNKNOWN, ),
		ROW(DAEMON, FILE_CODE, '0', "/tmp/evil.sh", FINDING_PROGRAM_UNKNOWN, ),
		ROW(DAEMON, FILE_DATA, '0', "/tmp/evil", FINDING_PROGRAM_UNKNOWN, ),
		ROW(DAEMON, FILE_EMPTY, '0', "/tmp/evil", FINDING_PROGRAM_UNKNOWN, ),
		ROW(DAEMON, FILE_EXECUTABLE, '0', "", FINDING_PROGRAM_UNKNOWN, ),
		ROW(DAEMON, FILE_EXECUTABLE, '0', "/bin/daemon", FINDING_PROGRAM_CHANGED, ),
		ROW(DAEMON, FILE_CODE, '0', "/opt/app", FINDING_PROGRAM_CHANGED, ),
		ROW(OURSELVES, FILE_EXECUTABLE, '0', "/tmp/evil", FINDING_NONE, ),
		ROW(DAEMON, FILE_EXECUTABLE, '?', "/x", FINDING_FILE_UNREADABLE, ),
		ROW(DAEMON, FILE_EXECUTABLE, '?', "/x", FINDING_FILE_TOO_LARGE,
		    .why = FINDING_FILE_TOO_LARGE),
		ROW(DAEMON, FILE_EXECUTABLE, '1', "/fuse/daemon", FINDING_FILESYSTEM_UNTRUSTED,
		    .why = FINDING_FILESYSTEM_UNTRUSTED),
		ROW(DAEMON, FILE_EXECUTABLE, '1', "/bin/daemon", FINDING_NONE, .becomes = "daemon"),
		ROW(DAEMON, FILE_EXECUTABLE, '1', "/bin/daemon", FINDING_USER_UNKNOWN,
		    .becomes = "root"),
		ROW(DAEMON, FILE_EXECUTABLE, '1', "/tmp/copy", FINDING_USER_UNKNOWN,
		    .becomes = "daemon"),
		ROW(DAEMON, FILE_EXECUTABLE, '4', "/lib/ld.so", FINDING_USER_UNKNOWN,
		    .becomes = "root"),
	};

	(void)state;
	judge(program_verdict_exec, rows, array_length(rows));
}

static void opens(void **state)
{
	static const struct row rows[] = {
		/* executable files, by anybody */
		ROW(DAEMON, FILE_EXECUTABLE, '1', "/x", FINDING_NONE, ),
		ROW(DAEMON, FILE_EXECUTABLE, '3', "/x", FINDING_NONE, ),
		ROW(DAEMON, FILE_EXECUTABLE, '4', "/x", FINDING_NONE, ),
		ROW(DAEMON, FILE_EXECUTABLE, '0', "/x", FINDING_EXECUTABLE_OPENED, ),
		ROW(INTERPRETER, FILE_EXECUTABLE, '0', "/etc/app/x", FINDING_EXECUTABLE_OPENED, ),
		ROW(WRITER, FILE_EXECUTABLE, '0', "/x", FINDING_EXECUTABLE_OPENED, ),
		ROW(OURSELVES, FILE_EXECUTABLE, '0', "/x", FINDING_NONE, ),
		ROW(DAEMON, FILE_EXECUTABLE, '?', "/x", FINDING_FILE_UNREADABLE, ),
		ROW(DAEMON, FILE_EXECUTABLE, '?', "/x", FINDING_FILE_TOO_LARGE,
		    .why = FINDING_FILE_TOO_LARGE),
		/* what cannot run */
		ROW(DAEMON, FILE_RELOCATABLE, '0', "/x.o", FINDING_NONE, ),
		ROW(INTERPRETER, FILE_RELOCATABLE, '0', "/x.o", FINDING_NONE, ),
		ROW(INTERPRETER, FILE_EMPTY, '0', "/x", FINDING_NONE, ),
		/* what reads as code, by programs that read code and by others */
		ROW(DAEMON, FILE_CODE, '0', "/x.sh", FINDING_NONE, ),
		ROW(DAEMON, FILE_DATA, '0', "/x", FINDING_NONE, ),
		ROW(DAEMON, FILE_DATA, '?', "/x", FINDING_NONE, .why = FINDING_FILE_TOO_LARGE),
		ROW(INTERPRETER, FILE_CODE, '3', "/opt/app", FINDING_NONE, ),
		ROW(INTERPRETER, FILE_DATA, '3', "/opt/app", FINDING_NONE, ),
		ROW(INTERPRETER, FILE_CODE, '0', "/x.py", FINDING_SCRIPT_UNKNOWN, ),
		ROW(INTERPRETER, FILE_CODE, '0', "/etc/app/x.py", FINDING_SCRIPT_UNKNOWN, ),
		ROW(INTERPRETER, FILE_DATA, '0', "/etc/app/x", FINDING_NONE, ),
		ROW(INTERPRETER, FILE_DATA, '0', "/etc/x", FINDING_READ_UNKNOWN, ),
		ROW(INTERPRETER, FILE_DATA, '?', "/etc/app/x", FINDING_NONE,
		    .why = FINDING_FILE_TOO_LARGE),
		ROW(INTERPRETER, FILE_DATA, '?', "/etc/x", FINDING_FILE_TOO_LARGE,
		    .why = FINDING_FILE_TOO_LARGE),
		ROW(INTERPRETER, FILE_CODE, '?', "/x.py", FINDING_FILE_UNREADABLE, ),
		ROW(WRITER, FILE_DATA, '0', "/etc/x", FINDING_NONE, ),
		ROW(WRITER, FILE_CODE, '0', "/x.sh", FINDING_NONE, ),
		/* whoever is nobody may open nothing */
		ROW(INTRUDER, FILE_DATA, '0', "/x", FINDING_IMAGE_UNKNOWN, ),
		ROW(INTRUDER, FILE_EMPTY, '0', "/x", FINDING_IMAGE_UNKNOWN, ),
		ROW(INTRUDER, FILE_EXECUTABLE, '1', "/bin/daemon", FINDING_IMAGE_UNKNOWN, ),
	};

	(void)state;
	judge(program_verdict_open, rows, array_length(rows));
}

static void what_need_not_be_hashed(void **state)
{
	static const struct {
		bool exec;
		enum asker asker;
		enum file_nature nature;
		const char *path;
		bool needed;
	} cases[] = {
		{true, DAEMON, FILE_DATA, "/x", true},
		{true, OURSELVES, FILE_EXECUTABLE, "/x", false},
		{true, INTRUDER, FILE_EXECUTABLE, "/x", true},
		{false, DAEMON, FILE_EXECUTABLE, "/x", true},
		{false, DAEMON, FILE_CODE, "/x", false},
		{false, DAEMON, FILE_DATA, "/x", false},
		{false, DAEMON, FILE_RELOCATABLE, "/x", false},
		{false, INTERPRETER, FILE_CODE, "/etc/app/x", true},
		{false, INTERPRETER, FILE_DATA, "/x", true},
		{false, INTERPRETER, FILE_DATA, "/etc/app/x", false},
		{false, INTERPRETER, FILE_EMPTY, "/x", false},
		{false, WRITER, FILE_DATA, "/x", false},
		{false, INTRUDER, FILE_EXECUTABLE, "/x", false},
		{false, OURSELVES, FILE_EXECUTABLE, "/x", false},
	};

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++) {
		struct asked_file file = {.nature = cases[i].nature, .path = cases[i].path};
		struct asking_process process = process_of(cases[i].asker);

		if (program_verdict_needs_content(table.policy, cases[i].exec, &file, &process) !=
		    cases[i].needed)
			fail_msg("case %zu", i);
	}
}

static void images(void **state)
{
	static const struct {
		struct row row;
		const char *words; /* NULL: could not be read */
		char script;	   /* '0': none */
	} cases[] = {
		{ROW(DAEMON, FILE_EXECUTABLE, '1', "/bin/daemon", FINDING_NONE, ), NULL, '0'},
		{ROW(DAEMON, FILE_EXECUTABLE, '0', "/x", FINDING_IMAGE_UNKNOWN, ), "x", '0'},
		{ROW(DAEMON, FILE_CODE, '3', "/opt/app", FINDING_IMAGE_UNKNOWN, ), "x", '0'},
		{ROW(DAEMON, FILE_EXECUTABLE, '4', "/lib/ld.so", FINDING_ARGUMENTS_UNKNOWN, ),
		 "ld.so /bin/daemon", '0'},
		{ROW(DAEMON, FILE_EXECUTABLE, '?', "/x", FINDING_FILE_UNREADABLE, ), "x", '0'},
		{ROW(DAEMON, FILE_EXECUTABLE, '?', "/x", FINDING_FILE_TOO_LARGE,
		     .why = FINDING_FILE_TOO_LARGE),
		 "x", '0'},
		{ROW(DAEMON, FILE_EXECUTABLE, '1', "/tmp/su", FINDING_USER_UNKNOWN,
		     .becomes = "root"),
		 "su", '0'},
		{ROW(DAEMON, FILE_EXECUTABLE, '2', PYTHON, FINDING_NONE, ),
		 "python3 -m http.server", '0'},
		{ROW(DAEMON, FILE_EXECUTABLE, '2', PYTHON, FINDING_NONE, ), "python3 /opt/app x",
		 '3'},
		{ROW(DAEMON, FILE_EXECUTABLE, '2', PYTHON, FINDING_ARGUMENTS_UNKNOWN, ),
		 "python3 /opt/app x", '0'},
		{ROW(DAEMON, FILE_EXECUTABLE, '2', PYTHON, FINDING_ARGUMENTS_UNKNOWN, ),
		 "python3 -c x", '3'},
		{ROW(DAEMON, FILE_EXECUTABLE, '2', PYTHON, FINDING_ARGUMENTS_UNKNOWN, ), NULL, '3'},
	};

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++) {
		struct asked_file image = file_of(&cases[i].row);
		struct content script = scene_find(&table, cases[i].script);
		struct arguments arguments = {0};
		enum finding_kind kind;

		if (cases[i].words)
			arguments = scene_split(cases[i].words);
		kind = program_verdict_image(table.policy, &image,
					     cases[i].words ? &arguments : NULL, &script);
		arguments_clear(&arguments);
		if (kind != cases[i].row.expected)
			fail_msg("case %zu: expected %s, found %s", i,
				 finding_kind_name(cases[i].row.expected), finding_kind_name(kind));
	}
}

static void what_the_kernel_remembers(void **state)
{
	static const struct {
		struct row row;
		bool open, exec;
	} cases[] = {
		{ROW(DAEMON, FILE_EXECUTABLE, '1', "/bin/daemon", FINDING_NONE, ), true, true},
		{ROW(DAEMON, FILE_EXECUTABLE, '4', "/lib/ld.so", FINDING_NONE, ), true, true},
		{ROW(DAEMON, FILE_CODE, '3', "/opt/app", FINDING_NONE, ), true, false},
		{ROW(DAEMON, FILE_EXECUTABLE, '2', PYTHON, FINDING_NONE, ), true, false},
		{ROW(DAEMON, FILE_EXECUTABLE, '1', "/bin/daemon", FINDING_NONE, .becomes = "root"),
		 true, false},
		{ROW(DAEMON, FILE_EXECUTABLE, '0', "/x", FINDING_NONE, ), false, false},
		{ROW(DAEMON, FILE_DATA, '0', "/x", FINDING_NONE, ), false, false},
		{ROW(DAEMON, FILE_EXECUTABLE, '1', "/x", FINDING_NONE,
		     .why = FINDING_FILESYSTEM_UNTRUSTED),
		 false, false},
		{ROW(DAEMON, FILE_EXECUTABLE, '4', "/etc/ld.so.cache", FINDING_NONE, ), false,
		 false},
		{ROW(DAEMON, FILE_EXECUTABLE, '4', "/etc/ld-musl-armhf.path", FINDING_NONE, ),
		 false, false},
	};
	struct asked_file file = file_of(&cases[0].row);

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++) {
		struct asked_file each = file_of(&cases[i].row);

		assert_int_equal(program_verdict_caches_open(&each), cases[i].open);
		assert_int_equal(program_verdict_caches_exec(&each), cases[i].exec);
	}
	/* its owner runs it now, who becomes nobody else: the next one might */
	file.sets_user = true;
	assert_false(program_verdict_caches_exec(&file));
	file.sets_user = false;
	file.hashed = false;
	assert_false(program_verdict_caches_open(&file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(execs),
		cmocka_unit_test(opens),
		cmocka_unit_test(what_need_not_be_hashed),
		cmocka_unit_test(images),
		cmocka_unit_test(what_the_kernel_remembers),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
