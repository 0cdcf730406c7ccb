#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What rtguard answers when something fails, in namespaces: those rows of docs/enforcing.md, "When things fail", that
test_enforce.py and tests/deadlock do not try."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import enforced
import harness
from enforced import profile_of
from harness import rtguard, wait_until
from test_enforce import EnforceCase

harness.need_root()
harness.need_tools("unshare", "nsenter", "setpriv", "ldd", "ip")

WITHOUT = os.environ.get("WITHOUT", str(harness.HERE / "../../build/tests/integration/without"))
ENDS_AT = os.environ.get("ENDS_AT", str(harness.HERE / "../../build/tests/integration/libends_at.so"))
FAN_UNLIMITED_QUEUE = 0x10
GIB = 1 << 30


class FailureCase(EnforceCase):
    def guard_restarts(self, place):
        return {worker["name"]: worker for worker in place.status()["workers"]}["guard"]["restarts"]

    def kinds_of(self, place, path):
        return {finding["kind"] for finding in place.findings() if finding["path"] == str(path)}

    def assert_found(self, place, path, kind):
        self.assertTrue(wait_until(lambda: self.kinds_of(place, path)), f"no finding: {place.findings()}")
        self.assertEqual(self.kinds_of(place, path), {kind})

    def huge(self, place, size):
        path = self.intruder(place, "/mnt/huge")
        os.truncate(f"/proc/{place.inside}/root{path}", size)
        return path


class Guard(FailureCase):
    def test_content_that_ends_guards_is_denied_unseen(self):
        place = self.place(rtguard_before=("env", f"LD_PRELOAD={ENDS_AT}"))
        path = "/mnt/poison"
        place.write(path, pathlib.Path(shutil.which("touch")).read_bytes() + b"this content ends whoever reads it")
        self.assert_stopped(place, path)
        self.assertEqual(self.guard_restarts(place), 3)
        self.assertEqual(place.run("true").returncode, 0)
        self.assert_stopped(place, self.intruder(place))
        self.assertEqual(self.guard_restarts(place), 3)
        self.assert_found(place, path, "file-unreadable")

    def test_the_queue_has_no_limit(self):
        for options in ((), ("--audit",)):
            (self.dir / "state").mkdir(exist_ok=True)
            place = self.place(*options)
            place.run("true")
            groups = []
            for info in pathlib.Path(f"/proc/{place.supervisor_pid()}/fdinfo").iterdir():
                with contextlib.suppress(FileNotFoundError):  # the guard's own come and go
                    groups += [line for line in info.read_text().splitlines() if line.startswith("fanotify flags:")]
            self.assertEqual(len(groups), 1)
            self.assertTrue(int(groups[0].split(":")[1].split()[0], 16) & FAN_UNLIMITED_QUEUE)
            self.assertEqual(place.status()["counters"]["overflows"], 0)
            place.stop()


class Supervisor(FailureCase):
    def test_findings_that_nobody_takes(self):
        count = 1500
        place = self.place()
        for i in range(count):
            place.write(f"/mnt/unknown-{i}", pathlib.Path("/bin/true").read_bytes() + os.urandom(8))
        supervisor = place.supervisor_pid()
        os.kill(supervisor, signal.SIGSTOP)
        begin = time.monotonic()
        done = place.run("sh", "-c", "for i in /mnt/unknown-*; do $i && echo ran; done 2>/dev/null", timeout=60)
        took = time.monotonic() - begin
        os.kill(supervisor, signal.SIGCONT)
        place.supervisor.send_signal(signal.SIGCONT)  # nsenter stops with what it started
        self.assertEqual(done.stdout, "")
        self.assertLess(took, 30, "denied programs waited for the supervisor")
        self.assertTrue(wait_until(place.answers))
        counters = place.status()["counters"]
        self.assertGreaterEqual(counters["denied"], count)
        self.assertGreater(counters["findings_lost"], 0)
        self.assertTrue(wait_until(place.findings))

    def kill(self, place):
        os.kill(place.supervisor_pid(), signal.SIGKILL)
        place.supervisor.wait(20)

    def test_taking_over_with_another_profile(self):
        place = self.place(prepare="cp /usr/bin/touch /mnt/tool", programs=["touch"])
        self.assert_runs(place, "/mnt/tool")
        self.assert_runs(place, "/mnt/tool")
        self.kill(place)
        place.profile.write_text(json.dumps(profile_of(enforced.TOOLS)))
        place.start()
        self.assertIn("took over", place.said())
        self.assert_stopped(place, "/mnt/tool")

    def test_taking_over_in_the_other_mode(self):
        place = self.place()
        path = self.intruder(place)
        self.assertEqual(place.ask("mode", "audit").returncode, 0)
        self.kill(place)
        place.start()
        self.assertEqual(place.status()["mode"], "enforce")
        self.assert_stopped(place, path)
        self.kill(place)
        place.start("--audit")
        self.assertEqual(place.status()["mode"], "audit")
        self.assert_runs(place, path)

    def test_another_process_has_the_number_of_one_that_was_killed(self):
        place = self.place()
        self.kill(place)
        lock = pathlib.Path(f"{place.control}.lock")
        lines = lock.read_text().splitlines()
        self.assertTrue(lines[0].startswith("supervisor "))
        other = place.popen("sleep", "1000")
        self.addCleanup(other.kill)
        self.assertTrue(wait_until(lambda: place.process("sleep") and harness.children_of(other.pid)))
        inside = pathlib.Path(f"/proc/{harness.children_of(other.pid)[0]}/status").read_text()
        number = inside.split("NSpid:")[1].splitlines()[0].split()[-1]
        lock.write_text("\n".join([f"supervisor {number}", *lines[1:]]) + "\n")
        place.start()
        self.assert_stopped(place, self.intruder(place))


