/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/updating.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "control/client.h"
#include "control/protocol.h"
#include "daemon/update_command.h"
#include "daemon/update_delta.h"
#include "daemon/update_private.h"
#include "daemon/update_walk.h"
#include "profiles/profile_json.h"
#include "profiles/signature.h"

#define PATH_LIMIT	  (1u << 20)
#define NOTE_LIMIT	  500
#define ANSWER_TIMEOUT_MS 5000

static void freejsonp(json_t **value)
{
	json_decref(*value);
}

void update_note(struct update *update, const char *format, ...)
{
	char note[1024];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(note, sizeof(note), format, arguments);
	va_end(arguments);
	if (update->notes.count < NOTE_LIMIT && !string_list_contains(&update->notes, note))
		(void)string_list_add(&update->notes, note);
}

char *update_text(const char *raw_path)
{
	return text_escape(raw_path, PROFILE_STRING_LIMIT);
}

struct update_path *update_path_of(struct update *update, const char *text)
{
	return map_add(update->paths, text, strlen(text) + 1);
}

/* ---- before the command ---- */

/* While unknown programs are kept from running, an installation would fail half way. */
static int refuse_while_enforcing(const char *control, struct error *error)
{
	_cleanup_(freejsonp) json_t *answer = NULL;
	struct error reason = {0};
	const char *mode;
	int result = control_ask(control, json_pack("{s:s}", CONTROL_REQUEST, REQUEST_STATUS),
				 ANSWER_TIMEOUT_MS, &answer, &reason);

	if (result == -ENOENT || result == -ECONNREFUSED)
		return 0;
	if (result < 0)
		return error_set(error, EBUSY, "cannot tell whether a profile is enforced here: %s",
				 reason.message);
	mode = json_string_value(json_object_get(answer, STATUS_MODE));
	if (mode && strcmp(mode, MODE_AUDIT) == 0)
		return 0;
	return error_set(error, EBUSY,
			 "a profile is enforced on this machine and would stop what is installed: "
			 "'rtguard mode audit' first, then this, then 'rtguard reload' with the "
			 "result and 'rtguard mode enforce'");
}

static int refuse_foreign(const struct profile *profile, const char *path, struct error *error)
{
	struct utsname machine;

	if (!mac_is_zero(&profile->device_mac))
		return error_set(error, EINVAL,
				 "%s: was learnt from recordings of another device: it has no "
				 "programs to update",
				 path);
	if (profile->architecture && uname(&machine) == 0 &&
	    strcmp(profile->architecture, machine.machine) != 0)
		return error_set(error, EINVAL, "%s: was learnt on %s, this machine is %s", path,
				 profile->architecture, machine.machine);
	return 0;
}

/* Regular files, as the kernel would name them: a link in their place is not them. */
static bool is_file(const char *path, struct stat *status)
{
	return lstat(path, status) == 0 && S_ISREG(status->st_mode);
}

static struct update_path *note_path(struct update *update, const char *text)
{
	struct update_path *path = update_path_of(update, text);
	struct stat status;

	if (path && !path->was_there && is_file(text, &status)) {
		path->was_there = true;
		path->before = file_key_of(&status);
	}
	return path;
}

static int note_paths(struct update *update)
{
	const struct profile *profile = update->profile;
	struct update_path *path;

	for (size_t i = 0; i < profile->program_count; i++) {
		path = note_path(update, profile->programs[i].path);
		if (!path)
			return -ENOMEM;
		path->program = true;
	}
	for (size_t i = 0; i < profile->library_count; i++) {
		path = note_path(update, profile->libraries[i].path);
		if (!path)
			return -ENOMEM;
		path->library = true;
	}
	for (size_t i = 0; i < profile->script_count; i++) {
		path = note_path(update, profile->scripts[i].path);
		if (!path)
			return -ENOMEM;
		path->script = true;
	}
	return 0;
}

/* ---- after it ---- */

/* What the profile has: whatever the command did to it, wherever it lies. */
static int take_profile_paths(struct update *update)
{
	_cleanup_(string_list_free) struct string_list gone = {0};
	_cleanup_(string_list_free) struct string_list changed = {0};
	int result = 0;

	/* taking one touches the table: first look, then take */
	for (struct update_path *path = map_next(update->paths, NULL); path && result == 0;
	     path = map_next(update->paths, path)) {
		struct file_key now;
		struct stat status;
		size_t size;
		const char *text = map_key(path, &size);

		if (!path->program && !path->library && !path->script)
			continue;
		if (!is_file(text, &status)) {
			if (path->was_there)
				result = string_list_add(&gone, text);
			continue;
		}
		now = file_key_of(&status);
		if (!path->was_there || !file_key_equal(&now, &path->before))
			result = string_list_add(&changed, text);
	}
	for (size_t i = 0; i < gone.count; i++)
		update_drop(update, gone.items[i], true, true, true);
	for (size_t i = 0; result == 0 && i < changed.count; i++)
		result = update_take(update, changed.items[i], true);
	return result;
}

static int take_found(void *context, const char *path, const struct stat *status)
{
	(void)status;
	return update_take(context, path, false);
}

static void note_missed(void *context, const char *path, const char *why)
{
	struct update *update = context;
	_cleanup_(freep) char *text = update_text(path);

	update_note(update, "%s was not looked into: %s", text ? text : "?", why);
}

