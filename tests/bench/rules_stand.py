# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benchmarks of rules share: hosts side by side on one bridge, each under other rules, and tables of medians."""
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

BENCH = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(sys.argv[1]).resolve()
os.environ["RTGUARD"] = str(BUILD / "agent/rtguard")
sys.path.insert(0, str(BENCH.parent / "network"))
import guarded  # noqa: E402 pylint: disable=wrong-import-position
import world  # noqa: E402 pylint: disable=wrong-import-position

TOOLS = BUILD / "tests/bench"
TIMES = TOOLS / "rules_times"
TARGET = "198.51.100.10"  # of rules_servers
ECHO, CONNECT, PUT, GET = 7000, 7001, 7002, 7003
PEER_PORT = 8883
BACKENDS = guarded.BACKENDS
ROUNDS = int(os.environ.get("ROUNDS", "7"))


def peers(count, step=0):
    """Addresses, others for each step."""
    return [f"93.{100 + step}.{n >> 8}.{n & 255}" for n in range(count)]


def profile(count, step=0, program=None):
    """So many peers, and what the measurements talk to."""
    entries = [guarded.connection("tcp", f"address {peer}/32", PEER_PORT) for peer in peers(count, step)]
    entries.append(guarded.connection("udp", f"address {TARGET}/32", ECHO))
    entries += [guarded.connection("tcp", f"address {TARGET}/32", port, program) for port in (CONNECT, PUT, GET)]
    entries.append(guarded.connection("tcp", "domain bench.example", 443))
    return guarded.profile_of(entries)


def peer_list(count, first=()):
    """iptables-restore's text: a rule for each peer, those that the measurements talk to at the end."""
    rules = [f"-A OUTPUT -d {peer}/32 -p tcp --dport {PEER_PORT} -j ACCEPT" for peer in peers(count)]
    rules.append(f"-A OUTPUT -d {TARGET}/32 -p udp --dport {ECHO} -j ACCEPT")
    rules += [f"-A OUTPUT -d {TARGET}/32 -p tcp --dport {port} -j ACCEPT" for port in (CONNECT, PUT, GET)]
    return "\n".join(["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT DROP [0:0]", *first, *rules, "COMMIT", ""])


ESTABLISHED = "-A OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"


class Stand:
    """with Stand() as stand: hosts under other rules each, and servers that they all talk to."""

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.hosts = {}
        try:
            self.world = self.stack.enter_context(world.World())
            self.directory = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="rtguard-bench.")))
            servers = subprocess.Popen([TOOLS / "rules_servers", TARGET, world.ROUTER], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
            self.stack.callback(world.stop_process, servers)
            if servers.stdout.readline() != "ready\n":
                raise RuntimeError("the servers do not start")
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_):
        self.stack.close()

    def bare(self, name):
        number = len(self.hosts) + 10
        host = self.hosts[name] = self.world.appliance_at(f"place{number}", f"10.77.0.{number}", f"fd77::{number:x}")
        return host

    def filtered(self, name, text):
        host = self.bare(name)
        host.must("iptables-legacy-restore", input=text)
        return host

    def guarded(self, name, backend, content, *options):
        host = self.bare(name)
        directory = self.directory / f"guard{len(self.hosts)}"
        directory.mkdir()
        return self.stack.enter_context(guarded.Guard(host, directory, content, backend, *options))

    def by_turns(self, *command, rounds=ROUNDS, names=None):
        """The same in each host, so often: name → a list of what it printed, numbers."""
        got = {name: [] for name in names or self.hosts}
        for _ in range(rounds):
            for name, lines in got.items():
                lines.append(times(self.hosts[name], *command))
        return got


def times(host, *command):
    done = host.run(TIMES, *command, timeout=120)
    if done.stderr:
        print(f"{host.name}: {done.stderr.strip()}", file=sys.stderr)
    return [float(word) for word in done.stdout.split()]


def median(lines, column):
    return statistics.median(line[column] for line in lines)


def table(title, heads, rows):
    print(f"\n{title}")
    rows = [[cell if isinstance(cell, str) else number(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    for row in [heads, *rows]:
        print("  ".join(cell.ljust(width) if not i else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))))
    sys.stdout.flush()


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 100 else f"{value:.2f}"
