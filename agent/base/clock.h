/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

/* Nanoseconds since an arbitrary point; never steps. For intervals. */
uint64_t clock_monotonic_ns(void);

/* Nanoseconds since boot, suspended time included. For the phase of a program. */
uint64_t clock_boottime_ns(void);

/* Nanoseconds since 1970 (UTC). May step in both directions. For evidence only. */
uint64_t clock_realtime_ns(void);

/* "2026-11-20T17:33:05Z" */
#define CLOCK_TEXT_SIZE 32
void clock_format(uint64_t realtime_ns, char text[CLOCK_TEXT_SIZE]);

/* The inverse of clock_format. Returns 0 or -EINVAL. */
int clock_parse(const char *text, uint64_t *ret_realtime_ns);

/* "90", "90s", "5m", "24h", "7d", "500ms", "1h30m". Returns 0, -EINVAL or -ERANGE (over 10 years).
 */
int duration_parse(const char *text, uint64_t *ret_ns);

/* "1d 02:03:04", "02:03:04" or "03:04" */
#define DURATION_TEXT_SIZE 32
void duration_format(uint64_t duration_ns, char text[DURATION_TEXT_SIZE]);

#endif
