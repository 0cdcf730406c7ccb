/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that does nothing, and is known. */
int main(void)
{
	return 0;
}
