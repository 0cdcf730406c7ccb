#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of outcomes in docs/threat-model.md.

  report.py run [DIR]     tries everything under every agent (ten minutes), keeps the outcomes in DIR, writes the table
  report.py write DIR     writes the table from such outcomes
  report.py check         whether the table has a line for each trick, as it is today
"""
import dataclasses
import json
import pathlib
import sys
import tempfile

import campaign

DOCUMENT = campaign.HERE.parent.parent / "docs/threat-model.md"
BEGIN = "<!-- outcomes: written by tests/evasion/report.py -->"
END = "<!-- end of outcomes -->"
COLUMNS = {"enforce": "rtguard", "fapolicyd": "fapolicyd", "fapolicyd-restrictive": "fapolicyd, restrictive"}


def groups(table):
    """The attacks, each with its users, in the list's order."""
    found = {}
    for trick in table:
        if not trick["control"]:
            found.setdefault(trick["id"], []).append(trick)
    return sorted(found.values(), key=lambda users: users[0]["row"])


def word(outcome):
    if outcome is None:
        return "not tried"
    if outcome["trace"]:
        return "**passes**"
    return "machine hangs" if outcome["hung"] else "stopped"


def cell(outcomes, users):
    words = {user["user"]: word(outcomes.get((user["id"], user["user"]))) for user in users}
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return ", ".join(f"{user}: {said}" for user, said in words.items())


def line_start(users):
    who = "both" if len(users) == 2 else users[0]["user"]
    return f"| {users[0]['row']} | {users[0]['title']} | {who} |"


def lines(table, results):
    """Markdown. results: agent → {(id, user): outcome as a dict}."""
    yield "| # | Attack | as | " + " | ".join(COLUMNS.values()) + " |"
    yield "|---|---|---|" + "---|" * len(COLUMNS)
    attacks = groups(table)
    for users in attacks:
        yield line_start(users) + "".join(f" {cell(results[agent], users)} |" for agent in COLUMNS)
    keys = [(user["id"], user["user"]) for users in attacks for user in users]
    counts = []
    for agent in COLUMNS:
        stopped = sum(1 for key in keys if word(results[agent].get(key)) == "stopped")
        counts.append(f"{stopped} of {len(keys)}")
    yield "| | **stopped** | | " + " | ".join(counts) + " |"
    yield ""
    yield "| # | What rtguard cannot stop on the guest's kernel | Why | What closes it |"
    yield "|---|---|---|---|"
    for users in attacks:
        trick = users[0]
        if trick["limit"]:
            setting = f" (`{trick['setting']}`)" if trick["setting"] else ""
            yield f"| {trick['row']} | {trick['title']} | {trick['limit']} | {trick['remedy']}{setting} |"


def load(directory):
    results = {}
    for agent in COLUMNS:
        outcomes = json.loads((pathlib.Path(directory) / f"{agent}.json").read_text())
        results[agent] = {(outcome["id"], outcome["user"]): outcome for outcome in outcomes}
    return results


def write(directory):
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    table = "\n".join(lines(campaign.tricks(), load(directory)))
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


def run(directory):
    for agent in COLUMNS:
        done = campaign.run(agent, timeout=600)
        outcomes = [dataclasses.asdict(outcome) for outcome in done.outcomes.values()]
        (pathlib.Path(directory) / f"{agent}.json").write_text(json.dumps(outcomes))
        print(f"{agent}: {len(outcomes)} outcomes in {done.seconds:.0f} s")
    write(directory)


def check():
    text = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
    table = groups(campaign.tricks())
    missing = [line_start(users) for users in table if line_start(users) not in text]
    surplus = text.count("\n| ") - len(table) - sum(1 for users in table if users[0]["limit"]) - 3
    for line in missing:
        print(f"not in {DOCUMENT.name}: {line}")
    if surplus:
        print(f"{DOCUMENT.name} has {surplus} lines more or less than there are tricks")
    if "not tried" in text:
        print(f"{DOCUMENT.name} has outcomes that were not tried")
    return 1 if missing or surplus or "not tried" in text else 0


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["run"]:
        with tempfile.TemporaryDirectory() as place:
            run(arguments[1] if len(arguments) > 1 else place)
    elif arguments[:1] == ["write"] and len(arguments) == 2:
        write(arguments[1])
    elif arguments == ["check"]:
        return check()
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
