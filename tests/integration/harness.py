# SPDX-License-Identifier: GPL-2.0-or-later
"""What the integration tests share: the program under test, private namespaces, the appliance, captures.

Each test file is run as `python3 test_X.py` with these in the environment:
  RTGUARD           the program
  APPLIANCE_BIN     directory of the appliance's programs
  RTGUARD_CAPTURES  public captures; may be absent
Exit codes are meson's: 0 passed, 77 skipped, else failed.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
RTGUARD = os.environ.get("RTGUARD", str(HERE / "../../build/agent/rtguard"))
APPLIANCE = str(HERE / "../appliance/appliance")
APPLIANCE_BIN = os.environ.get("APPLIANCE_BIN", str(HERE / "../../build/tests/appliance"))
CAPTURES = pathlib.Path(os.environ.get("RTGUARD_CAPTURES", HERE / "../../../shared/captures"))


def need_root():
    if os.geteuid() != 0:
        skip("needs root to make namespaces")


def need_captures():
    if not CAPTURES.is_dir():
        skip(f"no captures at {CAPTURES}; set RTGUARD_CAPTURES")


def need_tools(*tools):
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        skip(f"not installed: {', '.join(missing)}")


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(77)


def enter_namespaces():
    """Runs this very test again as process 2 of process, mount and network namespaces of its own."""
    need_root()
    if os.environ.get("IN_NAMESPACES"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    os.environ["IN_NAMESPACES"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child",
                          "--mount-proc", "sh", "-c", 'python3 -W ignore "$0" "$@"; code=$?; exit $code', *sys.argv])


def rtguard(*arguments, timeout=60, user=None, **options):
    """Runs rtguard to its end: .returncode, .stdout, .stderr. user: a number to become, without privileges."""
    command = [RTGUARD, *map(str, arguments)]
    if user is not None:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--inh-caps=-all", *command]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, check=False, **options)


def start(*command, **options):
    return subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, **options)


def start_learning(*arguments, **options):
    """Live learning in the background, handed back once it watches (its first progress line came)."""
    learner = start(RTGUARD, "learn", "--json", *arguments, **options)
    learner.first_line = learner.stdout.readline()
    return learner


def stop_learning(learner, how=signal.SIGINT, timeout=30):
    learner.send_signal(how)
    stdout, stderr = learner.communicate(timeout=timeout)
    return [json.loads(line) for line in stdout.splitlines() if line.startswith("{")], stderr


def on_appliance(*command, timeout=120):
    """Runs a command as a boot service of the appliance."""
    return subprocess.run([APPLIANCE, "--bin", APPLIANCE_BIN, *map(str, command)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout, stdin=subprocess.DEVNULL, check=False)


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def children_of(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


class Case(unittest.TestCase):
    """A test case with a directory of its own, self.dir."""
    maxDiff = None

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="rtguard-test."))
        os.chmod(self.dir, 0o777)
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def assert_trouble(self, done, *words):
        """Exit code 2 and an error that holds all the words, on one line, with nothing like a stack trace."""
        self.assertEqual(done.returncode, 2, done.stderr)
        for word in words:
            self.assertIn(str(word), done.stderr)
        self.assertNotIn("AddressSanitizer", done.stderr)
        self.assertNotIn("runtime error", done.stderr)


def main():
    unittest.main(verbosity=2)
