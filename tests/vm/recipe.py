# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guest consists of. Any change here, or in guest/, makes a new guest."""
import hashlib
import pathlib

GUEST = pathlib.Path(__file__).resolve().parent / "guest"

ARCHIVE = "http://deb.debian.org/debian"  # mmdebstrap's own choice, with updates and security; asked whether it is there
SUITE = "bookworm"
IMAGE_SIZE = "1200M"

PACKAGES = [
    # the system
    "systemd", "systemd-sysv", "dbus", "udev", "kmod", "procps", "openssh-server", "sudo",
    # networks
    "iproute2", "iptables", "ebtables", "nftables", "ipset", "ethtool", "conntrack", "iputils-ping", "netcat-openbsd",
    "tcpdump", "dnsmasq-base",
    # interpreters and multi-call binaries; busybox is the initial RAM disk's too, so it is the static one
    "busybox-static", "perl-base", "python3", "mawk",
    # what rtguard is linked with
    "libjansson4", "libpcap0.8", "libproc2-0", "libnl-3-200", "libnl-route-3-200", "libnl-nf-3-200", "libpsl5",
    "libseccomp2", "libsodium23", "libnettle8", "libip4tc2", "libip6tc2", "libxtables12", "libipset13",
    "libnftables1",
    # what it is compared with
    "fapolicyd",
]

EXCLUDE = ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"]

# kernel modules before the root disk is there, and those loaded at boot
INITRD_MODULES = ["virtio_pci", "virtio_blk", "ext4"]
MODULES = ["virtio_console", "virtio_rng"]

# extra packages do not start by themselves: an enabled fapolicyd would deny the test itself
DISABLED_SERVICES = ["fapolicyd", "ssh", "dnsmasq", "nftables"]

# units that only cost time
MASKED_UNITS = [
    "getty.target", "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "systemd-tmpfiles-clean.timer", "systemd-random-seed.service",
    "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service", "systemd-user-sessions.service",
    "systemd-journal-flush.service", "systemd-pstore.service", "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount", "dev-hugepages.mount", "dev-mqueue.mount", "modprobe@configfs.service",
    "modprobe@drm.service", "modprobe@fuse.service", "modprobe@efi_pstore.service", "modprobe@loop.service",
    "modprobe@dm_mod.service",
]
MASKED_GENERATORS = ["getty", "gpt-auto", "hibernate-resume", "rc-local", "run", "system-update", "veritysetup",
                     "cryptsetup", "integritysetup"]

FILES = {
    "/etc/hostname": "guest\n",
    "/etc/hosts": "127.0.0.1 localhost guest\n",
    "/etc/fstab": "",
    "/etc/machine-id": "0123456789abcdef0123456789abcdef\n",  # or systemd takes every boot for the first
    "/etc/modules-load.d/vmtest.conf": "".join(name + "\n" for name in MODULES),
    "/etc/systemd/journald.conf.d/vmtest.conf": "[Journal]\nStorage=volatile\nRateLimitBurst=0\n",
    "/etc/systemd/system.conf.d/vmtest.conf":
        "[Manager]\nDefaultTimeoutStartSec=60s\nDefaultTimeoutStopSec=10s\nShowStatus=no\n",
    # nothing to update at boot (systemd's ConditionNeedsUpdate=)
    "/etc/.updated": "",
    "/var/.updated": "",
}

INSTALLED = {  # from guest/: (place, mode)
    "vmtest": ("/usr/local/sbin/vmtest", 0o755),
    "vmtest.service": ("/etc/systemd/system/vmtest.service", 0o644),
    "vmtest.target": ("/etc/systemd/system/vmtest.target", 0o644),
}


def digest_of(*paths):
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.name} {path.stat().st_size}\n".encode() + path.read_bytes())
    return total.hexdigest()[:16]


def digest():
    """Names the guest that this recipe makes."""
    here = pathlib.Path(__file__).resolve().parent
    return digest_of(here / "recipe.py", here / "build.py", *sorted(GUEST.iterdir()))
