/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The allowed library. */
int victim_value(void);

/* room for another's code: an attacker may put a library of the same size in its place */
__attribute__((used)) static const char room[48 * 1024] = "allowed";

int victim_value(void)
{
	return 0;
}
