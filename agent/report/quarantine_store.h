/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_QUARANTINE_STORE_H
#define REPORT_QUARANTINE_STORE_H

#include <stdint.h>

#include "report/finding.h"

/* Within report/ only: the directory, in the worker's hand. */
struct quarantine_store {
	int directory;
	uint64_t file_limit;
	uint64_t total_limit;
	uint64_t total;
	uint64_t count;
};

enum quarantine_result {
	QUARANTINE_KEPT,
	QUARANTINE_KNOWN,
	QUARANTINE_REFUSED,
	QUARANTINE_FAILED,
	QUARANTINE_RESULT_COUNT,
};

/* Counts what is there, and removes what was not finished. directory: taken over by the store.
 * Returns 0 or negative errno. */
int quarantine_store_open(struct quarantine_store *store, int directory);

enum quarantine_result quarantine_store_keep(struct quarantine_store *store, uint64_t event_id,
					     const struct finding *finding, int fd);

#endif
