#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`sudo rtguard learn` typed into an ssh shell: the session that started it is left out, the rest of the machine
is not. With --include-session it stays in."""
import os
import pathlib
import re
import select
import shutil
import subprocess
import time

import harness
from harness import load

harness.need_tools("ssh", "ssh-keygen", "sudo")
if not os.path.exists("/usr/sbin/sshd"):
    harness.skip("not installed: sshd")
harness.enter_namespaces()


def marker(directory, name):
    """A program of its own: a copy of sleep with bytes behind it that make its checksum unique."""
    path = pathlib.Path(directory) / name
    shutil.copy("/bin/sleep", path)
    with open(path, "ab") as file:
        file.write(name.encode())
    return str(path)


class Session(harness.Case):
    def setUp(self):
        super().setUp()
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.dir / key], check=True)
        shutil.copy(self.dir / "user.pub", self.dir / "authorized_keys")
        os.makedirs("/run/sshd", exist_ok=True)
        os.chmod(self.dir, 0o755)
        (self.dir / "sshd_config").write_text(
            f"Port 2222\nListenAddress 127.0.0.1\nHostKey {self.dir}/host\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {self.dir}/authorized_keys\nPermitRootLogin yes\nStrictModes no\n")
        self.sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(self.dir / "sshd_config")],
                                     stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(self.sshd.wait)
        self.addCleanup(self.sshd.terminate)
        self.assertTrue(harness.wait_until(self.sshd_listens))

    @staticmethod
    def sshd_listens():
        lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()]
        return any(words[1].endswith(":08AE") and words[3] == "0A" for words in lines)

    def read_until(self, fd, pattern, seconds=30):
        """What came until the pattern did. The pseudoterminal's other end draws nothing before it watches."""
        said = b""
        end = time.monotonic() + seconds
        while not re.search(pattern, said):
            ready, _, _ = select.select([fd], [], [], max(0, end - time.monotonic()))
            more = os.read(fd, 4096) if ready else b""
            if not more:
                self.fail(f"no {pattern} in {said}")
            said += more
        return said.decode(errors="replace")

    def learn_in_session(self, *options):
        mine = marker(self.dir, "in-session")
        later = marker(self.dir, "in-session-later")
        other = marker(self.dir, "elsewhere")
        running = marker(self.dir, "elsewhere-before")
        before = subprocess.Popen([running, "30"], start_new_session=True)
        self.addCleanup(before.wait)
        self.addCleanup(before.kill)
        line = (f"{mine} 0.1; (sleep 1.5; nohup {later} 0.2 >/dev/null 2>&1 &) & "
                f"sudo {harness.RTGUARD} learn --cycle 5s -o {self.dir}/p.json {' '.join(options)}; exit\n")
        shell = subprocess.Popen(
            ["ssh", "-tt", "-p", "2222", "-i", str(self.dir / "user"), "-o", "StrictHostKeyChecking=no",
             "-o", f"UserKnownHostsFile={self.dir}/known", "-o", "LogLevel=ERROR", "root@127.0.0.1"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(shell.kill)
        shell.stdin.write(line)
        shell.stdin.flush()
        self.addCleanup(shell.stdout.close)
        said = self.read_until(shell.stdout.fileno(), rb"rtguard learn(  |:)")  # not the echo of the command
        subprocess.run([other, "0.05"], check=True)
        output, _ = shell.communicate(timeout=40)
        output = said + output
        self.assertTrue((self.dir / "p.json").exists(), output)
        return {pathlib.Path(program["path"]).name for program in load(self.dir / "p.json")["policy"]["programs"]}

    def test_left_out(self):
        programs = self.learn_in_session()
        self.assertIn("elsewhere", programs)
        self.assertIn("elsewhere-before", programs)
        self.assertIn("sshd", programs)  # the daemon is the device's own
        self.assertNotIn("in-session", programs)
        self.assertNotIn("in-session-later", programs)
        self.assertNotIn("sudo", programs)
        self.assertNotIn("rtguard", programs)

    def test_included_on_request(self):
        programs = self.learn_in_session("--include-session")
        self.assertIn("elsewhere", programs)
        self.assertIn("in-session-later", programs)
        self.assertIn("sudo", programs)
        self.assertNotIn("rtguard", programs)


if __name__ == "__main__":
    harness.main()
