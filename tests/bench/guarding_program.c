/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The least that can be executed. */
int main(void)
{
	return 0;
}
