#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What was learnt survives: kill -9, a signal, a full disk, the inspector's death, an interface that goes."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import harness
from harness import children_of, load, rtguard, start_learning, stop_learning, wait_until

harness.need_tools("unshare", "ip")
harness.enter_namespaces()


def run_distinct(directory, name):
    """Runs a program that nobody ran before."""
    path = pathlib.Path(directory) / name
    path.write_bytes(pathlib.Path("/bin/true").read_bytes() + name.encode())
    path.chmod(0o755)
    subprocess.run([path], check=True)
    return str(path)


def programs_of(path):
    return {program["path"] for program in load(path)["policy"]["programs"]}


class Journal(harness.Case):
    def learning(self, *arguments, cycle="1h"):
        learner = start_learning("--cycle", cycle, "-o", self.dir / "p.json", *arguments)
        self.addCleanup(lambda: learner.poll() is None and learner.kill())
        self.assertTrue(learner.first_line, learner.poll() is not None and learner.stderr.read())
        return learner

    def test_interrupt_ends_early_with_a_valid_profile(self):
        learner = self.learning()
        ran = run_distinct(self.dir, "one")
        lines, stderr = stop_learning(learner)
        self.assertEqual(learner.returncode, 0, stderr)
        self.assertIn(ran, programs_of(self.dir / "p.json"))
        self.assertIs(load(self.dir / "p.json")["evidence"]["complete"], False)
        self.assertFalse(lines[-1]["complete"])
        self.assertEqual(rtguard("check", self.dir / "p.json").returncode, 0)
        self.assertFalse((self.dir / "p.json.journal").exists())

    def test_kill_loses_at_most_five_seconds(self):
        learner = self.learning()
        ran = run_distinct(self.dir, "before-the-kill")
        time.sleep(5)
        stop_learning(learner, signal.SIGKILL)
        self.assertFalse((self.dir / "p.json").exists())
        again = self.learning("--resume")
        later = run_distinct(self.dir, "after-the-resume")
        time.sleep(1)
        _, stderr = stop_learning(again)
        self.assertEqual(again.returncode, 0, stderr)
        self.assertLessEqual({ran, later}, programs_of(self.dir / "p.json"))
        self.assertEqual(len(load(self.dir / "p.json")["evidence"]["cycles"]), 2)

    def test_a_journal_is_not_overwritten(self):
        learner = self.learning()
        run_distinct(self.dir, "kept")
        time.sleep(4)
        stop_learning(learner, signal.SIGKILL)
        done = rtguard("learn", "--cycle", "2s", "-o", self.dir / "p.json")
        self.assert_trouble(done, "p.json.journal", "--resume")

    def test_two_learners_do_not_share_a_journal(self):
        learner = self.learning()
        self.assert_trouble(rtguard("learn", "--cycle", "2s", "--resume", "-o", self.dir / "p.json"), str(learner.pid))
        stop_learning(learner)

    def test_cycle_ends_by_itself_and_is_complete(self):
        done = rtguard("learn", "--cycle", "3s", "-o", self.dir / "p.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIs(load(self.dir / "p.json")["evidence"]["complete"], True)

    def test_until_stable_ends_by_itself(self):
        """The same things again and again, and nothing new for three seconds."""
        subprocess.run("ip link add name va type veth peer name vb; ip link set va up; ip link set vb up;"
                       "ip address add 192.0.2.1/24 dev va; ip neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev va",
                       shell=True, check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "delete", "va"])
        learner = self.learning("--until-stable", "--quiet", "3s", cycle="60s")
        path = run_distinct(self.dir, "again-and-again")
        started = time.monotonic()
        while learner.poll() is None and time.monotonic() - started < 40:
            subprocess.run([path], check=True)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(b"x", ("192.0.2.9", 7003))
            time.sleep(0.01)
        stdout, stderr = learner.communicate(timeout=5)
        self.assertEqual(learner.returncode, 0, stderr)
        self.assertLess(time.monotonic() - started, 40)
        self.assertIn(path, programs_of(self.dir / "p.json"))

    def test_full_disk_is_told_at_once_and_loses_nothing(self):
        small = self.dir / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "small", small], check=True)
        self.addCleanup(subprocess.run, ["umount", small])
        learner = start_learning("--cycle", "1h", "--journal", small / "journal", "-o", self.dir / "p.json")
        self.addCleanup(lambda: learner.poll() is None and learner.kill())
        with open(small / "ballast", "wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while ballast.write(b"x" * 4096) == 4096:
                pass
        ran = [run_distinct(self.dir, f"while-full-{i}") for i in range(40)]
        time.sleep(5)
        (small / "ballast").unlink()
        time.sleep(4)
        after = run_distinct(self.dir, "after-full")
        time.sleep(0.5)
        lines, stderr = stop_learning(learner)
        notices = " ".join(line.get("notice", "") for line in lines)
        self.assertIn("journal", notices + stderr)
        self.assertIn("No space left", notices + stderr)
        self.assertLessEqual({*ran, after}, programs_of(self.dir / "p.json"))

    def test_output_disk_full_keeps_the_journal(self):
        small = self.dir / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "small", small], check=True)
        self.addCleanup(subprocess.run, ["umount", small])
        learner = start_learning("--cycle", "1h", "--journal", self.dir / "journal", "-o", small / "p.json")
        ran = run_distinct(self.dir, "kept")
        time.sleep(1)
        _, stderr = stop_learning(learner)
        self.assertEqual(learner.returncode, 2)
        self.assertIn(str(small / "p.json"), stderr)
        again = start_learning("--cycle", "1h", "--journal", self.dir / "journal", "--resume", "-o", self.dir / "p.json")
        stop_learning(again)
        self.assertIn(ran, programs_of(self.dir / "p.json"))

    def test_the_inspector_is_restarted(self):
        learner = self.learning()
        server = harness.start("python3", "-c", "import socket; s = socket.create_server(('', 4711)); s.accept()")
        self.addCleanup(server.kill)
        ran = run_distinct(self.dir, "before")
        time.sleep(1)
        inspectors = children_of(learner.pid)
        self.assertEqual(len(inspectors), 1)
        self.assertNotEqual(os.stat(f"/proc/{inspectors[0]}").st_uid, 0)
        status = pathlib.Path(f"/proc/{inspectors[0]}/status").read_text()
        self.assertIn("CapEff:\t0000000000000000", status)
        self.assertIn("Seccomp:\t2", status)
        os.kill(inspectors[0], signal.SIGKILL)
        self.assertTrue(wait_until(lambda: children_of(learner.pid) and children_of(learner.pid) != inspectors))
        time.sleep(1)
        stop_learning(learner)
        profile = load(self.dir / "p.json")
        self.assertIn(ran, programs_of(self.dir / "p.json"))
        self.assertIs(profile["evidence"]["complete"], False)
        self.assertIs(profile["evidence"]["capture"]["interrupted"], True)

    def test_an_inspector_that_hangs_is_replaced(self):
        learner = self.learning()
        hung = children_of(learner.pid)
        os.kill(hung[0], signal.SIGSTOP)
        self.assertTrue(wait_until(lambda: children_of(learner.pid) and children_of(learner.pid) != hung, 30))
        lines, _ = stop_learning(learner)
        self.assertTrue(load(self.dir / "p.json")["evidence"]["capture"]["interrupted"])

    def test_a_failed_start_leaves_nothing_behind(self):
        self.assert_trouble(rtguard("learn", "--interface", "nosuch0", "--cycle", "2s", "-o", self.dir / "p.json"), "nosuch0")
        self.assertEqual(list(self.dir.iterdir()), [])

    def test_an_output_that_cannot_be_is_told_at_once(self):
        started = time.monotonic()
        self.assert_trouble(rtguard("learn", "--cycle", "20s", "--journal", self.dir / "journal", "-o", "/proc/p.json"), "/proc/p.json")
        self.assertLess(time.monotonic() - started, 5)

    def test_a_reader_that_goes_away_ends_nothing(self):
        learner = self.learning(cycle="4s")
        learner.stdout.close()
        self.assertEqual(learner.wait(20), 2)  # the last line could not be printed
        self.assertTrue((self.dir / "p.json").exists())

    def test_an_interface_that_goes_and_comes_back(self):
        def add():
            subprocess.run(["ip", "link", "add", "name", "va", "type", "veth", "peer", "name", "vb"], check=True)
            for command in (["link", "set", "va", "up"], ["link", "set", "vb", "up"], ["address", "add", "192.0.2.1/24", "dev", "va"]):
                subprocess.run(["ip", *command], check=True)
            subprocess.run(["ip", "neighbour", "add", "192.0.2.9", "lladdr", "02:00:00:00:00:09", "dev", "va"], check=True)

        def knock(port):
            subprocess.run(["python3", "-c", "import socket, sys; s = socket.socket(); s.settimeout(0.2)\n"
                            "try: s.connect(('192.0.2.9', int(sys.argv[1])))\nexcept OSError: pass", str(port)], check=True)

        add()
        learner = self.learning("--interface", "va")
        time.sleep(0.5)
        knock(7001)
        subprocess.run(["ip", "link", "delete", "va"], check=True)
        time.sleep(1)
        add()
        time.sleep(2.5)
        knock(7002)
        time.sleep(1)
        _, stderr = stop_learning(learner)
        self.assertEqual(learner.returncode, 0, stderr)
        profile = load(self.dir / "p.json")
        self.assertEqual({connection["port"] for connection in profile["policy"]["connections"]
                          if connection["protocol"] == "tcp"}, {7001, 7002})
        self.assertIs(profile["evidence"]["capture"]["interrupted"], True)
        subprocess.run(["ip", "link", "delete", "va"], check=True)


if __name__ == "__main__":
    harness.main()
