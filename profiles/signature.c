/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/signature.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "profiles/key_file.h"
#include "profiles/profile_json.h"

#define ALGORITHM   "ed25519"
#define BASE64_SIZE sodium_base64_ENCODED_LEN(SIGNATURE_SIZE, sodium_base64_VARIANT_ORIGINAL)

/* No other thing that is ever signed with such a key begins like this. */
#define MESSAGE_HEADER "rtguard-profile-signature/1\n"

/* What is signed: what the signature says, line by line, and then device and policy. */
static int build_message(struct profile *profile, const struct signature_info *info,
			 struct text *message, struct error *error)
{
	_cleanup_(freep) char *content = NULL;
	int result = profile_signed_bytes(profile, &content, error);

	if (result < 0)
		return result;
	text_printf(message,
		    MESSAGE_HEADER "version %" PRIu64 "\nback_from %" PRIu64 "\nkey_id %s\n",
		    info->version, info->back_from, info->key_id);
	text_append(message, content);
	return message->broken ? error_set(error, ENOMEM, "out of memory") : 0;
}

int profile_sign(struct profile *profile, const struct signing_key *key, uint64_t version,
		 uint64_t back_from, struct error *error)
{
	struct signature_info info = {.version = version, .back_from = back_from};
	_cleanup_(text_free) struct text message = {0};
	uint8_t signature[SIGNATURE_SIZE];
	char value[BASE64_SIZE];
	json_t *object;
	int result;

	if (version == 0 || version > VERSION_LIMIT || back_from > VERSION_LIMIT)
		return error_set(error, EINVAL, "a version is a number from 1 to %" PRIu64,
				 VERSION_LIMIT);
	if (back_from && back_from <= version)
		return error_set(error, EINVAL,
				 "version %" PRIu64 " follows %" PRIu64
				 " anyway: only a later version is one to go back from",
				 version, back_from);
	memcpy(info.key_id, signing_key_id(key), KEY_ID_SIZE);
	result = build_message(profile, &info, &message, error);
	if (result < 0)
		return result;
	signing_key_sign(key, message.bytes, message.length, signature);
	(void)sodium_bin2base64(value, sizeof(value), signature, sizeof(signature),
				sodium_base64_VARIANT_ORIGINAL);
	object = json_pack("{s:s, s:s, s:I, s:I, s:s}", "algorithm", ALGORITHM, "key_id",
			   info.key_id, "version", (json_int_t)version, "back_from",
			   (json_int_t)back_from, "value", value);
	if (!object)
		return error_set(error, ENOMEM, "out of memory");
	json_decref(profile->signature);
	profile->signature = object;
	return 0;
}

static bool read_number(const json_t *object, const char *key, uint64_t lowest,
			uint64_t *ret_number)
{
	const json_t *value = json_object_get(object, key);
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || (uint64_t)number < lowest ||
	    (uint64_t)number > VERSION_LIMIT)
		return false;
	*ret_number = (uint64_t)number;
	return true;
}

static bool read_key_id(const json_t *object, char ret_id[KEY_ID_SIZE])
{
	const char *id = json_string_value(json_object_get(object, "key_id"));

	if (!id || strlen(id) != KEY_ID_SIZE - 1 ||
	    strspn(id, "0123456789abcdef") != KEY_ID_SIZE - 1)
		return false;
	memcpy(ret_id, id, KEY_ID_SIZE);
	return true;
}

static bool read_value(const json_t *object, uint8_t ret_signature[SIGNATURE_SIZE])
{
	const char *value = json_string_value(json_object_get(object, "value"));
	size_t size;

	return value && strlen(value) == BASE64_SIZE - 1 &&
	       sodium_base642bin(ret_signature, SIGNATURE_SIZE, value, strlen(value), NULL, &size,
				 NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       size == SIGNATURE_SIZE;
}

static int none(struct error *error, const char *key, const char *expected)
{
	return error_set(error, EBADMSG, "/signature/%s: expected %s; sign the profile again", key,
			 expected);
}

/* A signature of five keys: one more would be something that this program does not understand and
 * that nobody signed. */
static int read_object(const struct profile *profile, struct signature_info *info,
		       uint8_t signature[SIGNATURE_SIZE], struct error *error)
{
	static const char *const keys[] = {"algorithm", "key_id", "version", "back_from", "value"};
	json_t *object = profile->signature;
	const char *algorithm = json_string_value(json_object_get(object, "algorithm"));

	if (!object || json_is_null(object))
		return error_set(error, ENOKEY, "not signed");
	if (!algorithm || strcmp(algorithm, ALGORITHM) != 0)
		return none(error, "algorithm", "\"" ALGORITHM "\"");
	if (!read_key_id(object, info->key_id))
		return none(error, "key_id", "16 lower-case hexadecimal digits");
	if (!read_number(object, "version", 1, &info->version))
		return none(error, "version", "a number from 1 to 2^53 - 1");
	if (!read_number(object, "back_from", 0, &info->back_from))
		return none(error, "back_from", "a number from 0 to 2^53 - 1");
	if (!read_value(object, signature))
		return none(error, "value", "64 bytes in base64");
	if (json_object_size(object) != array_length(keys))
		return error_set(error, EBADMSG,
				 "/signature: has keys that no signature has; sign "
				 "the profile again");
	return 0;
}

int signature_read(const struct profile *profile, struct signature_info *ret_info,
		   struct error *error)
{
	uint8_t signature[SIGNATURE_SIZE];
	struct signature_info info;
	int result = read_object(profile, &info, signature, error);

	if (result == 0)
		*ret_info = info;
	return result;
}

int profile_verify(struct profile *profile, const struct verifying_keys *keys,
		   struct signature_info *ret_info, struct error *error)
{
	_cleanup_(text_free) struct text message = {0};
	uint8_t signature[SIGNATURE_SIZE];
	struct signature_info info;
	int result = read_object(profile, &info, signature, error);

	if (result == 0)
		result = build_message(profile, &info, &message, error);
	if (result < 0)
		return result;
	result = verifying_keys_check(keys, info.key_id, message.bytes, message.length, signature);
	if (result == -ENOKEY)
		return error_set(error, ENOKEY, "signed with key %s, which is not trusted here",
				 info.key_id);
	if (result < 0)
		return error_set(error, EKEYREJECTED,
				 "the signature with key %s does not hold: what it covers was "
				 "changed after it was signed",
				 info.key_id);
	*ret_info = info;
	return 0;
}

int signature_check_version(const struct signature_info *info, uint64_t held, struct error *error)
{
	if (info->version >= held || info->back_from >= held)
		return 0;
	return error_set(error, ESTALE,
			 "version %" PRIu64 " is older than version %" PRIu64
			 ", which was in force here: take a newer one, or sign this one again with "
			 "--version %" PRIu64 " --back-from %" PRIu64,
			 info->version, held, info->version, held);
}
