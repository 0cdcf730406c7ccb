/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/text_kinds.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/hostname.h"
#include "profiles/match.h"

#define SHA256_DIGITS 64

/* No C0 control, DEL or C1 control: what is shown cannot steer a terminal, nor hide in a review. */
static bool is_printable(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if (*at < 0x20 || *at == 0x7f)
			return false;
		if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
			return false;
	}
	return true;
}

static bool is_words(const char *text)
{
	return *text && is_printable(text);
}

static bool is_argument(const char *text)
{
	(void)text;
	return true;
}

static bool is_path(const char *text)
{
	return text[0] == '/' && is_printable(text);
}

/* A file, or a directory by its final slash; the root directory would be everything that lies in
 * it.
 */
static bool is_place(const char *text)
{
	return is_path(text) && text[1];
}

static bool is_sha256(const char *text)
{
	return strlen(text) == SHA256_DIGITS && strspn(text, "0123456789abcdef") == SHA256_DIGITS;
}

/* What the kernel takes (dev_valid_name() in net/core/dev.c), in printable ASCII. */
static bool is_interface(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length >= IFNAMSIZ || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '/' || text[i] == ':')
			return false;
	return true;
}

static bool is_address(const char *text)
{
	char canonical[IP_TEXT_SIZE];
	struct ip_address address;

	if (ip_parse(text, &address) < 0)
		return false;
	ip_format(&address, canonical);
	return strcmp(canonical, text) == 0;
}

static bool is_prefix(const char *text)
{
	char canonical[IP_TEXT_SIZE];
	char whole[IP_TEXT_SIZE + 4];
	struct ip_address address;
	unsigned int length;

	if (ip_parse_prefix(text, &address, &length) < 0)
		return false;
	ip_format(&address, canonical);
	(void)snprintf(whole, sizeof(whole), "%s/%u", canonical, length);
	return strcmp(whole, text) == 0;
}

const struct text_kind text_words = {"text without control characters", is_words,
				     PROFILE_STRING_LIMIT};
const struct text_kind text_argument = {"text", is_argument, PROFILE_STRING_LIMIT};
const struct text_kind text_path = {"an absolute path without control characters", is_path,
				    PROFILE_STRING_LIMIT};
const struct text_kind text_place = {
	"an absolute path, or a directory with its final slash, other than /", is_place,
	PROFILE_STRING_LIMIT};
const struct text_kind text_sha256 = {"64 lower-case hexadecimal digits", is_sha256,
				      PROFILE_STRING_LIMIT};
const struct text_kind text_host_name = {"a lower-case host name", hostname_is_valid,
					 PROFILE_NAME_LIMIT};
const struct text_kind text_name_pattern = {
	"a lower-case host name with '#' in place of whole numbers", pattern_is_valid,
	PROFILE_NAME_LIMIT};
const struct text_kind text_interface = {"the name of a network interface", is_interface,
					 PROFILE_STRING_LIMIT};
const struct text_kind text_address = {"an address in its canonical form", is_address,
				       PROFILE_STRING_LIMIT};
const struct text_kind text_prefix = {
	"a prefix in its canonical form, such as 192.0.2.7/32 or 2001:db8::/32", is_prefix,
	PROFILE_STRING_LIMIT};
