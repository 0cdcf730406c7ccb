/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_SIGNATURE_H
#define PROFILES_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "profiles/profile.h"

/*
 * Ed25519 signatures (RFC 8032, by libsodium) over the canonical bytes of device and policy and
 * over what the signature itself says: its version, which only grows, and from which later version
 * it allows to go back. docs/signing.md has the exact bytes.
 */
struct signing_key;    /* secret; its memory is locked and wiped */
struct verifying_keys; /* those that are trusted here */

#define KEY_ID_SIZE   17 /* 16 hexadecimal digits */
#define TRUSTED_KEYS  "/etc/rtguard/keys"
#define VERSION_LIMIT ((UINT64_C(1) << 53) - 1) /* what every reader of JSON keeps exact */

/* Makes a pair: NAME.key (mode 0600) and NAME.pub. -EEXIST: refuses to replace files. */
int signing_key_generate(const char *name, char ret_id[KEY_ID_SIZE], struct error *error);

/* -EBADMSG: not such a key; -EPERM: others may read the file. */
int signing_key_load(const char *path, struct signing_key **ret_key, struct error *error);
void signing_key_free(struct signing_key *key);

/* Each path a .pub file or a directory of them; none: an empty set. -ENOKEY: a directory without
 * any; -EBADMSG: not a key; -EPERM: others than its owner may write there; -EEXIST: two files hold
 * one key. */
int verifying_keys_load(const char *const *paths, size_t count, struct verifying_keys **ret_keys,
			struct error *error);
void verifying_keys_free(struct verifying_keys *keys);

/* Sets profile->signature. back_from: this profile may replace one of up to that version though its
 * own is lower; 0: it may not. -EINVAL: a version that is none, or nothing to go back from. */
int profile_sign(struct profile *profile, const struct signing_key *key, uint64_t version,
		 uint64_t back_from, struct error *error);

struct signature_info {
	uint64_t version;
	uint64_t back_from;
	char key_id[KEY_ID_SIZE];
};

/* What the signature says of itself, without looking whether it holds. -ENOKEY: not signed;
 * -EBADMSG: it is none. */
int signature_read(const struct profile *profile, struct signature_info *ret_info,
		   struct error *error);

/* -ENOKEY: not signed, or by nobody trusted; -EKEYREJECTED: the signature does not hold; -EBADMSG:
 * it is none. */
int profile_verify(struct profile *profile, const struct verifying_keys *keys,
		   struct signature_info *ret_info, struct error *error);

/* Whether a profile of that version may take the place of one of version held (0: none was):
 * -ESTALE with the remedy. */
int signature_check_version(const struct signature_info *info, uint64_t held, struct error *error);

#endif
