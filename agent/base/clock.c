/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

#define DURATION_LIMIT_NS (UINT64_C(3650) * 86400 * NS_PER_S)

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) < 0)
		return 0;
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_boottime_ns(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

uint64_t clock_realtime_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

void clock_format(uint64_t realtime_ns, char text[CLOCK_TEXT_SIZE])
{
	time_t seconds = (time_t)(realtime_ns / NS_PER_S);
	struct tm parts;

	if (!gmtime_r(&seconds, &parts) ||
	    strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		(void)snprintf(text, CLOCK_TEXT_SIZE, "unknown");
}

int clock_parse(const char *text, uint64_t *ret_realtime_ns)
{
	struct tm parts = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts);
	time_t seconds;

	if (!end || *end)
		return -EINVAL;
	seconds = timegm(&parts);
	if (seconds < 0)
		return -EINVAL;
	*ret_realtime_ns = (uint64_t)seconds * NS_PER_S;
	return 0;
}

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{"ms", NS_PER_MS},	{"s", NS_PER_S},	 {"m", 60 * NS_PER_S},
	{"h", 3600 * NS_PER_S}, {"d", 86400 * NS_PER_S},
};

int duration_parse(const char *text, uint64_t *ret_ns)
{
	uint64_t total = 0;

	if (!*text)
		return -EINVAL;
	while (*text) {
		uint64_t number = 0;
		uint64_t unit = NS_PER_S;
		size_t length = 0;

		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		for (; isdigit((unsigned char)*text); text++) {
			number = number * 10 + (uint64_t)(*text - '0');
			if (number > DURATION_LIMIT_NS / NS_PER_MS)
				return -ERANGE;
		}
		while (isalpha((unsigned char)text[length]))
			length++;
		if (length > 0) {
			unit = 0;
			for (size_t i = 0; i < array_length(units); i++)
				if (strlen(units[i].name) == length &&
				    strncmp(units[i].name, text, length) == 0)
					unit = units[i].ns;
			if (!unit)
				return -EINVAL;
		}
		text += length;
		if (number > DURATION_LIMIT_NS / unit || total > DURATION_LIMIT_NS - number * unit)
			return -ERANGE;
		total += number * unit;
	}
	*ret_ns = total;
	return 0;
}

void duration_format(uint64_t duration_ns, char text[DURATION_TEXT_SIZE])
{
	uint64_t s = duration_ns / NS_PER_S;
	uint64_t days = s / 86400;
	uint64_t hours = s / 3600 % 24;

	if (days)
		(void)snprintf(text, DURATION_TEXT_SIZE,
			       "%" PRIu64 "d %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64, days, hours,
			       s / 60 % 60, s % 60);
	else if (hours)
		(void)snprintf(text, DURATION_TEXT_SIZE, "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
			       hours, s / 60 % 60, s % 60);
	else
		(void)snprintf(text, DURATION_TEXT_SIZE, "%02" PRIu64 ":%02" PRIu64, s / 60,
			       s % 60);
}
