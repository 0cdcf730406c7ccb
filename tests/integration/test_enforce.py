#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`rtguard enforce` from start to stop, in namespaces: what is unknown does not run, what is known does, one
instance, modes, reload, preflight, and what happens when parts of it die."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import enforced
import harness
from enforced import Place, profile_of
from harness import rtguard, wait_until

harness.need_root()
harness.need_tools("unshare", "nsenter", "setpriv", "ldd", "ip")


class EnforceCase(harness.Case):
    def place(self, *options, programs=(), profile=None, **more):
        profile = profile or profile_of([*enforced.TOOLS, *programs])
        place = Place(self.dir, profile, *options, **more)
        self.addCleanup(place.__exit__)
        place.__enter__()
        return place

    def intruder(self, place, path="/mnt/intruder", tool="touch"):
        """A working program that nobody knows: a tool with a few bytes more."""
        content = pathlib.Path(shutil.which(tool)).read_bytes() + os.urandom(16)
        place.write(path, content)
        self.checksum = hashlib.sha256(content).hexdigest()
        return path

    def assert_stopped(self, place, path="/mnt/intruder"):
        trace = f"/mnt/trace-{time.monotonic_ns()}"
        done = place.run("sh", "-c", f"{path} {trace}")
        self.assertFalse(place.exists(trace), "the intruder ran")
        self.assertNotEqual(done.returncode, 0)

    def assert_runs(self, place, path):
        trace = f"/mnt/trace-{time.monotonic_ns()}"
        done = place.run("sh", "-c", f"{path} {trace}")
        self.assertTrue(place.exists(trace), f"{done.stderr}\n{place.said()}")


