/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BENCH_COPIES_H
#define BENCH_COPIES_H

/* Many distinct programs out of one: for the benchmarks of what is seen of short-lived things. */

double now_s(void);
void sleep_s(double seconds);

/* Copies the running program COUNT times as DIRECTORY/p00000 and so on, each with other content.
 * Returns 0 or -1 with a message printed. */
int copies_make(const char *directory, int count);

/* Starts each copy once at the given rate; arguments(context, i, texts) fills in up to four
 * arguments of copy i. Returns the seconds that starting took, or a negative number with a message
 * printed. */
double copies_start(const char *directory, int count, double per_second,
		    void (*arguments)(void *context, int i, char texts[4][64]), void *context);

#endif