class Files(FailureCase):
    def test_a_file_that_cannot_be_read(self):
        """Known content on a disk that has lost some of it."""
        harness.need_tools("losetup", "mkfs.ext4", "debugfs")
        (self.dir / "tree").mkdir()
        content = pathlib.Path(shutil.which("touch")).read_bytes() + bytes(1 << 20)
        for name in ("whole", "torn"):
            (self.dir / "tree" / name).write_bytes(content)
            (self.dir / "tree" / name).chmod(0o755)
        image = self.dir / "image"
        with open(image, "wb") as file:
            file.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-b", "4096", "-O", "^extent,^64bit", "-d", self.dir / "tree", image], check=True,
                       timeout=30)
        # what maps the file's blocks after the first twelve lies nowhere
        subprocess.run(["debugfs", "-w", "-R", "set_inode_field /torn block[IND] 99999999", image], check=True, timeout=30,
                       stderr=subprocess.DEVNULL)
        profile = profile_of([*enforced.TOOLS, self.dir / "tree/whole"])
        place = self.place(profile=profile, prepare=f"mount -o loop,errors=continue {image} /media")
        self.assert_runs(place, "/media/whole")
        self.assert_stopped(place, "/media/torn")
        self.assert_found(place, "/media/torn", "file-unreadable")
        self.assertEqual(self.guard_restarts(place), 0)

    def test_a_file_that_is_too_large(self):
        large = self.dir / "large"
        large.write_bytes(pathlib.Path(shutil.which("touch")).read_bytes() + bytes(9 << 20))
        large.chmod(0o755)
        place = self.place("--file-limit", "8", programs=[large], prepare=f"cp {large} /mnt/large")
        self.assert_stopped(place, "/mnt/large")
        self.assert_found(place, "/mnt/large", "file-too-large")

    def test_a_huge_file_makes_nobody_else_wait(self):
        place = self.place("--file-limit", "4096")
        huge = self.huge(place, GIB // 2)
        waiting = place.popen(huge, "/mnt/trace", stderr=subprocess.DEVNULL)
        self.addCleanup(waiting.kill)
        time.sleep(0.3)
        for _ in range(5):
            begin = time.monotonic()
            self.assertEqual(place.run("cat", "/proc/self/comm").stdout, "cat\n")
            self.assertLess(time.monotonic() - begin, 3)
        self.assertIsNone(waiting.poll(), "not huge enough to be of use here")
        self.assertNotEqual(waiting.wait(60), 0)
        self.assertFalse(place.exists("/mnt/trace"))


class Stop(FailureCase):
    def test_stop_while_one_waits(self):
        place = self.place("--file-limit", "8192")
        huge = self.huge(place, 6 * GIB)
        waiting = place.popen(huge, "/mnt/trace")
        self.addCleanup(waiting.kill)
        time.sleep(0.3)
        self.assertIsNone(waiting.poll())
        self.assertEqual(place.stop().returncode, 0)
        self.assertEqual(waiting.wait(5), 0)
        self.assertTrue(place.exists("/mnt/trace"))


class Start(FailureCase):
    def refused(self, profile, *options):
        done = subprocess.run(
            [*enforced.ALONE, harness.RTGUARD, "enforce", profile,
             "--yes", "--any-machine", "--control", self.dir / "control", "--state", self.dir / "state", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        self.assert_trouble(done, profile)
        self.assertFalse((self.dir / "control").exists())
        return done.stderr

    def test_unreadable_profiles(self):
        profile = self.dir / "profile.json"
        self.refused(profile, "--allow-unsigned")
        for broken in ("", "{", "[]", '{"format": "rtguard-profile/1"}', '{"format": "rtguard-profile/9"}'):
            profile.write_text(broken)
            self.refused(profile, "--allow-unsigned")
        profile.unlink()
        profile.mkdir()
        self.refused(profile, "--allow-unsigned")

    def test_badly_signed_profiles(self):
        for name in ("vendor", "other"):
            self.assertEqual(rtguard("keygen", "-o", self.dir / name).returncode, 0)
        plain = self.dir / "plain.json"
        plain.write_text(json.dumps(profile_of(enforced.TOOLS)))
        signed = {}
        for name, version in (("vendor", 1), ("vendor", 2), ("other", 3)):
            signed[version] = self.dir / f"v{version}.json"
            done = rtguard("sign", plain, "--key", self.dir / f"{name}.key", "--version", version, "-o", signed[version])
            self.assertEqual(done.returncode, 0, done.stderr)
        key = ("--key", self.dir / "vendor.pub")
        self.assertIn("not signed", self.refused(plain, *key))
        self.refused(signed[3], *key)
        changed = self.dir / "changed.json"
        changed.write_text(signed[1].read_text().replace("/sleep", "/slept"))
        self.refused(changed, *key)
        place = self.place(*key, profile=json.loads(signed[2].read_text()))
        place.stop()
        self.assertIn("older", self.refused(signed[1], *key))


class Layers(FailureCase):
    def test_a_kernel_without_permission_events(self):
        if not os.access(WITHOUT, os.X_OK):
            self.skipTest("built without libseccomp")
        profile = self.dir / "profile.json"
        profile.write_text(json.dumps(profile_of(enforced.TOOLS)))
        done = subprocess.run(
            [*enforced.ALONE, WITHOUT, "fanotify", harness.RTGUARD,
             "enforce", profile, "--yes", "--allow-unsigned", "--any-machine", "--control", self.dir / "control", "--state",
             self.dir / "state"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        self.assert_trouble(done, "fanotify", "--without-fanotify")

    def test_the_backstop_alone(self):
        """Neither permission events nor, in a namespace, the process connector."""
        place = self.place("--without-fanotify")
        layers = {layer["name"]: layer for layer in place.status()["layers"]}
        off = [layer for layer in layers.values() if not layer["on"]]
        self.assertGreaterEqual(len(off), 2, layers)
        for layer in off:
            self.assertTrue(layer["reason"], layer)
        path = self.intruder(place, tool="sleep")
        self.assertEqual(place.run(path, "1000", timeout=10).returncode, -signal.SIGKILL)
        self.assertEqual(place.run("sleep", "1").returncode, 0)


class Reload(FailureCase):
    def test_profiles_change_while_programs_run(self):
        place = self.place(prepare="cp /usr/bin/touch /mnt/tool")
        path = self.intruder(place)
        profiles = [json.dumps(profile_of([*enforced.TOOLS, *more])) for more in ((), ("touch",))]
        script = f"""while [ ! -e /mnt/enough ]; do
            [ "$(cat /proc/self/comm)" = cat ] && true && ls /mnt >/dev/null || {{ echo failed; exit 1; }}
            {path} /mnt/trace && exit 2
        done 2>/dev/null
        exit 0"""
        load = place.popen("sh", "-c", script, stdout=subprocess.PIPE, text=True)
        self.addCleanup(load.stdout.close)
        self.addCleanup(load.kill)
        reloads = 0
        end = time.monotonic() + 8
        while time.monotonic() < end:
            place.profile.write_text(profiles[reloads % 2])
            done = place.ask("reload")
            reloads += done.returncode == 0
            self.assertTrue(done.returncode == 0 or "being loaded" in done.stderr, done.stderr)
            time.sleep(0.05)
        self.assertIsNone(load.poll())
        place.write("/mnt/enough", b"")
        self.assertEqual((load.wait(10), load.stdout.read()), (0, ""))
        self.assertGreater(reloads, 6)  # each applies the rules too
        self.assertFalse(place.exists("/mnt/trace"))
        self.assertEqual(self.guard_restarts(place), 0)


if __name__ == "__main__":
    harness.main()