static int take_all(struct update *update, const struct timespec *since, struct error *error)
{
	const struct update_walk walk = {
		.since = *since, .found = take_found, .missed = note_missed, .context = update};
	/* now, not before: the command may have added directories */
	int result = library_places_new(LOADER_CONFIGURATION, LOADER_PATH_PATTERN, &update->places);

	if (result == 0)
		result = take_profile_paths(update);
	if (result == 0)
		result = update_walk(&walk, error);
	if (result == 0)
		result = update_take_code(update);
	if (result < 0 && !error->code)
		return error_set(error, -result, "%s", strerror(-result));
	return result;
}

/* evidence.updates: that this part of the profile was not seen at work. */
static int note_evidence(struct profile *profile, const struct updating_config *config,
			 const json_t *delta)
{
	char now[CLOCK_TEXT_SIZE];
	json_t *updates;
	json_t *entry;

	clock_format(clock_realtime_ns(), now);
	if (!profile->evidence)
		profile->evidence = json_object();
	updates = json_object_get(profile->evidence, "updates");
	if (!json_is_array(updates)) {
		updates = json_array();
		if (json_object_set_new(profile->evidence, "updates", updates) < 0)
			return -ENOMEM;
	}
	entry = json_pack("{s:s, s:s%, s:I, s:I, s:I}", "time", now, "command", config->command[0],
			  utf8_is_valid(config->command[0], strlen(config->command[0]))
				  ? strlen(config->command[0])
				  : 0,
			  "added", (json_int_t)update_delta_count(delta, "added"), "changed",
			  (json_int_t)update_delta_count(delta, "changed"), "removed",
			  (json_int_t)update_delta_count(delta, "removed"));
	return json_array_append_new(updates, entry) < 0 ? -ENOMEM : 0;
}

static int write_profile(struct update *update, const struct updating_config *config,
			 struct updating_result *result, struct error *error)
{
	struct profile *profile = update->profile;
	struct signature_info info;

	if (!update_delta_count(result->delta, "added") &&
	    !update_delta_count(result->delta, "changed") &&
	    !update_delta_count(result->delta, "removed"))
		/* another file is what was asked for, whatever is in it */
		return strcmp(config->profile, config->output) == 0
			       ? 0
			       : profile_save(profile, config->output, error);
	if (signature_read(profile, &info, NULL) == 0)
		result->signed_version = info.version;
	json_decref(profile->signature);
	profile->signature = NULL;
	if (note_evidence(profile, config, result->delta) < 0)
		return error_set(error, ENOMEM, "out of memory");
	if (profile_save(profile, config->output, error) < 0)
		return -error->code;
	result->written = true;
	return 0;
}

static json_t *notes_of(const struct update *update)
{
	json_t *notes = json_array();

	for (size_t i = 0; i < update->notes.count; i++)
		(void)json_array_append_new(notes, json_string(update->notes.items[i]));
	return notes;
}

static int finish(struct update *update, const struct updating_config *config,
		  const struct timespec *since, struct updating_result *result, struct error *error)
{
	_cleanup_(profile_freep) struct profile *before = NULL;
	int code = profile_load(config->profile, &before, error);

	if (code == 0)
		code = take_all(update, since, error);
	if (code == 0)
		code = update_delta(before, update->profile, &result->delta, error);
	if (code == 0)
		code = write_profile(update, config, result, error);
	result->notes = notes_of(update);
	return code;
}

static int run(struct update *update, const struct updating_config *config,
	       struct updating_result *result, struct error *error)
{
	struct timespec since = update_clock();
	uint64_t real_ns = clock_realtime_ns();
	uint64_t boot_ns = clock_boottime_ns();
	int code = update_command_run(config->command, config->quiet_output,
				      &result->command_status, error);

	if (code < 0)
		return code;
	result->ran = true;
	/* what was stamped by a clock that went back cannot be told from what was there */
	if (clock_realtime_ns() + NS_PER_S < real_ns + (clock_boottime_ns() - boot_ns))
		return error_set(error, EAGAIN,
				 "the clock was set back while the command ran, so that what it "
				 "changed cannot be told: the profile is as it was; run the "
				 "installation once more (apt-get install --reinstall)");
	return finish(update, config, &since, result, error);
}

static int prepare(struct update *update, const struct updating_config *config, struct error *error)
{
	int result = refuse_while_enforcing(config->control, error);

	if (result == 0)
		result = profile_load(config->profile, &update->profile, error);
	if (result == 0)
		result = refuse_foreign(update->profile, config->profile, error);
	if (result == 0)
		result = file_check_replaceable(config->output, error);
	if (result < 0)
		return result;
	if (map_new(&update->paths, PATH_LIMIT, sizeof(struct update_path), NULL, NULL) < 0 ||
	    users_new("/etc/passwd", &update->users) < 0 || note_paths(update) < 0)
		return error_set(error, ENOMEM, "out of memory");
	return 0;
}

int updating_run(const struct updating_config *config, struct updating_result *ret_result,
		 struct error *error)
{
	struct updating_result result = {0};
	struct update update = {0};
	int code = prepare(&update, config, error);

	if (code == 0)
		code = run(&update, config, &result, error);
	profile_free(update.profile);
	map_free(update.paths);
	library_places_free(update.places);
	users_free(update.users);
	string_list_free(&update.notes);
	string_list_free(&update.code);
	*ret_result = result;
	return code;
}

void updating_result_clear(struct updating_result *result)
{
	json_decref(result->delta);
	json_decref(result->notes);
	*result = (struct updating_result){0};
}
