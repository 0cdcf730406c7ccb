# SPDX-License-Identifier: GPL-2.0-or-later
"""rtguard doctor: what it says of this kernel, and of configurations."""
import json
import os
import subprocess

from harness import RTGUARD, Case, main, rtguard

SMALL = """\
# Linux/arm 5.10.110 Kernel Configuration
CONFIG_FANOTIFY=y
# CONFIG_FANOTIFY_ACCESS_PERMISSIONS is not set
CONFIG_SYSCTL=y
CONFIG_CONNECTOR=y
CONFIG_PROC_EVENTS=y
"""


class Doctor(Case):
    def judge(self, text, *options):
        path = self.dir / "config"
        path.write_text(text)
        done = rtguard("doctor", "--json", "--kernel-config", path, *options)
        return done.returncode, {row["name"]: row for row in json.loads(done.stdout)["capabilities"]}, \
            {row["name"]: row for row in json.loads(done.stdout)["layers"]}

    def test_a_configuration_is_judged(self):
        code, capabilities, layers = self.judge(SMALL)
        self.assertEqual(code, 1)
        self.assertEqual(capabilities["fanotify-permission"]["state"], "missing")
        self.assertIn("CONFIG_FANOTIFY_ACCESS_PERMISSIONS", capabilities["fanotify-permission"]["remedy"])
        self.assertEqual(capabilities["process-connector"]["state"], "on")
        self.assertIsNone(capabilities["process-connector"]["remedy"])
        self.assertFalse(layers["before a program starts"]["on"])
        self.assertEqual(layers["before a program starts"]["lacks"], "fanotify-permission")
        self.assertTrue(layers["right after a program starts"]["on"])

    def test_another_release_is_judged_otherwise(self):
        _, capabilities, _ = self.judge(SMALL, "--release", "4.19.0-rt")
        self.assertEqual(capabilities["fanotify-filesystem"]["state"], "missing")
        _, capabilities, _ = self.judge(SMALL)
        self.assertEqual(capabilities["fanotify-filesystem"]["state"], "on")

    def test_a_kernel_without_gaps_has_exit_code_0(self):
        options = ["FANOTIFY", "FANOTIFY_ACCESS_PERMISSIONS", "CONNECTOR", "PROC_EVENTS", "CROSS_MEMORY_ATTACH",
                   "HAVE_ARCH_TRACEHOOK", "SYSCTL", "SECURITY_YAMA", "PROC_MEM_NO_FORCE"]
        code, capabilities, _ = self.judge("".join(f"CONFIG_{option}=y\n" for option in options), "--release", "6.12.9")
        self.assertEqual({row["state"] for row in capabilities.values()}, {"on", "unknown"})
        self.assertEqual(code, 0)

    def test_standard_input(self):
        done = subprocess.run([RTGUARD, "doctor", "--kernel-config", "-"], input=SMALL, capture_output=True, text=True,
                              timeout=20, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("standard input", done.stdout)
        self.assertIn("close: CONFIG_FANOTIFY=y and CONFIG_FANOTIFY_ACCESS_PERMISSIONS=y", done.stdout)

    def test_what_is_no_configuration_is_refused(self):
        for content, words in ((b"", ["CONFIG_"]), (b"\x1f\x8b\x08\0", ["zcat"]), (b"\0" * 4096, ["line 1"]),
                               (os.urandom(65536), ["line"]), (b"CONFIG_FANOTIFY=y\n", ["--release"])):
            path = self.dir / "config"
            path.write_bytes(content)
            self.assert_trouble(rtguard("doctor", "--kernel-config", path), path, *words)
        self.assert_trouble(rtguard("doctor", "--kernel-config", self.dir / "missing"), "No such file")
        self.assert_trouble(rtguard("doctor", "--kernel-config", self.dir), "directory")
        self.assert_trouble(rtguard("doctor", "--release", "6.1"), "--kernel-config")
        self.assert_trouble(rtguard("doctor", "profile.json"), "profile.json")

    def test_the_running_kernel(self):
        done = rtguard("doctor", "--json")
        self.assertIn(done.returncode, (0, 1), done.stderr)
        result = json.loads(done.stdout)
        self.assertIn(os.uname().release, result["kernel"])
        self.assertEqual(result["gaps"], sum(row["state"] != "on" for row in result["capabilities"]) +
                         (not result["connections"]["on"]))
        self.assertEqual(done.returncode, 1 if result["gaps"] else 0)
        for row in result["capabilities"]:
            self.assertEqual(row["remedy"] is None, row["state"] == "on", row)

    def test_settings_are_read_from_the_kernel(self):
        try:
            with open("/proc/sys/vm/memfd_noexec", encoding="ascii") as file:
                expected = "on" if int(file.read()) == 2 else "off"
        except FileNotFoundError:
            expected = "missing"
        states = {row["name"]: row["state"] for row in json.loads(rtguard("doctor", "--json").stdout)["capabilities"]}
        self.assertEqual(states["memfd-noexec"], expected)

    def test_connections_are_tried_beside_the_network(self):
        """In a namespace of its own: nothing of it is left here, nothing of here is touched."""
        if os.geteuid() != 0:
            self.skipTest("needs root for a network namespace")
        script = 'nft -s list ruleset; ipset list; cat /proc/net/ip_tables_names; cat /proc/net/netfilter/nfnetlink_queue'
        look = f"{script} >{self.dir}/before; {RTGUARD} doctor --json >{self.dir}/result; {script} >{self.dir}/after"
        subprocess.run(["unshare", "--net", "sh", "-c", look], check=False, timeout=60, stderr=subprocess.DEVNULL)
        self.assertEqual((self.dir / "before").read_text(), (self.dir / "after").read_text())
        connections = json.loads((self.dir / "result").read_text())["connections"]
        rows = {row["name"]: row for row in connections["rows"]}
        self.assertEqual(connections["on"], rows["held packets"]["good"] and rows["told packets"]["good"] and
                         (rows["nftables"]["good"] or rows["legacy iptables and ipset"]["good"]))
        self.assertTrue(all(row["says"] for row in rows.values()))

    def test_flowtables_are_told(self):
        if os.geteuid() != 0:
            self.skipTest("needs root for a network namespace")
        look = ("ip link set lo up; nft 'add table inet f; add flowtable inet f fast { hook ingress priority 0; "
                f"devices = {{ lo }}; }}' && {RTGUARD} doctor --json")
        done = subprocess.run(["unshare", "--net", "sh", "-c", look], capture_output=True, text=True, check=False, timeout=60)
        if not done.stdout:
            self.skipTest("nftables here has no flowtables: " + done.stderr)
        rows = {row["name"]: row for row in json.loads(done.stdout)["connections"]["rows"]}
        self.assertFalse(rows["flowtables"]["good"])
        self.assertIn("1 in nftables", rows["flowtables"]["says"])

    def test_without_privileges_it_says_so(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to become somebody else")
        done = rtguard("doctor", "--json", user=65534)
        self.assertEqual(done.returncode, 1, done.stderr)
        states = {row["name"]: row["state"] for row in json.loads(done.stdout)["capabilities"]}
        self.assertEqual(states["fanotify-permission"], "unknown")
        self.assertIn(states["process-connector"], ("unknown", "on"))  # from Linux 6.6 on anybody may listen


main()
