/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_LABEL_H
#define OBSERVE_HOST_LABEL_H

#include <stddef.h>

#include "program/file_key.h"

/* What a file was called and which it was: shared by many processes, counted, never changed. */
struct label {
	size_t references;
	struct file_key file; /* all zero: unknown */
	char text[];
};

/* A label with one reference, or NULL when memory is out. file may be NULL. */
struct label *label_new(const char *text, const struct file_key *file);

/* Both accept NULL. label_reference() returns its argument. */
struct label *label_reference(struct label *label);
void label_release(struct label *label);

/* Puts a new reference to label in *place and releases what was there. */
void label_assign(struct label **place, struct label *label);

const char *label_text(const struct label *label); /* NULL for NULL */

#endif
