/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_TEXT_KINDS_H
#define PROFILES_TEXT_KINDS_H

#include "profiles/value.h"

/* Within profiles/ only: what the strings of a profile may be. */
extern const struct text_kind text_words;     /* anything printable */
extern const struct text_kind text_argument;  /* anything at all */
extern const struct text_kind text_path;      /* absolute */
extern const struct text_kind text_place;     /* absolute, not the root; a directory ends in '/' */
extern const struct text_kind text_sha256;    /* 64 lower-case digits */
extern const struct text_kind text_host_name; /* base/hostname.h */
extern const struct text_kind text_name_pattern; /* match.h */
extern const struct text_kind text_interface;	 /* netdevice(7) */
extern const struct text_kind text_address;	 /* IPv4 or IPv6, canonical */
extern const struct text_kind text_prefix;	 /* with its length, canonical */

#endif
