/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"

/*
 * A fuzz target as an ordinary test: runs it over every file of a corpus directory, over each file
 * cut short, and over each with one byte changed. The same runs every time. Every run gets a buffer
 * of its own of exactly the right size, so that a sanitizer sees the first byte read too many.
 */

#define FILE_SIZE_MAX (1 << 20)

/* Of large files not every length and every byte is tried. */
#define VARIANTS_MAX 1024

static unsigned long runs;

static int run(const char *bytes, size_t size)
{
	_cleanup_(freep) uint8_t *copy = malloc(size > 0 ? size : 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, bytes, size);
	LLVMFuzzerTestOneInput(copy, size);
	runs++;
	return 0;
}

static int run_changed(char *bytes, size_t size, size_t at, unsigned int change)
{
	char was = bytes[at];
	int error;

	bytes[at] = (char)(was ^ (int)change);
	error = run(bytes, size);
	bytes[at] = was;
	return error;
}

static int run_file(const char *path)
{
	/* the top bit, the lowest, all of them */
	static const unsigned int changes[] = {0x80, 0x01, 0xff};
	_cleanup_(freep) char *bytes = NULL;
	struct error error = {0};
	size_t size, step;

	if (file_read(path, FILE_SIZE_MAX, &bytes, &size, &error) < 0) {
		fprintf(stderr, "%s\n", error.message);
		return -error.code;
	}
	if (run(bytes, size) < 0)
		return -ENOMEM;
	step = size / VARIANTS_MAX + 1;
	for (size_t at = 0; at < size; at += step)
		if (run(bytes, at) < 0 ||
		    run_changed(bytes, size, at, changes[at / step % array_length(changes)]) < 0)
			return -ENOMEM;
	return 0;
}

static int is_corpus_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **entries = NULL;
	int count, failed = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
		return 2;
	}
	count = scandir(argv[1], &entries, is_corpus_file, alphasort);
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
		if (run_file(path) < 0)
			failed++;
		free(entries[i]);
	}
	free(entries);
	if (count <= 0) {
		fprintf(stderr, "%s: no corpus there\n", argv[1]);
		return 1;
	}
	printf("%d files, %lu runs\n", count, runs);
	return failed > 0;
}
