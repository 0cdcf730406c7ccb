/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROGRAM_EXECUTABLE_FORMAT_H
#define PROGRAM_EXECUTABLE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a file is for the kernel's exec, from its content alone; the name proves nothing. */
enum executable_kind {
	EXECUTABLE_OTHER,   /* neither of these: data, or a format of binfmt_misc */
	EXECUTABLE_PROGRAM, /* ELF that is meant to be started */
	EXECUTABLE_LIBRARY, /* ELF shared object that no loader is named in; ld.so itself too */
	EXECUTABLE_SCRIPT,  /* "#!" */
};

#define NEEDED_LIMIT	  64
#define SEARCH_PATH_LIMIT 4096

struct executable_format {
	enum executable_kind kind;
	bool has_loader;       /* PT_INTERP: the kernel opens a second file */
	char library_name[64]; /* DT_SONAME; "" for none or a longer one */
	char interpreter[256]; /* PT_INTERP, or the program of the "#!" line; "" for none */
	/* the DT_NEEDED names one after the other, each with its NUL; NULL for none. Freed with
	 * executable_format_clear(). */
	char *needed;
	size_t needed_size;
	/* DT_RUNPATH, else DT_RPATH: where to look for these first, as it stands in the file; NULL
	 * for none or a longer one. Freed in the same way. */
	char *search_path;
	bool search_path_inherited; /* DT_RPATH: counts for the libraries' libraries too */
	uint16_t machine; /* ELF: e_machine and class, which go together with a loader's */
	bool wide;
};

/* Up to size bytes at an offset, as pread(2) returns them; negative errno on error. */
typedef ssize_t (*file_read_fn)(void *context, void *bytes, size_t size, uint64_t offset);

/* Whatever the content, the answer is a kind; what can't be made sense of is EXECUTABLE_OTHER or
 * has nothing needed. Errors: those of read, and -ENOMEM. */
int executable_format_read(file_read_fn read, void *context, struct executable_format *ret_format);
int executable_format_of(int fd, struct executable_format *ret_format);
void executable_format_clear(struct executable_format *format);

#endif
