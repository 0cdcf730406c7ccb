/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_PROFILE_H
#define PROFILES_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"

/*
 * The behaviour profile in memory. docs/profile-format.md is the public description, schema/ the
 * machine-readable one; this is the same in C. Everything hangs on the profile and is freed with
 * it. Strings are UTF-8 and heap-allocated. NULL strings are JSON null: not known.
 */

#define PROFILE_FORMAT_NAME  "rtguard-profile/"
#define PROFILE_FORMAT	     PROFILE_FORMAT_NAME "1"
#define PROFILE_SIZE_LIMIT   (64u * 1024 * 1024) /* bytes of a file */
#define PROFILE_ENTRY_LIMIT  100000u		 /* entries of one array */
#define PROFILE_VALUE_LIMIT  4000000u		 /* JSON values in all */
#define PROFILE_STRING_LIMIT 4096u		 /* bytes of a path or an argument */
#define PROFILE_NAME_LIMIT   253u		 /* RFC 1035 section 2.3.4, in text */

enum profile_phase { PHASE_BOOT = 1, PHASE_STEADY = 2, PHASE_BOTH = 3 };

struct string_list {
	char **items;
	size_t count;
	size_t capacity;
};

struct profile_program {
	char *path;
	char *sha256; /* 64 lower-case digits, or NULL: could not be read */
	enum profile_phase phase;
	struct string_list users;
	struct string_list parents;
	bool any_arguments;
	struct string_list *arguments; /* one vector an item; empty and !any_arguments: not known */
	size_t argument_count;
	size_t argument_capacity;
	/* Pinned programs: which files that are no code they may open. A path, or a directory with
	 * its final slash: the files right in it. */
	bool knows_reads; /* false: the profile does not say, and any is permitted */
	struct string_list reads;
};

struct profile_script {
	char *path;
	char *sha256;
	char *interpreter;
};

struct profile_library {
	char *path;
	char *sha256;
};

struct profile_listener {
	uint8_t protocol; /* IPPROTO_* */
	bool any_address;
	bool loopback; /* any loopback address; else address counts */
	struct ip_address address;
	bool ipv4;
	bool ipv6;
	uint16_t port;
	char *program;
};

enum profile_peer_kind {
	PEER_HOST,    /* this name */
	PEER_DOMAIN,  /* the name itself and any host below it */
	PEER_PATTERN, /* a host name in which '#' stands for a number; see docs/profile-format.md */
	PEER_ROLE,
	PEER_ADDRESS, /* a prefix */
};

enum profile_role {
	ROLE_RESOLVER,
	ROLE_GATEWAY,
	ROLE_DHCP_SERVER,
	ROLE_LAN,
	ROLE_MULTICAST,
	ROLE_BROADCAST,
	ROLE_INTERNET, /* any public address: only where learning showed a class to be open */
};

/* Which remote ports an entry covers; port.h has the rule. */
enum profile_port_kind {
	PORT_NUMBER,
	PORT_ANY,
	PORT_HIGH,	/* 1024 and above; for TCP without the ports of well-known services */
	PORT_EPHEMERAL, /* 32768 and above: where clients open their sockets */
	PORT_SAME,	/* the same as the local port, 1024 and above */
};

struct profile_connection {
	uint8_t protocol; /* IPPROTO_* */
	enum profile_peer_kind peer_kind;
	enum profile_role role;	   /* PEER_ROLE */
	char *name;		   /* PEER_HOST, PEER_DOMAIN, PEER_PATTERN */
	struct ip_address address; /* PEER_ADDRESS */
	unsigned int prefix_length;
	enum profile_port_kind port_kind;
	uint16_t port;	     /* PORT_NUMBER, for protocols with ports */
	uint16_t local_port; /* 0: any; else the flow must leave from this one */
	uint8_t icmp_type;   /* ICMP, ICMPv6 */
	char *program;
};

struct profile_network {
	struct profile_listener *listeners;
	size_t listener_count;
	size_t listener_capacity;
	struct profile_connection *connections;
	size_t connection_count;
	size_t connection_capacity;
	struct string_list names; /* what may be resolved */
};

