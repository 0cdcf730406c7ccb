/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "program/executable_format.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "program/script_line.h"

#define PROGRAM_HEADERS	  64
#define DYNAMIC_ENTRIES	  1024
#define LIBRARY_NAME_SIZE 256

/* One ELF file of either class and byte order. */
struct elf {
	file_read_fn read;
	void *context;
	bool wide;
	bool swap;
};

struct segment {
	uint32_t type;
	uint64_t offset;
	uint64_t address;
	uint64_t size;
};

struct dynamic_section {
	uint64_t names_address; /* DT_STRTAB */
	uint64_t flags;		/* DT_FLAGS_1 */
	uint64_t library_name;	/* DT_SONAME */
	bool has_library_name;
	uint64_t search_path;	 /* DT_RUNPATH or DT_RPATH */
	int64_t search_path_tag; /* DT_NULL: none */
	uint64_t needed[NEEDED_LIMIT];
	size_t needed_count;
};

static uint64_t number(const struct elf *elf, const unsigned char *bytes, size_t size)
{
	uint64_t value = 0;
	bool little = (__BYTE_ORDER == __LITTLE_ENDIAN) != elf->swap;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << 8 * (little ? i : size - 1 - i);
	return value;
}

#define ELF_FIELD(elf, bytes, type, field)                                                         \
	((elf)->wide ? number(elf, (bytes) + offsetof(Elf64_##type, field),                        \
			      sizeof(((Elf64_##type *)0)->field))                                  \
		     : number(elf, (bytes) + offsetof(Elf32_##type, field),                        \
			      sizeof(((Elf32_##type *)0)->field)))

static bool read_exactly(const struct elf *elf, void *bytes, size_t size, uint64_t offset)
{
	return offset <= INT64_MAX - size &&
	       elf->read(elf->context, bytes, size, offset) == (ssize_t)size;
}

/* Returns how many segments there are, 0 if they can't be read. */
static size_t read_segments(const struct elf *elf, const unsigned char *header,
			    struct segment segments[PROGRAM_HEADERS])
{
	uint64_t offset = ELF_FIELD(elf, header, Ehdr, e_phoff);
	size_t count = ELF_FIELD(elf, header, Ehdr, e_phnum);
	size_t size = elf->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	unsigned char bytes[sizeof(Elf64_Phdr)];

	if (ELF_FIELD(elf, header, Ehdr, e_phentsize) != size || count > PROGRAM_HEADERS ||
	    offset > INT64_MAX / 2)
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (!read_exactly(elf, bytes, size, offset + i * size))
			return 0;
		segments[i] = (struct segment){
			.type = (uint32_t)ELF_FIELD(elf, bytes, Phdr, p_type),
			.offset = ELF_FIELD(elf, bytes, Phdr, p_offset),
			.address = ELF_FIELD(elf, bytes, Phdr, p_vaddr),
			.size = ELF_FIELD(elf, bytes, Phdr, p_filesz),
		};
	}
	return count;
}

static const struct segment *find_segment(const struct segment *segments, size_t count,
					  uint32_t type)
{
	for (size_t i = 0; i < count; i++)
		if (segments[i].type == type)
			return &segments[i];
	return NULL;
}

static void read_dynamic(const struct elf *elf, const struct segment *segment,
			 struct dynamic_section *section)
{
	size_t size = elf->wide ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
	unsigned char bytes[sizeof(Elf64_Dyn)];

	for (size_t i = 0; i < DYNAMIC_ENTRIES && (i + 1) * size <= segment->size; i++) {
		uint64_t tag;
		uint64_t value;

		if (!read_exactly(elf, bytes, size, segment->offset + i * size))
			return;
		tag = ELF_FIELD(elf, bytes, Dyn, d_tag);
		value = ELF_FIELD(elf, bytes, Dyn, d_un);
		if (tag == DT_NULL)
			return;
		if (tag == DT_STRTAB)
			section->names_address = value;
		else if (tag == DT_FLAGS_1)
			section->flags = value;
		else if (tag == DT_SONAME) {
			section->library_name = value;
			section->has_library_name = true;
		} else if (tag == DT_RUNPATH ||
			   (tag == DT_RPATH && section->search_path_tag != DT_RUNPATH)) {
			section->search_path = value;
			section->search_path_tag = (int64_t)tag;
		} else if (tag == DT_NEEDED && section->needed_count < NEEDED_LIMIT)
			section->needed[section->needed_count++] = value;
	}
}

/* Where in the file the bytes lie that are mapped at that address. */
static bool file_offset(const struct segment *segments, size_t count, uint64_t address,
			uint64_t *ret_offset)
{
	for (size_t i = 0; i < count; i++) {
		const struct segment *segment = &segments[i];

		if (segment->type == PT_LOAD && address >= segment->address &&
		    address - segment->address < segment->size) {
			*ret_offset = segment->offset + (address - segment->address);
			return true;
		}
	}
	return false;
}

static void read_library_name(const struct elf *elf, uint64_t offset,
			      struct executable_format *format)
{
	char *name = format->library_name;
	ssize_t got;

	if (offset > INT64_MAX - sizeof(format->library_name))
		return;
	got = elf->read(elf->context, name, sizeof(format->library_name), offset);
	if (got <= 0 || !memchr(name, '\0', (size_t)got))
		memset(name, 0, sizeof(format->library_name));
}

static int read_needed(const struct elf *elf, const struct dynamic_section *section,
		       uint64_t names_offset, struct executable_format *format)
{
	_cleanup_(freep) char *needed = malloc(NEEDED_LIMIT * LIBRARY_NAME_SIZE);
	char *fitting;
	size_t used = 0;

	if (!needed)
		return -ENOMEM;
	for (size_t i = 0; i < section->needed_count; i++) {
		char *name = needed + used;
		uint64_t offset = names_offset + section->needed[i];
		ssize_t got;

		if (offset > INT64_MAX - LIBRARY_NAME_SIZE)
			continue;
		got = elf->read(elf->context, name, LIBRARY_NAME_SIZE, offset);
		if (got <= 0 || !memchr(name, '\0', (size_t)got) || !*name)
			continue;
		used += strlen(name) + 1;
	}
	if (!used)
		return 0;
	fitting = realloc(needed, used);
	format->needed = fitting ? fitting : needed;
	format->needed_size = used;
	needed = NULL;
	return 0;
}

static int read_search_path(const struct elf *elf, const struct dynamic_section *section,
			    uint64_t names_offset, struct executable_format *format)
{
	_cleanup_(freep) char *path = malloc(SEARCH_PATH_LIMIT);
	uint64_t offset = names_offset + section->search_path;
	ssize_t got;

	if (!path)
		return -ENOMEM;
	if (offset > INT64_MAX - SEARCH_PATH_LIMIT)
		return 0;
	got = elf->read(elf->context, path, SEARCH_PATH_LIMIT, offset);
	if (got <= 0 || !memchr(path, '\0', (size_t)got) || !*path)
		return 0;
	format->search_path = strdup(path);
	format->search_path_inherited = section->search_path_tag == DT_RPATH;
	return format->search_path ? 0 : -ENOMEM;
}

static int read_elf(struct elf *elf, const unsigned char *header, struct executable_format *format)
{
	struct segment segments[PROGRAM_HEADERS];
	struct dynamic_section section = {0};
	uint64_t type = ELF_FIELD(elf, header, Ehdr, e_type);
	size_t count = read_segments(elf, header, segments);
	const struct segment *loader = find_segment(segments, count, PT_INTERP);
	const struct segment *dynamic = find_segment(segments, count, PT_DYNAMIC);
	uint64_t names_offset;
	int result = 0;

	if (!count || (type != ET_EXEC && type != ET_DYN))
		return 0;
	if (loader && loader->size > 1 && loader->size <= sizeof(format->interpreter) &&
	    read_exactly(elf, format->interpreter, loader->size, loader->offset)) {
		format->interpreter[loader->size - 1] = '\0';
		format->has_loader = true;
	}
	if (dynamic)
		read_dynamic(elf, dynamic, &section);
	format->machine = (uint16_t)ELF_FIELD(elf, header, Ehdr, e_machine);
	format->wide = elf->wide;
	/* a static position independent program names no loader, but its linker marked it */
	format->kind = type == ET_EXEC || format->has_loader || section.flags & DF_1_PIE
			       ? EXECUTABLE_PROGRAM
			       : EXECUTABLE_LIBRARY;
	if (!file_offset(segments, count, section.names_address, &names_offset))
		return 0;
	if (section.has_library_name)
		read_library_name(elf, names_offset + section.library_name, format);
	if (section.search_path_tag != DT_NULL)
		result = read_search_path(elf, &section, names_offset, format);
	if (result == 0 && section.needed_count)
		result = read_needed(elf, &section, names_offset, format);
	return result;
}

static void read_script(const char *line, size_t size, struct executable_format *format)
{
	size_t at = strlen("#!");
	size_t length;

	format->kind = EXECUTABLE_SCRIPT;
	while (at < size && (line[at] == ' ' || line[at] == '\t'))
		at++;
	for (length = 0; at + length < size; length++)
		if (strchr(" \t\n", line[at + length]))
			break;
	if (length < sizeof(format->interpreter))
		memcpy(format->interpreter, line + at, length);
}

int executable_format_read(file_read_fn read, void *context, struct executable_format *ret_format)
{
	struct executable_format format = {.kind = EXECUTABLE_OTHER};
	unsigned char start[SCRIPT_LINE_SIZE] = {0};
	struct elf elf = {.read = read, .context = context};
	ssize_t got = read(context, start, sizeof(start), 0);
	int result = 0;

	if (got < 0)
		return (int)got;
	if (got >= 2 && start[0] == '#' && start[1] == '!') {
		read_script((const char *)start, (size_t)got, &format);
	} else if (got >= (ssize_t)sizeof(Elf32_Ehdr) && memcmp(start, ELFMAG, SELFMAG) == 0) {
		bool little = start[EI_DATA] == ELFDATA2LSB;

		elf.wide = start[EI_CLASS] == ELFCLASS64;
		elf.swap = little != (__BYTE_ORDER == __LITTLE_ENDIAN);
		result = read_elf(&elf, start, &format);
	}
	if (result < 0) {
		executable_format_clear(&format);
		return result;
	}
	*ret_format = format;
	return 0;
}

static ssize_t read_descriptor(void *context, void *bytes, size_t size, uint64_t offset)
{
	const int *fd = context;
	ssize_t got = pread(*fd, bytes, size, (off_t)offset);

	return got < 0 ? -errno : got;
}

int executable_format_of(int fd, struct executable_format *ret_format)
{
	return executable_format_read(read_descriptor, &fd, ret_format);
}

void executable_format_clear(struct executable_format *format)
{
	free(format->needed);
	free(format->search_path);
	format->needed = NULL;
	format->needed_size = 0;
	format->search_path = NULL;
}
