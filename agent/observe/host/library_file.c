/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/library_file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/host/process_info.h"

struct library_files {
	struct executables *executables;
	observation_fn deliver;
	void *context;
};

/* One that is being hashed. */
struct library_file {
	struct library_files *files;
	struct file_key file;
	struct label *path;
	struct label *program;
};

int library_files_new(struct executables *executables, observation_fn deliver, void *context,
		      struct library_files **ret_files)
{
	struct library_files *files = calloc(1, sizeof(*files));

	if (!files)
		return -ENOMEM;
	files->executables = executables;
	files->deliver = deliver;
	files->context = context;
	*ret_files = files;
	return 0;
}

void library_files_free(struct library_files *files)
{
	free(files);
}

bool library_files_told(const struct library_files *files, const struct file_key *file)
{
	return executables_has_note(files->executables, file, EXECUTABLE_MAPPED);
}

static void free_library(struct library_file *library)
{
	label_release(library->path);
	label_release(library->program);
	free(library);
}

static void hashed(void *context, const struct executable *executable)
{
	struct library_file *library = context;
	struct library_files *files = library->files;
	struct observation observation = {
		.kind = OBSERVATION_LIBRARY,
		.time_ns = clock_realtime_ns(),
		.library = {.path = label_text(library->path),
			    .sha256 = executable->sha256,
			    .program = label_text(library->program)},
	};

	if (executable->hashed && library->path && !library_files_told(files, &library->file)) {
		executables_add_note(files->executables, &library->file, EXECUTABLE_MAPPED);
		files->deliver(files->context, &observation);
	}
	free_library(library);
}

void library_files_take(struct library_files *files, int fd, const struct file_key *file,
			struct label *program)
{
	struct library_file *library = calloc(1, sizeof(*library));
	_cleanup_(freep) char *path = NULL;

	if (!library) {
		(void)close(fd);
		return;
	}
	library->files = files;
	library->file = *file;
	library->program = label_reference(program);
	if (descriptor_path(fd, &path) == 0)
		library->path = label_new(path, file);
	executables_hash(files->executables, fd, hashed, library);
}