struct profile_device {
	struct mac_address mac;
	char *name;
	struct string_list addresses;
	struct profile_network network;
	uint64_t upload_kbit; /* 0: not limited */
	bool isolated;
};

struct profile {
	/* device */
	char *device_name;
	char *model;
	char *architecture;
	char *operating_system;
	char *kernel;
	struct mac_address device_mac; /* learnt from recordings of this station; zero: this host */

	/* policy */
	struct profile_program *programs;
	size_t program_count;
	size_t program_capacity;
	struct profile_script *scripts;
	size_t script_count;
	size_t script_capacity;
	struct profile_library *libraries;
	size_t library_count;
	size_t library_capacity;
	struct profile_network network; /* of this host */
	struct string_list bridge_lan;
	char *bridge_wan;
	struct profile_device *devices;
	size_t device_count;
	size_t device_capacity;

	/* evidence and signature are carried as they are: jansson objects, owned; NULL: absent */
	struct json_t *evidence;
	struct json_t *signature;
};

struct profile *profile_new(void); /* NULL when memory is out */
void profile_free(struct profile *profile);
void profile_freep(struct profile **profile); /* for _cleanup_() */

/* Each adds one zeroed item and returns it for filling in; NULL when memory is out. The pointer is
 * valid until the next add to the same array. */
struct profile_program *profile_add_program(struct profile *profile);
struct profile_script *profile_add_script(struct profile *profile);
struct profile_library *profile_add_library(struct profile *profile);
struct profile_device *profile_add_device(struct profile *profile);
struct profile_listener *network_add_listener(struct profile_network *network);
struct profile_connection *network_add_connection(struct profile_network *network);
struct string_list *program_add_arguments(struct profile_program *program);

/* Copies the string. 0 or -ENOMEM. */
int string_list_add(struct string_list *list, const char *string);
bool string_list_contains(const struct string_list *list, const char *string);
void string_list_free(struct string_list *list);

/* Sorts every array into canonical order. Of entries with one identity (docs/profile-format.md) one
 * stays, with all that was known of any of them. */
void profile_canonicalise(struct profile *profile);

/* Names as the file has them: "tcp", "udp-lite", "icmpv6", or a number for other protocols. */
#define PROTOCOL_TEXT_SIZE 16
void protocol_format(uint8_t protocol, char text[PROTOCOL_TEXT_SIZE]);
int protocol_parse(const char *text, uint8_t *ret_protocol);
bool protocol_has_ports(uint8_t protocol);
bool protocol_has_types(uint8_t protocol); /* ICMP and ICMPv6 */

/* Names of the other words in the file; NULL for a value that is none. Parsing: 0 or -EINVAL. */
const char *role_name(enum profile_role role);
int role_parse(const char *text, enum profile_role *ret_role);
const char *phase_name(enum profile_phase phase);
int phase_parse(const char *text, enum profile_phase *ret_phase);
const char *peer_kind_name(enum profile_peer_kind kind);
const char *port_kind_name(enum profile_port_kind kind); /* NULL for PORT_NUMBER */
int port_kind_parse(const char *text, enum profile_port_kind *ret_kind);

/* "any", "loopback" or the address. */
void listener_address_format(const struct profile_listener *listener, char text[IP_TEXT_SIZE]);

/* "443", "any", "high from 10240" (the local port), "type 8", or "-" for a protocol that has
 * neither. */
#define PORT_TEXT_SIZE 24
void connection_port_format(const struct profile_connection *connection, char text[PORT_TEXT_SIZE]);

/* One entry as one line, stable, readable and different for every entry of a station;
 * evidence.entries is keyed by it, findings and diffs name entries with it: "program
 * /usr/sbin/chronyd 9f3c…", "listener tcp any 22 /usr/sbin/sshd", "udp host 0.pool.ntp.org 123
 * /usr/sbin/chronyd"; "-" stands for what is not known. To be freed by the caller; NULL when memory
 * is out. */
char *program_label(const struct profile_program *program);
char *listener_label(const struct profile_listener *listener);
char *connection_label(const struct profile_connection *connection);

/* "host example.net", "role gateway", …: the peer alone, for tables. NULL when memory is out. */
char *peer_label(const struct profile_connection *connection);

#endif
