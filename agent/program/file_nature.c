/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "program/file_nature.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

/* Endings under which interpreters look for code, or by which people mark it. */
static const char *const code_endings[] = {
	".sh",	".bash", ".dash", ".ksh", ".zsh",   ".fish", ".csh",   ".py",  ".pyc",	 ".pyo",
	".pyw", ".pyz",	 ".pth",  ".egg", ".whl",   ".pl",   ".pm",    ".ph",  ".al",	 ".rb",
	".lua", ".luac", ".js",	  ".mjs", ".cjs",   ".node", ".ts",    ".php", ".phtml", ".phar",
	".tcl", ".tm",	 ".exp",  ".awk", ".sed",   ".scm",  ".go",    ".el",  ".elc",	 ".jar",
	".war", ".dll",	 ".exe",  ".erl", ".class", ".beam", ".groovy"};

static const struct {
	const char *bytes;
	size_t size;
} code_beginnings[] = {
	{"#!", 2}, /* binfmt_script */
	{"\x1b"
	 "Lua",
	 4},			 /* LUA_SIGNATURE of lua.h */
	{"\xca\xfe\xba\xbe", 4}, /* Java class file format, chapter 4 */
	{"FOR1", 4},		 /* BEAM file */
};

static uint16_t half_at(const uint8_t *bytes, bool big)
{
	return (uint16_t)(big ? bytes[0] << 8 | bytes[1] : bytes[1] << 8 | bytes[0]);
}

/* The kernel and the loader map ET_EXEC and ET_DYN. Whatever else calls itself ELF and is not
 * plainly another type is treated as if it could be mapped. */
static enum file_nature elf_nature(const uint8_t *bytes, size_t size)
{
	uint16_t type, other;

	if (size < EI_NIDENT + sizeof(type))
		return FILE_EXECUTABLE;
	type = half_at(bytes + EI_NIDENT, bytes[EI_DATA] == ELFDATA2MSB);
	other = half_at(bytes + EI_NIDENT, bytes[EI_DATA] != ELFDATA2MSB);
	/* the kernel reads in its own byte order, whatever EI_DATA says */
	if (other == ET_EXEC || other == ET_DYN)
		return FILE_EXECUTABLE;
	if (type == ET_REL)
		return FILE_RELOCATABLE;
	return type == ET_CORE ? FILE_DATA : FILE_EXECUTABLE;
}

static bool ends_like_code(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');

	for (size_t i = 0; dot && i < array_length(code_endings); i++)
		if (strcmp(dot, code_endings[i]) == 0)
			return true;
	return false;
}

enum file_nature file_nature_of(const uint8_t *bytes, size_t size, const char *path)
{
	if (!size)
		return FILE_EMPTY;
	if (size >= SELFMAG && memcmp(bytes, ELFMAG, SELFMAG) == 0)
		return elf_nature(bytes, size);
	for (size_t i = 0; i < array_length(code_beginnings); i++)
		if (size >= code_beginnings[i].size &&
		    memcmp(bytes, code_beginnings[i].bytes, code_beginnings[i].size) == 0)
			return FILE_CODE;
	return ends_like_code(path) ? FILE_CODE : FILE_DATA;
}
