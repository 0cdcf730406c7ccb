#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""learn --update: exactly what an installation changed and what running it needs. In a root file system of the
test's own, with the system's own dpkg."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading

import harness

harness.enter_namespaces()
harness.need_tools("dpkg", "dpkg-deb", "ldconfig", "xz", "env", "chroot")

TOOLS = ["dpkg", "dpkg-deb", "dpkg-split", "dpkg-query", "tar", "rm", "sh", "ldconfig", "cat", "cp", "mv", "chmod",
         "true", "diff", "env", "mkdir", "touch", "start-stop-daemon"]
FILES = ["/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/passwd"]


def libraries(program):
    """What ldd names: libraries and the loader, by the paths that are looked up."""
    result = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return re.findall(r"(/[^\s:]+) \(0x", result.stdout)


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


class Root:
    """A small system that dpkg works in."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        for directory in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc", "proc", "run", "tmp", "home/u",
                          "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log", "opt", "profiles"):
            (self.path / directory).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (self.path / name).symlink_to(f"usr/{name}")
        for name in ("status", "available"):
            (self.path / "var/lib/dpkg" / name).touch()
        for name in FILES:
            if os.path.isdir(name):
                shutil.copytree(name, self / name)
            elif os.path.exists(name):
                shutil.copy(name, self / name)
        for tool in TOOLS:
            self.add_program(shutil.which(tool))
        self.add_program(harness.RTGUARD, "/rtguard")
        subprocess.run(["mount", "-t", "proc", "proc", self / "/proc"], check=True)
        subprocess.run(["chroot", self.path, "/usr/sbin/ldconfig"], check=False, capture_output=True)

    def __truediv__(self, path):
        return self.path / str(path).lstrip("/")

    def add_program(self, source, to=None):
        self.add(source, to or os.path.realpath(source))
        if not to and os.path.basename(source) != os.path.basename(os.path.realpath(source)):
            link = self / "/usr/bin" / os.path.basename(source)
            link.symlink_to(os.path.basename(os.path.realpath(source)))
        for library in libraries(source):
            self.add_library(library)

    def add_library(self, library):
        real = os.path.realpath(library)
        self.add(real, real)
        link = self / os.path.realpath(os.path.dirname(library)) / os.path.basename(library)
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(os.path.relpath(self / real, link.parent))

    def add(self, source, to):
        to = self / to
        to.parent.mkdir(parents=True, exist_ok=True)
        if not to.exists():
            shutil.copy(source, to)

    def libraries_of(self, program):
        return sorted({os.path.realpath(library) for library in libraries(program)})

    def unmount(self):
        subprocess.run(["umount", "--lazy", self / "/proc"], check=True)


class Update(harness.Case):
    def setUp(self):
        super().setUp()
        mount = self.dir / "root"
        mount.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", mount], check=True)
        self.root = Root(mount)
        self.profile = self.root / "/profiles/p.json"
        self.write_profile()

    def tearDown(self):
        self.root.unmount()
        subprocess.run(["umount", "--lazy", self.dir / "root"], check=True)
        super().tearDown()

    def program(self, path, **more):
        return {"path": path, "sha256": sha256(self.root / path), "phase": "both", "users": ["root"], "parents": [],
                "arguments": "any", **more}

    def write_profile(self, programs=(), scripts=(), libraries_=None, **more):
        """With the shell and its libraries, unless it is told otherwise."""
        shell = os.path.realpath(shutil.which("sh"))
        known = self.root.libraries_of(shell) if libraries_ is None else libraries_
        content = {"format": "rtguard-profile/1",
                   "policy": {"programs": [self.program(shell, arguments=[["-c", "true"]]), *programs],
                              "scripts": list(scripts),
                              "libraries": [{"path": path, "sha256": sha256(self.root / path)} for path in known]},
                   **more}
        self.profile.write_text(json.dumps(content))

    def update(self, *command, code=0, more=()):
        result = subprocess.run(["chroot", self.root.path, "/rtguard", "learn", "--update", "/profiles/p.json",
                                 "--json", *more, "--", *command], capture_output=True, text=True, check=False,
                                timeout=100)
        self.assertEqual(result.returncode, code, result.stderr + result.stdout)
        return json.loads(result.stdout) if result.stdout else result.stderr

    def package(self, name, files, version="1", scripts=None):
        """A .deb in /tmp of the root. files: path → content, or a path to copy; x bit by the first bytes."""
        tree = self.dir / f"{name}-{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(f"Package: {name}\nVersion: {version}\nArchitecture: all\n"
                                             "Maintainer: nobody\nDescription: for a test\n")
        for script, content in (scripts or {}).items():
            (tree / "DEBIAN" / script).write_text(content)
            (tree / "DEBIAN" / script).chmod(0o755)
        for path, content in files.items():
            to = tree / path.lstrip("/")
            to.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, pathlib.Path):
                shutil.copy(content, to)
            else:
                to.write_text(content)
                to.chmod(0o755 if content.startswith("#!") else 0o644)
        package = self.root / f"/tmp/{name}_{version}.deb"
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Zgzip", tree, package], check=True,
                       stdout=subprocess.DEVNULL)
        return f"/tmp/{name}_{version}.deb"

    def paths(self, delta, change, kind):
        return sorted(entry["path"] for entry in delta[change][kind])

    def assert_delta(self, delta, change, programs=(), scripts=(), libraries_=()):
        self.assertEqual(self.paths(delta, change, "programs"), sorted(programs), change)
        self.assertEqual(self.paths(delta, change, "scripts"), sorted(scripts), change)
        self.assertEqual(self.paths(delta, change, "libraries"), sorted(libraries_), change)

    def policy(self):
        return harness.load(self.profile)["policy"]

    # --- a package

    def test_a_package_with_all_that_it_needs(self):
        """A dynamic program, whose libraries the system has and the profile has not; scripts; and nothing of what
        only installing it took."""
        tool = pathlib.Path(os.path.realpath(shutil.which("xz")))
        for library in libraries(tool):
            self.root.add_library(library)
        package = self.package("tool", {
            "/usr/bin/new-tool": tool,
            "/usr/bin/new-script": "#!/bin/sh\ntrue\n",
            "/usr/bin/strict-script": "#!/bin/sh -e\ntrue\n",
            "/etc/init.d/tool": "#!/bin/sh\ntrue\n",
            "/usr/share/tool/data": "no code\n",
            "/usr/share/doc/tool/example.sh": "#!/bin/sh\ntrue\n",
        }, scripts={"postinst": "#!/bin/sh\ncp /usr/bin/true /tmp/helper\n/tmp/helper\nexit 0\n"})
        delta = self.update("dpkg", "-i", package)
        shell = os.path.realpath(shutil.which("sh"))
        known = self.root.libraries_of(shell)
        self.assert_delta(delta, "added", ["/usr/bin/new-tool"],
                          ["/etc/init.d/tool", "/usr/bin/new-script", "/usr/bin/strict-script"],
                          [path for path in self.root.libraries_of(tool) if path not in known])
        self.assert_delta(delta, "changed", [shell])
        self.assert_delta(delta, "removed")
        program = delta["added"]["programs"][0]
        self.assertEqual((program["sha256"], program["phase"], program["users"], program["arguments"]),
                         (sha256(tool), "steady", [], "any"))
        self.assertEqual({entry["interpreter"] for entry in delta["added"]["scripts"]}, {shell})
        # "sh -e SCRIPT" has to be permitted word by word; what was learnt stays
        self.assertEqual(sorted(delta["changed"]["programs"][0]["arguments"]),
                         [["-c", "true"], ["-e", "/usr/bin/strict-script"]])
        self.assertTrue((self.root / "/tmp/helper").exists())
        self.assertEqual(delta["command_status"], 0)
        self.assertEqual(harness.load(self.profile)["evidence"]["updates"][0]["command"], "dpkg")

    def test_the_loader_and_all_libraries(self):
        self.write_profile(libraries_=[])
        delta = self.update("cp", "/usr/bin/touch", "/usr/bin/t")
        self.assert_delta(delta, "added", ["/usr/bin/t"], libraries_=self.root.libraries_of("/usr/bin/touch"))

    def test_a_library_that_names_a_loader_is_no_program(self):
        libc = [path for path in self.root.libraries_of("/usr/bin/touch") if "libc.so" in path or "libc-2" in path]
        if not libc:
            self.skipTest("a C library of another name")
        delta = self.update("sh", "-c", f"cp {libc[0]} /usr/lib/copy.so; chmod 755 /usr/lib/copy.so")
        self.assert_delta(delta, "added", libraries_=["/usr/lib/copy.so"])

    def test_the_next_version_and_the_end(self):
        self.update("dpkg", "-i", self.package("tool", {"/usr/bin/t": "#!/bin/sh\necho 1\n",
                                                        "/usr/bin/old": "#!/bin/sh\necho old\n"}))
        first = sha256(self.root / "/usr/bin/t")
        delta = self.update("dpkg", "-i", self.package("tool", {"/usr/bin/t": "#!/bin/sh\necho 2\n"}, version="2"))
        self.assert_delta(delta, "added")
        self.assert_delta(delta, "changed", scripts=["/usr/bin/t"])
        self.assert_delta(delta, "removed", scripts=["/usr/bin/old"])
        second = sha256(self.root / "/usr/bin/t")
        self.assertNotEqual(first, second)
        self.assertEqual([entry["sha256"] for entry in self.policy()["scripts"]], [second])
        delta = self.update("dpkg", "-r", "tool")
        self.assert_delta(delta, "removed", scripts=["/usr/bin/t"])
        self.assertEqual(self.policy()["scripts"], [])

    def test_a_changed_program_keeps_what_was_learnt_of_it(self):
        shutil.copy(self.root / "/usr/bin/cat", self.root / "/usr/bin/daemon")
        self.write_profile(programs=[self.program("/usr/bin/daemon", users=["u"], parents=["/sbin/init"])])
        delta = self.update("cp", "/usr/bin/touch", "/usr/bin/daemon")
        changed = [entry for entry in delta["changed"]["programs"]]
        self.assertEqual(len(changed), 1)
        self.assertEqual((changed[0]["users"], changed[0]["parents"], changed[0]["phase"]),
                         (["u"], ["/sbin/init"], "both"))
        self.assertEqual(changed[0]["sha256"], sha256(self.root / "/usr/bin/touch"))
        self.assert_delta(delta, "removed")

    # --- what counts and what does not

    def test_only_what_the_command_changed(self):
        shutil.copy(self.root / "/usr/bin/true", self.root / "/usr/bin/was-there")
        shutil.copy(self.root / "/usr/bin/true", self.root / "/usr/bin/gone")
        gone = self.program("/usr/bin/gone")
        (self.root / "/usr/bin/gone").unlink()
        self.write_profile(programs=[gone])
        before = self.profile.read_text()
        delta = self.update("true")
        for change in ("added", "changed", "removed"):
            self.assert_delta(delta, change)
        self.assertFalse(delta["written"])
        self.assertEqual(self.profile.read_text(), before)

    def test_places_and_files_that_do_not_count(self):
        delta = self.update("sh", "-c", """
            cp /usr/bin/true /tmp/p; cp /usr/bin/true /home/u/p; cp /usr/bin/true /run/p
            mkdir -p /var/cache/x; cp /usr/bin/true /var/cache/x/p; cp /usr/bin/true /usr/bin/x.dpkg-new
            cp /usr/bin/true /usr/bin/no-x; chmod -x /usr/bin/no-x; echo text > /usr/bin/text; chmod +x /usr/bin/text
            cp /usr/bin/true /opt/p; mkdir /opt/tmp; cp /usr/bin/true /opt/tmp/p""")
        self.assertEqual(self.paths(delta, "added", "programs"), ["/opt/p", "/opt/tmp/p"])

    def test_what_the_profile_has_counts_anywhere(self):
        shutil.copy(self.root / "/usr/bin/true", self.root / "/home/u/p")
        self.write_profile(programs=[self.program("/home/u/p")])
        delta = self.update("cp", "/usr/bin/touch", "/home/u/p")
        self.assertEqual(self.paths(delta, "changed", "programs"), ["/home/u/p"])
        delta = self.update("rm", "/home/u/p")
        self.assertEqual(self.paths(delta, "removed", "programs"), ["/home/u/p"])

    def test_a_program_that_became_a_script(self):
        shutil.copy(self.root / "/usr/bin/true", self.root / "/usr/bin/t")
        self.write_profile(programs=[self.program("/usr/bin/t")])
        delta = self.update("sh", "-c", "echo '#!/bin/sh' > /usr/bin/t")
        self.assert_delta(delta, "removed", ["/usr/bin/t"])
        self.assertEqual(self.paths(delta, "added", "scripts"), ["/usr/bin/t"])

    def test_set_user_id(self):
        delta = self.update("sh", "-c", "cp /usr/bin/true /usr/bin/su-like; chmod 4755 /usr/bin/su-like")
        self.assertEqual(delta["added"]["programs"][0]["users"], ["root"])
        self.assertIn("set-user-ID", " ".join(delta["notes"]))

    # --- interpreters and code

    def test_env_and_a_new_interpreter(self):
        delta = self.update("sh", "-c", """cp /usr/bin/true /usr/bin/python3.99
            printf '#!/usr/bin/env python3.99\\n' > /usr/bin/a; printf '#!/usr/bin/env -S python3.99 -u\\n' > /usr/bin/b
            chmod +x /usr/bin/a /usr/bin/b""")
        env = os.path.realpath(shutil.which("env"))
        self.assertEqual(self.paths(delta, "added", "programs"), sorted([env, "/usr/bin/python3.99"]))
        programs = {entry["path"]: entry for entry in delta["added"]["programs"]}
        self.assertEqual(sorted(programs[env]["arguments"]),
                         [["-S python3.99 -u", "/usr/bin/b"], ["python3.99", "/usr/bin/a"]])
        self.assertEqual(programs["/usr/bin/python3.99"]["arguments"], [["-u", "/usr/bin/b"]])
        self.assertEqual(sorted((entry["path"], entry["interpreter"]) for entry in delta["added"]["scripts"]),
                         sorted([("/usr/bin/a", env), ("/usr/bin/a", "/usr/bin/python3.99"),
                                 ("/usr/bin/b", env), ("/usr/bin/b", "/usr/bin/python3.99")]))
        self.assertIn("/usr/bin/python3.99 runs what its arguments name", " ".join(delta["notes"]))

    def test_modules_of_a_pinned_interpreter(self):
        shutil.copy(self.root / "/usr/bin/true", self.root / "/usr/bin/python3.99")
        self.write_profile(programs=[self.program("/usr/bin/python3.99", arguments=None)])
        delta = self.update("sh", "-c", "mkdir /usr/lib/m; for i in a.py b.pyc c.pl d.txt; do echo x > /usr/lib/m/$i; done")
        self.assert_delta(delta, "added", scripts=["/usr/lib/m/a.py", "/usr/lib/m/b.pyc"])
        self.assertEqual({entry["interpreter"] for entry in delta["added"]["scripts"]}, {"/usr/bin/python3.99"})

    def test_a_missing_interpreter_and_a_missing_library_are_told(self):
        delta = self.update("sh", "-c", "echo '#!/usr/bin/nobody' > /usr/bin/s; chmod +x /usr/bin/s")
        self.assert_delta(delta, "added")
        self.assertIn("/usr/bin/s is for /usr/bin/nobody, which is not there", delta["notes"])
        tool = os.path.realpath(shutil.which("xz"))
        missing = [os.path.basename(path) for path in libraries(tool)
                   if not (self.root / os.path.realpath(path)).exists()]
        if missing:
            shutil.copy(tool, self.root / "/tmp/xz")
            delta = self.update("cp", "/tmp/xz", "/usr/bin/xz")
            self.assertIn(f"/usr/bin/xz needs {missing[0]}", " ".join(delta["notes"]))

    # --- the command and the file

    def test_a_command_that_fails_is_told_and_counts(self):
        delta = self.update("sh", "-c", "cp /usr/bin/true /usr/bin/half; exit 7", code=1)
        self.assertEqual(delta["command_status"], 7)
        self.assertEqual(self.paths(delta, "added", "programs"), ["/usr/bin/half"])
        self.assertIn("/usr/bin/half", [entry["path"] for entry in self.policy()["programs"]])

    def test_a_command_that_does_not_start_changes_nothing(self):
        before = self.profile.read_text()
        self.assertIn("cannot start /nonexistent", self.update("/nonexistent", code=2))
        self.assertEqual(self.profile.read_text(), before)

    def test_the_signature_goes_with_what_it_covered(self):
        subprocess.run([harness.RTGUARD, "keygen", "-o", self.dir / "k"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([harness.RTGUARD, "sign", self.profile, "--key", self.dir / "k.key", "--version", "6"],
                       check=True, stdout=subprocess.DEVNULL)
        delta = self.update("true", more=["-o", "/profiles/same.json"])
        self.assertIsNone(delta["next_version"])
        self.assertEqual(harness.load(self.root / "/profiles/same.json"), harness.load(self.profile))
        signed = self.profile.read_text()
        delta = self.update("cp", "/usr/bin/true", "/usr/bin/new", more=["-o", "/profiles/new.json"])
        self.assertEqual(delta["next_version"], 7)
        self.assertEqual(self.profile.read_text(), signed)
        self.assertIsNone(harness.load(self.root / "/profiles/new.json")["signature"])

    def test_output_for_people(self):
        result = subprocess.run(["chroot", self.root.path, "/rtguard", "learn", "--update", "/profiles/p.json", "--",
                                 "sh", "-c", "echo from the command; cp /usr/bin/true /usr/bin/new"],
                                capture_output=True, text=True, check=True)
        self.assertIn("from the command\n", result.stdout)
        self.assertRegex(result.stdout, r"(?m)^added +program +/usr/bin/new +[0-9a-f]{12}")
        self.assertIn("/profiles/p.json: ", result.stdout)

    # --- enforcement

    def serve(self, answer):
        place = self.root / "/run/rtguard"
        place.mkdir(exist_ok=True)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        server.bind(str(place / "control"))
        server.listen()

        def work():
            peer, _ = server.accept()
            with peer:
                self.asked = json.loads(peer.recv(65536))
                peer.send(json.dumps(answer).encode())

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self.addCleanup(server.close)

    def test_not_while_a_profile_is_enforced(self):
        self.serve({"mode": "enforce"})
        said = self.update("touch", "/tmp/ran", code=2)
        self.assertIn("rtguard mode audit", said)
        self.assertEqual(self.asked["request"], "status")
        self.assertFalse((self.root / "/tmp/ran").exists())

    def test_while_it_is_only_audited(self):
        self.serve({"mode": "audit"})
        self.update("touch", "/tmp/ran")
        self.assertTrue((self.root / "/tmp/ran").exists())


if __name__ == "__main__":
    harness.main()