class Programs(EnforceCase):
    def test_unknown_does_not_run_and_known_does(self):
        place = self.place()
        path = self.intruder(place)
        self.assert_stopped(place, path)
        self.assertEqual(place.run("sh", "-c", "cat /proc/self/comm").stdout, "cat\n")
        self.assertTrue(wait_until(place.findings))
        finding = place.findings()[0]
        self.assertEqual(finding["kind"], "program-unknown")
        self.assertEqual(finding["path"], path)
        self.assertEqual(finding["sha256"], self.checksum)
        self.assertEqual(finding["action"], "denied")
        self.assertEqual(finding["layer"], "permission")

    def test_replaced_content_does_not_run(self):
        place = self.place(prepare="cp /usr/bin/touch /mnt/tool", programs=["touch"])
        self.assert_runs(place, "/mnt/tool")
        self.intruder(place, "/mnt/tool")
        self.assert_stopped(place, "/mnt/tool")

    def test_only_the_learnt_set_user_id_program_changes_users(self):
        """The same content with the same bit at another path is refused: its user is the path's entry's."""
        learnt, other = (self.dir / name for name in ("learnt-id", "other-id"))
        for path in (learnt, other):
            shutil.copy(shutil.which("id"), path)
            os.chown(path, 1, 1)
            path.chmod(0o4755)
        os.chmod(self.dir, 0o755)
        profile = profile_of([*enforced.TOOLS, learnt])
        name = subprocess.run(["id", "-nu", "1"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        for entry in profile["policy"]["programs"]:
            if entry["path"] == str(learnt):
                entry["users"] = [name]
        place = self.place(profile=profile)
        self.assertEqual(place.run(learnt, "-u").stdout.strip(), "1")
        self.assertNotEqual(place.run(other, "-u").returncode, 0)
        self.assertTrue(wait_until(lambda: ("user-unknown", str(other)) in
                                   [(finding["kind"], finding["path"]) for finding in place.findings()]))

    def test_refused_arguments_are_those_of_the_new_program(self):
        place = self.place(profile=profile_of([tool for tool in enforced.TOOLS if tool != "sh"],
                                              pinned={"sh": [["-c", "true"]]}))
        place.run("env", "sh", "-c", "true; true")
        self.assertTrue(wait_until(place.findings))
        self.assertEqual(place.findings()[0]["kind"], "arguments-unknown")
        self.assertEqual(place.findings()[0]["arguments"], ["sh", "-c", "true; true"])

    def test_what_was_forked_may_call_itself_what_it_likes(self):
        """How a process was begun counts; it was there before rtguard, so that its arguments are what is looked at."""
        script, other = self.dir / "job.pl", self.dir / "other.pl"
        for path in (script, other):
            path.write_text(f"# {path}\nif (fork() == 0) {{ $0 = '(worker)'; sleep 1000; }} sleep 1000;\n")
        profile = profile_of(enforced.TOOLS, [(script, "perl")], {"perl": [[str(script)]]})
        place = self.place(profile=profile, prepare=f"perl {script} & perl {other} & sleep 0.5")

        def workers():
            return [pid for pid in place.descendants() if pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"(worker)")]
        self.assertTrue(wait_until(lambda: len(workers()) < 2), workers())
        time.sleep(1)
        self.assertEqual(len(workers()), 1, place.findings())
        parent = pathlib.Path(f"/proc/{workers()[0]}/stat").read_text().rpartition(")")[2].split()[1]
        self.assertIn(str(script), pathlib.Path(f"/proc/{parent}/cmdline").read_text())
        self.assertEqual({finding["kind"] for finding in place.findings()}, {"arguments-unknown"})

    def test_what_took_a_learnt_scripts_place_brings_no_code_by_a_pipe(self):
        (self.dir / "known.sh").write_text("true\n")
        place = self.place(profile=profile_of([tool for tool in enforced.TOOLS if tool != "sh"],
                                              scripts=[(self.dir / "known.sh", "sh")], pinned={"sh": [["/mnt/known.sh"]]}))
        place.put(self.dir / "known.sh", "/mnt/known.sh")
        script = pathlib.Path(f"/proc/{place.inside}/root/mnt/known.sh")

        def run():
            return subprocess.run(place.entered("sh", "/mnt/known.sh"), input=": >/mnt/trace\n", text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20, check=False)
        self.assertEqual(run().returncode, 0)
        for target in ("/proc/self/fd/0", "/dev/stdin", "/dev/fd/0"):
            with self.subTest(target):
                script.unlink()
                script.symlink_to(target)
                self.assertNotEqual(run().returncode, 0)
                self.assertFalse(place.exists("/mnt/trace"))
        script.unlink()
        os.mkfifo(script)
        writer = subprocess.Popen(["sh", "-c", f"echo ': >/mnt/trace' >{script}"])
        self.addCleanup(writer.wait)
        self.addCleanup(writer.kill)
        self.assertNotEqual(run().returncode, 0)
        self.assertFalse(place.exists("/mnt/trace"))

    def test_another_filesystem_on_the_same_device_with_the_same_times_is_another(self):
        harness.need_tools("losetup", "mkfs.ext4", "debugfs")
        tool = bytearray(pathlib.Path(shutil.which("touch")).read_bytes())
        place = self.place(programs=["touch", "umount"], prepare="mkdir /mnt/stick")
        ran = []
        for number in range(2):
            (self.dir / "tool").write_bytes(tool)
            image = self.dir / f"image{number}"
            commands = f"write {self.dir}/tool tool\nset_inode_field tool mode 0100755\n" + "".join(
                f"set_inode_field tool {time} 20260101000000\nset_inode_field tool {time}_extra 0\n"
                for time in ("ctime", "mtime"))
            with open(image, "wb") as file:
                file.truncate(4 << 20)
            subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
            subprocess.run(["debugfs", "-w", "-f", "-", image], input=commands, text=True, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if number == 0:
                device = subprocess.run(["losetup", "--find", "--show", image], stdout=subprocess.PIPE, text=True,
                                        check=False).stdout.strip()
                if not device:
                    self.skipTest("no loop device")
                self.addCleanup(subprocess.run, ["losetup", "--detach", device])
            else:
                subprocess.run(["losetup", "--detach", device], check=True)
                subprocess.run(["losetup", device, image], check=True)
            self.assertEqual(place.run("mount", "-t", "ext4", device, "/mnt/stick").returncode, 0)
            place.run("/mnt/stick/tool", f"/mnt/trace{number}")
            ran.append(place.exists(f"/mnt/trace{number}"))
            self.assertEqual(place.run("umount", "/mnt/stick").returncode, 0)
            tool[-5] ^= 1
        self.assertEqual(ran, [True, False])

    def test_code_in_the_environment_of_a_learnt_script_does_not_run(self):
        harness.need_tools("bash", "perl")
        code = {"bash": ("echo known\n", {"BASH_FUNC_echo%%": "() { : >/mnt/trace; }"}, {"BASH_ENV": "/dev/stdin"}),
                "perl": ("print 1;\n", {"PERL5OPT": "-d", "PERL5DB": "BEGIN{open(F,'>/mnt/trace')}"})}
        for tool, (text, *_) in code.items():
            (self.dir / f"known.{tool}").write_text(text)
        place = self.place(profile=profile_of(enforced.TOOLS, scripts=[(self.dir / f"known.{tool}", tool) for tool in code],
                                              pinned={tool: [["--none"]] for tool in code}))
        for tool, (_, *environments) in code.items():
            place.put(self.dir / f"known.{tool}", f"/mnt/known.{tool}")
            for environment in ({}, *environments):
                with self.subTest(tool=tool, environment=environment):
                    done = subprocess.run(place.entered(tool, f"/mnt/known.{tool}"), input=": >/mnt/trace\n", text=True,
                                          env={**os.environ, **environment}, stdout=subprocess.PIPE,
                                          stderr=subprocess.PIPE, timeout=20, check=False)
                    self.assertEqual(done.returncode == 0, not environment, done.stderr)
                    self.assertFalse(place.exists("/mnt/trace"))
        # equal ones within a minute are one line and a count
        self.assertTrue(wait_until(lambda: len({finding["path"] for finding in place.findings()}) == 2))
        self.assertEqual({(finding["kind"], finding["action"]) for finding in place.findings()},
                         {("environment-code", "killed")})

    def test_audit_reports_and_stops_nothing(self):
        place = self.place("--audit")
        self.assert_runs(place, self.intruder(place))
        self.assertTrue(wait_until(place.findings))
        self.assertEqual(place.findings()[0]["action"], "reported")

    def test_stop_releases_everything(self):
        place = self.place()
        path = self.intruder(place)
        self.assert_stopped(place, path)
        done = place.stop()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(place.supervisor.returncode, 0)
        self.assert_runs(place, path)
        self.assertFalse(place.control.exists())

    def test_sigterm_releases_everything(self):
        place = self.place()
        path = self.intruder(place)
        os.kill(place.supervisor_pid(), signal.SIGTERM)
        self.assertEqual(place.supervisor.wait(20), 0)
        self.assert_runs(place, path)

    def test_quarantine_keeps_what_was_stopped(self):
        (self.dir / "quarantine").mkdir()
        place = self.place("--quarantine", self.dir / "quarantine")
        path = self.intruder(place)
        self.assert_stopped(place, path)
        kept = self.dir / "quarantine" / self.checksum
        self.assertTrue(wait_until(kept.exists))
        self.assertTrue(wait_until(lambda: enforced.sha256(kept) == self.checksum))
        self.assertEqual(kept.stat().st_mode & 0o777, 0o400)


class Instances(EnforceCase):
    def test_a_second_one_says_who_holds_the_place(self):
        place = self.place()
        second = subprocess.run(
            place.entered(harness.RTGUARD, "enforce", place.profile, "--yes", "--allow-unsigned", "--any-machine",
                          "--control", place.control, "--state", place.state),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
        self.assert_trouble(second, "enforces here already", "process ")
        self.assertEqual(place.status()["mode"], "enforce")


class Modes(EnforceCase):
    def test_unconfirmed_goes_back_to_audit(self):
        place = self.place("--confirm", "2s")
        path = self.intruder(place)
        self.assert_stopped(place, path)
        self.assertTrue(wait_until(lambda: place.status()["mode"] == "audit", 10))
        self.assert_runs(place, path)

    def test_confirmed_stays(self):
        place = self.place("--confirm", "2s")
        self.assertEqual(place.ask("confirm").returncode, 0)
        time.sleep(2.5)
        self.assertEqual(place.status()["mode"], "enforce")
        self.assert_stopped(place, self.intruder(place))

    def test_mode_changes_both_ways(self):
        place = self.place("--audit")
        path = self.intruder(place)
        self.assertEqual(place.ask("mode", "enforce").returncode, 0)
        self.assert_stopped(place, path)
        self.assertEqual(place.ask("mode", "audit").returncode, 0)
        self.assert_runs(place, path)


class Reload(EnforceCase):
    def test_a_new_profile_takes_over(self):
        place = self.place(prepare="cp /usr/bin/touch /mnt/tool")
        self.assert_stopped(place, "/mnt/tool")
        place.profile.write_text(json.dumps(profile_of([*enforced.TOOLS, "touch"])))
        done = place.ask("reload")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_runs(place, "/mnt/tool")
        place.profile.write_text(json.dumps(profile_of(enforced.TOOLS)))
        self.assertEqual(place.ask("reload").returncode, 0)
        self.assert_stopped(place, "/mnt/tool")

    def test_what_is_no_file_is_refused_at_once(self):
        place = self.place()
        os.mkfifo(self.dir / "fifo")
        self.assert_trouble(place.ask("reload", self.dir / "fifo", timeout=10), "no regular file")
        self.assertEqual(place.ask("mode", "audit").returncode, 0)

    def test_a_broken_one_leaves_the_old_in_force(self):
        place = self.place()
        for broken in ("", "{", '{"format": "rtguard-profile/1"}', json.dumps({"format": "rtguard-profile/9"})):
            place.profile.write_text(broken)
            done = place.ask("reload")
            self.assert_trouble(done, place.profile)
        self.assert_stopped(place, self.intruder(place))
        self.assertEqual(place.run("true").returncode, 0)


class Start(EnforceCase):
    def enforce(self, profile, *options):
        path = self.dir / "profile.json"
        path.write_text(json.dumps(profile))
        return subprocess.run(
            [*enforced.ALONE, harness.RTGUARD, "enforce", path,
             "--control", self.dir / "control", "--state", self.dir / "state", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)

    def test_another_machines_profile_is_refused(self):
        profile = profile_of(enforced.TOOLS)
        profile["device"]["architecture"] = "armv7l"
        self.assert_trouble(self.enforce(profile, "--yes", "--allow-unsigned"), "another machine", "armv7l")
        profile = profile_of(enforced.TOOLS)
        for program in profile["policy"]["programs"]:
            program["sha256"] = "0" * 64
        self.assert_trouble(self.enforce(profile, "--yes", "--allow-unsigned"), "another machine")

    def test_unsigned_is_refused_unless_allowed(self):
        self.assert_trouble(self.enforce(profile_of(enforced.TOOLS), "--yes"), "not signed", "--allow-unsigned")

    def test_preflight_lists_and_nobody_to_ask_means_no(self):
        done = self.enforce(profile_of(enforced.TOOLS), "--allow-unsigned")
        self.assert_trouble(done, "--yes")

    def test_preflight_names_what_would_be_ended(self):
        place = self.place("--audit", prepare="cp /usr/bin/sleep /mnt/unknown; echo >>/mnt/unknown; /mnt/unknown 1000 & true")
        place.run(self.intruder(place, "/mnt/yesterday"), "/mnt/trace")
        self.assertTrue(wait_until(lambda: "/mnt/yesterday" in [finding["path"] for finding in place.findings()]))
        place.stop()
        done = subprocess.run(
            place.entered(harness.RTGUARD, "enforce", place.profile, "--allow-unsigned", "--any-machine", "--control",
                          place.control, "--state", place.state),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("/mnt/unknown", done.stderr)
        self.assertIn("/mnt/yesterday", done.stderr)

    def test_signed_and_older(self):
        self.assertEqual(rtguard("keygen", "-o", self.dir / "vendor").returncode, 0)
        place_profile = self.dir / "signed.json"
        for version in (1, 2):
            place_profile.write_text(json.dumps(profile_of(enforced.TOOLS)))
            done = rtguard("sign", place_profile, "--key", self.dir / "vendor.key", "--version", version, "-o",
                           self.dir / f"v{version}.json")
            self.assertEqual(done.returncode, 0, done.stderr)
        place = self.place("--key", self.dir / "vendor.pub",
                           profile=json.loads((self.dir / "v2.json").read_text()))
        self.assertEqual(place.status()["profile"]["version"], 2)
        done = place.ask("reload", self.dir / "v1.json")
        self.assert_trouble(done, "older")
        self.assertEqual(place.status()["profile"]["version"], 2)


class Failures(EnforceCase):
    def test_a_killed_guard_is_replaced_and_nothing_passes(self):
        place = self.place()
        path = self.intruder(place)
        for _ in range(10):
            os.kill(place.worker("guard"), signal.SIGKILL)
            self.assert_stopped(place, path)
            self.assertEqual(place.run("true").returncode, 0)
        self.assertTrue(wait_until(lambda: {worker["name"]: worker for worker in place.status()["workers"]}["guard"]
                                   ["restarts"] == 10))

    def test_a_stopped_guard_is_replaced(self):
        place = self.place()
        before = place.worker("guard")
        os.kill(before, signal.SIGSTOP)
        self.assert_stopped(place, self.intruder(place))
        self.assertNotEqual(place.worker("guard"), before)

    def test_a_stopped_supervisor_goes_on_and_replaces_the_guard(self):
        place = self.place()
        guard = place.worker("guard")
        os.kill(place.supervisor_pid(), signal.SIGSTOP)
        os.kill(guard, signal.SIGKILL)
        self.assertEqual(place.run("true").returncode, 0)
        self.assert_stopped(place, self.intruder(place))

    def test_a_killed_sweeper_is_replaced(self):
        place = self.place()
        before = place.worker("sweeper")
        os.kill(before, signal.SIGKILL)
        self.assertTrue(wait_until(lambda: place.worker("sweeper") not in (None, before)))

    def test_the_guard_outlives_its_supervisor_and_is_taken_over(self):
        place = self.place()
        path = self.intruder(place)
        guard = place.worker("guard")
        os.kill(place.supervisor_pid(), signal.SIGKILL)
        place.supervisor.wait(20)
        self.assertEqual(place.worker("guard"), guard)
        self.assert_stopped(place, path)
        self.assertEqual(place.run("true").returncode, 0)
        place.start()
        self.assertIn("took over", place.said())
        self.assertNotEqual(place.worker("guard"), guard)
        self.assert_stopped(place, path)

    def test_an_event_log_on_a_full_disk_stops_nothing(self):
        place = self.place(prepare=f"mount -t tmpfs -o size=64k small {self.dir}/state && : ",
                           ) if (self.dir / "state").mkdir() is None else None
        path = self.intruder(place)
        for _ in range(3):
            self.assert_stopped(place, path)
        place.run("sh", "-c", f"cat /dev/zero >{place.state}/fill", timeout=20)
        for _ in range(20):
            self.assert_stopped(place, self.intruder(place))
        self.assertEqual(place.run("true").returncode, 0)


if __name__ == "__main__":
    harness.main()
