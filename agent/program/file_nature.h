/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROGRAM_FILE_NATURE_H
#define PROGRAM_FILE_NATURE_H

#include <stddef.h>
#include <stdint.h>

/* What a file is, from its content (and for code, its name). */
enum file_nature {
	FILE_EMPTY,	  /* nothing in it that could run */
	FILE_DATA,	  /* none of the others: its bytes may still be read as code */
	FILE_EXECUTABLE,  /* ELF that can be started or mapped: program, loader, library, plug-in */
	FILE_RELOCATABLE, /* ELF ET_REL: a compiler's output, a kernel module */
	FILE_CODE, /* "#!", or the name of an interpreter's language: .sh, .py, .pyc, .pl … */
};

/* So many first bytes are enough. */
#define FILE_NATURE_BYTES 32

/* By the first bytes and the path's ending ("" where it is not known). size 0: the file is empty.
 */
enum file_nature file_nature_of(const uint8_t *bytes, size_t size, const char *path);

#endif
