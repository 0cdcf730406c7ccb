#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What was just learnt is enough: the same work, audited and then enforced, gives no finding. The work is of the
kind that interpreters make hard: sourced files, redirections, modules, temporary files, programs of a millisecond."""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

import harness

harness.need_root()
harness.need_tools("unshare", "perl", "awk", "mktemp")

WORK = """#!/bin/sh
cd {dir}
. ./library.sh
. ./settings
( cat < input ) >/dev/null
while read -r line; do greet "$line"; done < input >/dev/null
sh < fed
sh -c 'exit 0'
sh -c :
awk -f ./program input >/dev/null
perl -I. -MModule -e 'print Module::word()' >/dev/null
/usr/bin/python3 -m package >/dev/null
scratch=$(mktemp {dir}/scratch/XXXXXXXX)
date > "$scratch"
read -r when < "$scratch"
rm "$scratch"
./outer
exit 0
"""

# Process 1 of the namespaces: the agent as a service, then a few rounds of work.
INIT = """#!/bin/sh
"$@" &
agent=$!
sleep 3
for round in 1 2 3; do {dir}/work; sleep 0.3; done
sleep 1
kill -INT $agent
wait $agent
"""


@unittest.skipUnless(os.path.exists("/usr/bin/python3"), "no /usr/bin/python3")
class Learnt(harness.Case):
    def setUp(self):
        # not below /tmp: some of it may be mounted over
        self.dir = pathlib.Path(subprocess.check_output(["mktemp", "-d", "/var/tmp/rtguard-learnt.XXXXXX"], text=True).strip())
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        (self.dir / "scratch").mkdir()
        (self.dir / "package").mkdir()
        self.write("work", WORK.format(dir=self.dir), 0o755)
        self.write("init", INIT.format(dir=self.dir), 0o755)
        self.write("library.sh", "greet() { echo \"$greeting $1\"; }\n")
        self.write("settings", "greeting=hello\n")
        self.write("input", "one\ntwo\n")
        self.write("fed", ": fed\n")
        self.write("program", "{ print $1 }\n")
        self.write("Module.pm", "package Module; sub word { 'word' } 1;\n")
        self.write("package/__main__.py", "import package.other\n")
        self.write("package/other.py", "print('other')\n")
        self.write("inner", "#!/bin/sh\n:\n", 0o755)
        self.write("outer", f"#!{self.dir}/inner\n", 0o755)

    def write(self, name, text, mode=0o644):
        path = self.dir / name
        path.write_text(text)
        path.chmod(mode)

    def boot(self, *agent):
        command = ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc",
                   str(self.dir / "init"), harness.RTGUARD, *map(str, agent)]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"}
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=90,
                              stdin=subprocess.DEVNULL, check=False, env=environment)

    def findings(self, *options):
        """Those about processes of these namespaces; others have no pid here."""
        state = self.dir / ("state" + "".join(options))
        done = self.boot("enforce", self.dir / "profile.json", "--yes", "--allow-unsigned", "--control",
                         self.dir / "control", "--state", state, *options)
        events = [json.loads(line) for path in sorted((state / "events").glob("*")) for line in path.read_text().splitlines() if line.startswith("{")]
        self.assertTrue(events, done.stderr)
        return [{key: event.get(key) for key in ("kind", "path", "program", "arguments", "layer", "repeats")}
                for event in events if event["event"] == "finding" and event.get("pid")]

    def missing(self, profile, findings):
        """Findings of what is not in the profile. Arguments that are in it, or that were gone before they could be
        read, say nothing of learning."""
        vectors = {program["path"]: program["arguments"] for program in profile["policy"]["programs"]}
        return [finding for finding in findings
                if finding["kind"] != "arguments-unknown" or
                finding["arguments"] and finding["arguments"][1:] not in vectors.get(finding["path"], [])]

    def test_no_finding(self):
        self.boot("learn", "--cycle", "1h", "--include-session", "--journal", self.dir / "journal", "-o",
                  self.dir / "profile.json")
        profile = harness.load(self.dir / "profile.json")
        shell = os.path.realpath("/bin/sh")
        reads = next(program["reads"] for program in profile["policy"]["programs"] if program["path"] == shell)
        self.assertIn(f"{self.dir}/settings", reads)
        self.assertIn(f"{self.dir}/scratch/", reads)
        self.assertEqual(self.missing(profile, self.findings("--audit")), [])
        self.assertEqual(self.missing(profile, self.findings()), [])


if __name__ == "__main__":
    harness.main()
