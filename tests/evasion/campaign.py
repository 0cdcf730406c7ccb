# SPDX-License-Identifier: GPL-2.0-or-later
"""All tricks under one agent, in fresh guests: what came of each."""
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "vm"))
sys.dont_write_bytecode = True
import vm  # noqa: E402

BIN = pathlib.Path(os.environ.get("EVASION_BIN", HERE / "../../build/tests/evasion"))
RTGUARD = pathlib.Path(os.environ.get("RTGUARD", HERE / "../../build/agent/rtguard"))

# Built programs; in the guest's loot the last has a shorter name.
LOOT = {name: name for name in ["intruder", "intruder-static", "intruder-static-pie", "intruder-raw", "intruder-32",
                                "intruder-odd", "library.so", "libvictim.so", "victim"]}
LOOT["intruder-library"] = "intruder-library.so"
ALLOWED = ["evade", "victim", "libvictim.so"]
LOOT_KEY = 0xA5  # as kit.c has it
EVIL_SCRIPT = '#!/bin/sh\n: >"$TRACE"\n'


@dataclasses.dataclass
class Agent:
    """Who guards: guest/agent-NAME with its settings."""
    name: str
    settings: dict = dataclasses.field(default_factory=dict)


AGENTS = {
    "none": Agent("none"),
    "enforce": Agent("rtguard", {"MODE": "enforce"}),
    "audit": Agent("rtguard", {"MODE": "audit"}),
    "fapolicyd": Agent("fapolicyd", {"POLICY": "known-libs"}),
    "fapolicyd-restrictive": Agent("fapolicyd", {"POLICY": "restrictive"}),
}


class CampaignFailed(Exception):
    pass


@dataclasses.dataclass
class Outcome:
    id: str
    user: str
    trace: bool  # unknown code ran
    status: int  # of the trick; -1: not over in time
    seconds: float
    said: str
    hung: bool = False  # the whole machine did not go on after it


@dataclasses.dataclass
class Campaign:
    outcomes: dict  # (id, user) → Outcome
    out: dict  # name → text: what the agent left
    seconds: float


def tricks():
    """The table as evade has it: one entry for each trick and user."""
    said = subprocess.run([BIN / "evade", "list"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [json.loads(line) for line in said.splitlines()]


def encoded(data):
    return data.translate(bytes(byte ^ LOOT_KEY for byte in range(256)))


def fill(payload, agent, settings):
    payload.add(HERE / "guest/run")
    payload.add(HERE / f"guest/agent-{agent.name}", "agent")
    payload.write("settings", "".join(f"{name}='{value}'\n" for name, value in settings.items()), mode=0o644)
    payload.add(RTGUARD, "rtguard")
    for name in ALLOWED:
        payload.add(BIN / name, f"allowed/{name}")
    for path in (HERE / "allowed").iterdir():
        payload.add(path, f"allowed/{path.name}")
    (payload.directory / "loot").mkdir()
    for name, built in LOOT.items():
        (payload.directory / "loot" / name).write_bytes(encoded((BIN / built).read_bytes()))
    (payload.directory / "loot/evil.sh").write_bytes(encoded(EVIL_SCRIPT.encode()))


def run_once(agent, settings, timeout):
    """One guest. Returns (outcomes in order, id of the trick at which it hung or None, what it left, seconds)."""
    with vm.Payload() as payload, tempfile.TemporaryDirectory() as out:
        fill(payload, agent, settings)
        result = vm.run(payload.directory, timeout=timeout, out=out)
        left = {path.name: path.read_text(errors="replace") for path in pathlib.Path(out).iterdir() if path.is_file()}
    outcomes = []
    current = None
    for line in result.log.splitlines():
        if line.startswith("next: "):
            current = line.split()[1]
        elif line.startswith('{"id": '):
            try:
                outcomes.append(Outcome(**json.loads(line)))
            except json.JSONDecodeError:  # cut where the machine ended
                break
    if result.status != 0 and not current:
        raise CampaignFailed(f"the guest ended with {result.status} after {len(outcomes)} results and "
                             f"{result.seconds:.0f} s:\n{result.log[-3000:]}\n{result.console[-2000:]}")
    return outcomes, current if result.status != 0 else None, left, result.seconds


def run(name, *, settings=None, tries=100, timeout=300, ids=None):
    """Runs all tricks under AGENTS[name], or those of ids that disturb; where the machine hangs at one, goes on with
    the next in another. Raises CampaignFailed."""
    agent = AGENTS[name]
    table = tricks()
    disturbing = list(dict.fromkeys(trick["id"] for trick in table if trick["disturbs"]))
    everything = {"SETTINGS": "", "TRIES": tries, **agent.settings, **(settings or {})}
    campaign = Campaign({}, {}, 0)
    calm = "yes" if ids is None else ""
    left = [one for one in disturbing if ids is None or one in ids]
    while left or calm:
        outcomes, hung, files, seconds = run_once(agent, {**everything, "CALM": calm, "DISTURBING": " ".join(left)},
                                                  timeout)
        campaign.outcomes.update({(outcome.id, outcome.user): outcome for outcome in outcomes})
        campaign.out.update({f"{name}{'' if calm else '-' + left[0]}": text for name, text in files.items()})
        campaign.seconds += seconds
        calm = ""
        if not hung:
            break
        for trick in table:
            if trick["id"] == hung:
                nothing = Outcome(hung, trick["user"], False, -1, 0, "")
                campaign.outcomes.setdefault((hung, trick["user"]), nothing).hung = True
        left = left[left.index(hung) + 1:]
        timeout = 90
    return campaign
