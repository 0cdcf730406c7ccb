/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_ATTENTION_H
#define OBSERVE_HOST_ATTENTION_H

/*
 * What a program was given stands in /proc for as long as it lives, which may be a millisecond, and
 * notifications make nobody wait. So whoever reads them runs at once when they come, before
 * ordinary processes (SCHED_RR, see sched(7)), and lowers itself for work that takes longer. Of the
 * calling thread; children have the ordinary priority. Where it is not allowed nothing happens.
 */
void attention_raise(void);
void attention_lower(void);

#endif
