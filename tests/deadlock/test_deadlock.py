#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways in which an agent that holds opens and execs ends up waiting for itself: README.md has the list. Each test
makes the trouble in a place of its own, and asserts that what is known still runs within seconds, that what is unknown
still does not, and that rtguard still answers."""
import contextlib
import ctypes
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
import enforced
import harness
from enforced import Place, profile_of
from harness import RTGUARD, wait_until

harness.need_root()
harness.need_tools("unshare", "nsenter", "setpriv", "ldd", "ip", "umount")

SOON = 10  # seconds: enough for a guard to be found hung and replaced, on a busy machine
MORE_TOOLS = ("umount", "ip", "touch", "rm")
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x20000
PTRACE_ATTACH, PTRACE_DETACH = 16, 17
CAP_SYS_RESOURCE = 24


def has_capability(number):
    status = pathlib.Path("/proc/self/status").read_text()
    return bool(int(status.split("CapEff:")[1].split()[0], 16) >> number & 1)


MAY_SPARE_FROM_OOM = has_capability(CAP_SYS_RESOURCE)


class DeadlockCase(harness.Case):
    def place(self, *options, log=None, **more):
        place = Place(self.dir, profile_of([*enforced.TOOLS, *MORE_TOOLS]), *options, **more)
        if log is not None:
            place.log.close()
            place.log = os.fdopen(log, "w")
        place.__enter__()
        self.addCleanup(place.__exit__)
        self.intruder = "/mnt/intruder"
        place.write(self.intruder, pathlib.Path(shutil.which("touch")).read_bytes() + os.urandom(16))
        return place

    def assert_alive(self, place, while_what="", answers=True):
        """Known content runs and opens, unknown content does not run, and rtguard says how it is."""
        path = f"/mnt/never-seen-{time.monotonic_ns()}"
        trace = f"/mnt/trace-{time.monotonic_ns()}"
        place.write(path, b"text", 0o644)
        try:
            done = place.run("sh", "-c", f"cat /proc/self/comm && cat {path} && ! {self.intruder} {trace}", timeout=SOON)
        except subprocess.TimeoutExpired as late:
            self.fail(f"{while_what}: still waits after {SOON} s: {late.stdout} {late.stderr}")
        self.assertFalse(place.exists(trace), f"{while_what}: the intruder ran")
        self.assertEqual((done.returncode, done.stdout), (0, "cat\ntext"), f"{while_what}: {done.stderr}")
        if answers:
            self.assertTrue(wait_until(place.answers, SOON), f"{while_what}: no answer to status")

    @staticmethod
    def try_unknown(place, count):
        """So many different programs, each a finding of its own."""
        for i in range(count):
            place.write(f"/mnt/unknown-{i}", pathlib.Path("/bin/true").read_bytes() + os.urandom(8))
        place.run("sh", "-c", "for i in /mnt/unknown-*; do $i; done 2>/dev/null", timeout=60)

    def finish(self, *processes):
        """They end with the test."""
        for process in processes:
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)

    def in_mounts_of(self, place, action):
        """A child in the place's mount namespace that nobody there is asked about: it opens nothing. Runs until the
        test is over. action returns after what it is for."""
        ready, tell = os.pipe()
        view = os.open(f"/proc/{place.inside}/ns/mnt", os.O_RDONLY)
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                os.close(ready)
                if libc.setns(view, CLONE_NEWNS) == 0:
                    action()
                    os.write(tell, b"1")
                    while True:
                        signal.pause()
            os._exit(1)
        os.close(tell)
        os.close(view)

        def end():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.addCleanup(end)
        done = os.read(ready, 1)
        os.close(ready)
        if not done:
            self.fail("the mount could not be made")


class Logging(DeadlockCase):
    def test_a_log_that_nobody_reads(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * 4096)
        os.set_blocking(writer, True)
        place = self.place(log=writer)
        self.try_unknown(place, 300)
        self.assert_alive(place, "after 300 findings into a full pipe")

    def test_a_log_whose_reader_is_held_itself(self):
        reader, writer = os.pipe()
        place = self.place(log=writer)
        logger = subprocess.Popen(
            place.entered("sh", "-c", "while read -r line; do echo \"$line\" >>/mnt/log; cat /mnt/log; done"),
            stdin=reader, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(reader)
        self.finish(logger)
        for _ in range(20):
            self.assert_alive(place, "while the log is read by a guarded program", answers=False)
        self.assert_alive(place, "at the end")

    def test_events_that_nobody_reads(self):
        place = self.place()
        follower = subprocess.Popen([RTGUARD, "events", "--follow", "--json", "--control", place.control],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(follower.stdout.close)
        self.finish(follower)
        self.try_unknown(place, 500)
        self.assert_alive(place, "while a follower does not read")

    def test_a_state_directory_that_is_frozen(self):
        harness.need_tools("losetup", "mkfs.ext4", "fsfreeze")
        image = self.dir / "image"
        with open(image, "wb") as file:
            file.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", image], check=True, timeout=30)
        (self.dir / "state").mkdir()
        place = self.place(prepare=f"mount -o loop {image} {self.dir}/state")
        inside = f"/proc/{place.inside}/root{self.dir}/state"
        thaw = ["fsfreeze", "--unfreeze", inside]
        subprocess.run(["fsfreeze", "--freeze", inside], check=True, timeout=10)
        self.addCleanup(subprocess.run, thaw, check=False, stderr=subprocess.DEVNULL, timeout=10)
        self.try_unknown(place, 200)
        for _ in range(5):
            self.assert_alive(place, "while the event log cannot be written", answers=False)
        subprocess.run(thaw, check=True, timeout=10)
        self.assert_alive(place, "after the thaw")


class Surroundings(DeadlockCase):
    def test_names_that_nobody_resolves(self):
        """Name service files that block who opens them: whoever looked up a user or a time zone would wait forever."""
        place = self.place()
        os.mkfifo(f"/proc/{place.inside}/root/mnt/fifo")
        for path in ("/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/hosts",
                     "/etc/localtime"):
            if place.exists(path):
                self.assertEqual(place.run("mount", "--bind", "/mnt/fifo", path).returncode, 0, path)
        for _ in range(5):
            self.assert_alive(place, "without a name service")

    def test_a_filesystem_that_does_not_answer(self):
        """A FUSE filesystem whose daemon hangs, as a network filesystem whose server is gone."""
        if not os.path.exists("/dev/fuse"):
            self.skipTest("no /dev/fuse")
        place = self.place()
        os.mkdir(f"/proc/{place.inside}/root/mnt/hung")

        def mount():
            fd = os.open("/dev/fuse", os.O_RDWR)
            options = f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()
            if libc.mount(b"hung", b"/mnt/hung", b"fuse", 0, options) != 0:
                raise OSError(ctypes.get_errno())
        self.in_mounts_of(place, mount)
        waiting = place.popen("cat", "/mnt/hung/file", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.finish(waiting)
        for _ in range(5):
            self.assert_alive(place, "beside a filesystem that does not answer")
        self.assertIsNone(waiting.poll())
        # what is mounted while it hangs is covered too
        self.assertEqual(place.run("mount", "-t", "tmpfs", "later", "/media").returncode, 0)
        place.write("/media/intruder", pathlib.Path(shutil.which("touch")).read_bytes() + os.urandom(16))
        time.sleep(1)
        place.run("/media/intruder", "/media/trace", timeout=SOON)
        self.assertFalse(place.exists("/media/trace"))

    def test_mounts_that_come_and_go(self):
        place = self.place()
        churn = place.popen("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
                            "mount -t tmpfs new /media; cat /proc/self/comm >/media/file; cat /media/file; "
                            "umount /media; done", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while churn.poll() is None:
            self.assert_alive(place, "while mounts come and go", answers=False)
        out, err = churn.communicate()
        self.assertEqual(out, "cat\n" * 20, err)
        self.assert_alive(place, "after mounts came and went")

    def test_network_namespaces_come_and_go(self):
        place = self.place(prepare="mount -t tmpfs run /run")
        for _ in range(3):
            done = place.run("ip", "netns", "add", "rtguard-test", timeout=SOON)
            self.assertEqual(done.returncode, 0, done.stderr)
            for pid in (place.supervisor_pid(), place.worker("guard")):
                self.assertIsNotNone(pid)
            self.assert_alive(place, "with a new network namespace")
            self.assertEqual(place.run("ip", "netns", "delete", "rtguard-test", timeout=SOON).returncode, 0)

    def test_what_it_keeps_is_removed(self):
        """A cleaner of temporary files takes its state and its socket away."""
        place = self.place()
        shutil.rmtree(place.state)
        place.control.unlink()
        for _ in range(3):
            self.assert_alive(place, "without state and socket", answers=False)
        os.kill(place.supervisor_pid(), signal.SIGTERM)
        self.assertEqual(place.supervisor.wait(20), 0)


class Load(DeadlockCase):
    def test_a_flood_of_unknown_programs(self):
        place = self.place()
        flood = [place.popen("sh", "-c", f"i=0; while [ $i -lt 300 ]; do {self.intruder} /mnt/trace; i=$((i+1)); done",
                             stderr=subprocess.DEVNULL) for _ in range(4)]
        self.finish(*flood)
        while any(process.poll() is None for process in flood):
            self.assert_alive(place, "in a flood")
        self.assertFalse(place.exists("/mnt/trace"))

    def test_a_package_is_unpacked(self):
        """Thousands of new files, written, renamed, opened, some of them executables that are not known."""
        place = self.place()
        tree = pathlib.Path(f"/proc/{place.inside}/root/mnt/package")
        tree.mkdir()
        for i in range(1500):
            (tree / f"file-{i}").write_bytes(b"content %d" % i)
        copies = [place.popen("cp", "-r", "/mnt/package", f"/mnt/copy-{n}") for n in range(3)]
        self.finish(*copies)
        while any(process.poll() is None for process in copies):
            self.assert_alive(place, "while a package is unpacked")
        self.assertEqual([process.returncode for process in copies], [0, 0, 0])
        for n in range(3):
            self.assertEqual(len(os.listdir(f"/proc/{place.inside}/root/mnt/copy-{n}")), 1500)

    def test_it_does_not_slow_down(self):
        place = self.place()
        tree = pathlib.Path(f"/proc/{place.inside}/root/mnt/many")
        tree.mkdir()
        for i in range(6000):
            (tree / f"file-{i:04}").write_bytes(b"content %d" % i)

        def opened(thousand):
            begin = time.monotonic()
            done = place.run("sh", "-c", f"cat /mnt/many/file-{thousand}*", timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            return time.monotonic() - begin
        first = opened(0)
        memory = self.resident_kib(place.worker("guard"))
        for thousand in range(1, 5):
            opened(thousand)
        last = opened(5)
        self.assertLess(last, 3 * first + 0.5)
        self.assertLess(self.resident_kib(place.worker("guard")), memory + 4096)

    @staticmethod
    def resident_kib(pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def test_descriptors_run_out(self):
        place = self.place()
        held = [place.supervisor_pid(), place.worker("guard")]
        before = [resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in held]
        for pid in held:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")) + 2, before[0][1]))
        for i in range(100):
            place.write(f"/mnt/text-{i}", os.urandom(1000), 0o644)
        readers = [place.popen("cat", f"/mnt/text-{i}", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                   for i in range(100)]
        self.finish(*readers)
        self.assertTrue(wait_until(lambda: all(process.poll() is not None for process in readers), 30), "some wait still")
        trace = "/mnt/trace-short"
        place.run("sh", "-c", f"{self.intruder} {trace}", timeout=SOON)
        self.assertFalse(place.exists(trace))
        for pid, limit in zip(held, before):
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
        self.assert_alive(place, "after descriptors ran out")

    def test_no_descriptor_is_left_behind(self):
        place = self.place()
        self.assert_alive(place)
        before = len(os.listdir(f"/proc/{place.supervisor_pid()}/fd"))
        place.run("sh", "-c", f"i=0; while [ $i -lt 500 ]; do {self.intruder}; cat /mnt/intruder; i=$((i+1)); done "
                  ">/dev/null 2>&1", timeout=120)
        self.assert_alive(place)
        self.assertLessEqual(len(os.listdir(f"/proc/{place.supervisor_pid()}/fd")), before + 3)

    def test_memory_runs_out(self):
        place = self.place()
        for pid in (place.supervisor_pid(), place.worker("guard")):
            if MAY_SPARE_FROM_OOM:
                self.assertEqual(pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text(), "-1000\n")
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            size = int(status.split("VmSize:")[1].split()[0]) * 1024
            resource.prlimit(pid, resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))
        for _ in range(3):
            self.assert_alive(place, "without memory", answers=False)
        place.run("sh", "-c", f"i=0; while [ $i -lt 200 ]; do {self.intruder}; i=$((i+1)); done 2>/dev/null", timeout=60)
        self.assert_alive(place, "after a flood without memory", answers=False)


class Processes(DeadlockCase):
    def test_every_signal_to_each_process(self):
        place = self.place()
        orderly = {signal.SIGTERM, signal.SIGINT}
        for name in ("guard", "sweeper", "supervisor"):
            for number in sorted(set(signal.Signals) - (orderly if name == "supervisor" else set())):
                self.assertTrue(wait_until(lambda who=name: self.process(place, who), SOON), f"no {name}")
                os.kill(self.process(place, name), number)
                self.assert_alive(place, f"after {number.name} to the {name}", answers=False)
                with contextlib.suppress(ProcessLookupError, TypeError):
                    os.kill(self.process(place, name), signal.SIGCONT)
                place.supervisor.send_signal(signal.SIGCONT)  # nsenter stops with what it started
                if name == "supervisor" and not place.supervisor_pid():
                    place.supervisor.wait(SOON)
                    place.start()
        self.assert_alive(place, "after every signal")

    @staticmethod
    def process(place, name):
        return place.supervisor_pid() if name == "supervisor" else place.worker(name)

    def test_an_interrupt_from_the_terminal_releases_everything(self):
        place = self.place()
        self.assert_alive(place)
        os.kill(place.supervisor_pid(), signal.SIGINT)
        self.assertEqual(place.supervisor.wait(20), 0)
        place.run(self.intruder, "/mnt/trace", timeout=SOON)
        self.assertTrue(place.exists("/mnt/trace"), "unknown content still waits, or is denied")
        self.assertEqual(place.run("cat", "/proc/self/comm", timeout=SOON).stdout, "cat\n")

    def test_the_guard_is_traced(self):
        """A debugger stops it in the middle of its work."""
        place = self.place()
        guard = place.worker("guard")
        if libc.ptrace(PTRACE_ATTACH, guard, None, None) != 0:
            self.skipTest("may not trace here")
        try:
            self.assert_alive(place, "while the guard is traced")
        finally:
            libc.ptrace(PTRACE_DETACH, guard, None, None)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(guard, os.WNOHANG)
        self.assert_alive(place, "afterwards")

    def test_the_supervisor_is_frozen(self):
        place = self.place()
        os.kill(place.supervisor_pid(), signal.SIGSTOP)
        for _ in range(5):
            self.assert_alive(place, "while the supervisor is frozen", answers=False)
        place.run("sh", "-c", f"i=0; while [ $i -lt 500 ]; do {self.intruder}; i=$((i+1)); done 2>/dev/null", timeout=60)
        self.assert_alive(place, "after findings that nobody took", answers=False)
        os.kill(place.supervisor_pid(), signal.SIGCONT)
        self.assert_alive(place, "after it goes on")


class Talking(DeadlockCase):
    def test_asking_inside_again_and_again(self):
        """The client is held like anybody else while the agent serves it."""
        place = self.place()
        asking = place.popen("sh", "-c", f"i=0; while [ $i -lt 50 ]; do {RTGUARD} status --json --control "
                             f"{place.control} >/dev/null; [ $? -le 1 ] || exit 2; i=$((i+1)); done")
        self.finish(asking)
        while asking.poll() is None:
            self.assert_alive(place, "while it is asked inside", answers=False)
        self.assertEqual(asking.returncode, 0)

    def test_reloading_under_load(self):
        place = self.place()
        load = place.popen("sh", "-c", "while :; do cat /proc/self/comm; done >/dev/null")
        self.finish(load)
        for _ in range(10):
            done = place.ask("reload", timeout=20)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_alive(place, "after a reload under load")
        self.assertIsNone(load.poll())

    def test_a_client_of_nobody(self):
        """The socket file is there and nobody serves it: a client does not wait forever; who is frozen is let go on."""
        place = self.place()
        supervisor = place.supervisor_pid()
        os.kill(supervisor, signal.SIGSTOP)
        self.assertEqual(place.ask("status", timeout=30).returncode, 0)
        os.kill(supervisor, signal.SIGKILL)
        place.supervisor.send_signal(signal.SIGCONT)  # nsenter stops with what it started
        place.supervisor.wait(20)
        self.assertEqual(place.ask("status", timeout=SOON).returncode, 2)
        self.assert_alive(place, "after its supervisor was killed", answers=False)


if __name__ == "__main__":
    harness.main()
