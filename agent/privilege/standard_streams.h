/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PRIVILEGE_STANDARD_STREAMS_H
#define PRIVILEGE_STANDARD_STREAMS_H

/* Standard input, output and error lead to /dev/null. Where a sanitizer has to report, standard
 * error stays (standard_streams_sanitized.c). Returns 0 or negative errno. */
int standard_streams_detach(void);

#endif
