/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_SERVICE_MANAGER_H
#define DAEMON_SERVICE_MANAGER_H

/* Says "READY=1", "STOPPING=1", "STATUS=…", "WATCHDOG=1" to the service manager that started us, if
 * one did: the protocol of sd_notify(3), which is one datagram; libsystemd is 800 KiB. Never waits.
 */
void service_manager_tell(const char *state);

#endif
