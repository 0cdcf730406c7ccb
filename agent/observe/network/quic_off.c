/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "observe/network/hello.h"

/* Built in the place of quic.c where there is no library to decrypt with. */

int quic_server_name(const uint8_t *bytes, size_t size, char ret_name[NAME_SIZE])
{
	(void)bytes;
	(void)size;
	(void)ret_name;
	return -EOPNOTSUPP;
}

bool quic_is_initial(const uint8_t *bytes, size_t size)
{
	(void)bytes;
	(void)size;
	return false;
}
