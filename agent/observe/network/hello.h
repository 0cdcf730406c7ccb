/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_HELLO_H
#define OBSERVE_NETWORK_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/observation.h"

/*
 * The server name in the first bytes that a client sends, where it is in the clear: the server_name
 * extension of a TLS ClientHello (RFC 8446 section 4.1.2, RFC 6066 section 3) and the same inside a
 * QUIC Initial, whose key anyone on the path can compute (RFC 9001 section 5.2, RFC 9369).
 *
 * All return 0 with a lower-case valid host name, -EAGAIN when the bytes so far are a beginning
 * that more bytes may complete, -ENOMSG when there is no name to be had (no such message, no such
 * extension, an IP address or other text that is no host name, encrypted), -EBADMSG when malformed.
 * A name that has arrived is returned even where the rest of the hello has not.
 *
 * With Encrypted Client Hello the real name is sealed; what is returned then is the outer one, the
 * public name of the server that unseals it. That is whom the client speaks to as far as anybody on
 * the path can tell.
 */

/* A larger hello counts as one without a name: no client needs it. */
#define CLIENT_HELLO_MAX 16384

/* bytes: the TCP stream from its first byte on. The ClientHello may span records. */
int tls_server_name(const uint8_t *bytes, size_t size, char ret_name[NAME_SIZE]);

/* A ClientHello handshake message without record layer, as QUIC carries it. */
int tls_client_hello_name(const uint8_t *bytes, size_t size, char ret_name[NAME_SIZE]);

/* bytes: one UDP payload. Only names that fit in this one datagram's CRYPTO frames are found,
 * there is no -EAGAIN. Only a client's first flight can be read: what comes later has another key.
 * -EOPNOTSUPP when built without nettle. */
int quic_server_name(const uint8_t *bytes, size_t size, char ret_name[NAME_SIZE]);

/* Whether a payload starts with the long header of a QUIC Initial of a version this code knows: 1,
 * 2, and the drafts 29 to 34. Without nettle it knows none. */
bool quic_is_initial(const uint8_t *bytes, size_t size);

#endif
