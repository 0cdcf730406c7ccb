/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "base/hostname.h"
#include "observe/network/hello.h"
#include "observe/network/quic_frames.h"

static void require_result(int error, const char *name)
{
	if (error == 0)
		fuzz_require(hostname_is_valid(name));
	else
		fuzz_require(error == -EAGAIN || error == -ENOMSG || error == -EBADMSG ||
			     error == -EOPNOTSUPP);
}

/* What stands inside a QUIC packet, which no mutation of the sealed packet reaches. */
static void fuzz_quic_frames(const uint8_t *bytes, size_t size)
{
	char name[NAME_SIZE] = "";
	struct quic_stream stream;
	int error;

	memset(&stream, 0, sizeof(stream));
	error = quic_frames_collect(bytes, size, &stream);
	fuzz_require(error == 0 || error == -EBADMSG);
	if (error == 0)
		require_result(quic_stream_name(&stream, name), name);
}

/* The same bytes as a TCP stream, as a bare hello, as a UDP payload and as QUIC frames. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char name[NAME_SIZE] = "";

	require_result(tls_server_name(bytes, size, name), name);
	require_result(tls_client_hello_name(bytes, size, name), name);
	require_result(quic_server_name(bytes, size, name), name);
	fuzz_quic_frames(bytes, size);
	return 0;
}
