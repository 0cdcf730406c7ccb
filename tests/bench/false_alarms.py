#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""false_alarms.py RTGUARD CAPTURES [--shuffles N] [--learn K,K] [--jobs N]

The yardstick of the captures folder, taken with the program itself: learn k recordings of a device, hold the
others against the profile, and see what of other devices' traffic it would stop. CAPTURES holds one folder a
device with its recordings (*.pcap) and mac.txt.

For each device and k: the share of held-out recordings with at least one false block, the share of starts
falsely blocked, and the share of the other devices' public starts that is blocked. A start is a TCP SYN
without ACK, the first datagram of a UDP five-tuple, or an ICMP type to a peer, sent by the device.
"""
import argparse
import concurrent.futures
import ipaddress
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("rtguard")
parser.add_argument("captures", type=pathlib.Path)
parser.add_argument("--shuffles", type=int, default=30)
parser.add_argument("--learn", default="5,10")
parser.add_argument("--jobs", type=int, default=os.cpu_count())
parser.add_argument("--show", action="store_true", help="print each falsely blocked start")
arguments = parser.parse_args()

DEVICES = {
    folder.name: ((folder / "mac.txt").read_text().strip(), sorted(folder.glob("*.pcap")))
    for folder in sorted(arguments.captures.iterdir())
    if (folder / "mac.txt").exists()
}


def learn(mac, recordings, output):
    command = [arguments.rtguard, "learn", "--device", mac, "-o", output]
    for recording in recordings:
        command += ["--pcap", str(recording)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def replay(profile, mac, recordings):
    """The starts in the recordings, how many are blocked, and which."""
    done = subprocess.run(
        [arguments.rtguard, "replay", "--json", "--device", mac, profile, *map(str, recordings)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if done.returncode not in (0, 1):
        # a recording in which the device opened nothing holds no start and no false block
        return {"starts": 0, "blocked": 0, "blocked_starts": []}
    return json.loads(done.stdout)


def is_public(start):
    try:
        address = ipaddress.ip_address(start["address"])
    except (KeyError, ValueError):
        return False
    return address.is_global and not address.is_multicast


def public_starts(device, empty_profile):
    """All public starts of a device: what a profile that permits nothing blocks."""
    mac, recordings = DEVICES[device]
    return [s for s in replay(empty_profile, mac, recordings)["blocked_starts"] if is_public(s)]


def measure(job):
    device, k, shuffle, directory, public = job
    mac, recordings = DEVICES[device]
    order = recordings[:]
    random.Random(f"{device} {k} {shuffle}").shuffle(order)
    profile = f"{directory}/{device}-{k}-{shuffle}.json"
    learn(mac, order[:k], profile)
    result = {"recordings": 0, "alarmed": 0, "starts": 0, "blocked": 0, "others": 0, "others_blocked": 0, "shown": []}
    for recording in order[k:]:
        held = replay(profile, mac, [recording])
        result["recordings"] += 1
        result["alarmed"] += held["blocked"] > 0
        result["starts"] += held["starts"]
        result["blocked"] += held["blocked"]
        result["shown"] += [(recording.name, s) for s in held["blocked_starts"]]
    for other, (other_mac, other_recordings) in DEVICES.items():
        if other == device:
            continue
        held = replay(profile, other_mac, other_recordings)
        result["others"] += public[other]
        result["others_blocked"] += sum(map(is_public, held["blocked_starts"]))
    os.unlink(profile)
    return device, k, result


def percent(part, whole):
    return f"{100 * part / whole:6.1f} %" if whole else "     – "


with tempfile.TemporaryDirectory() as directory:
    empty = f"{directory}/empty.json"
    with open(empty, "w") as file:
        json.dump({"format": "rtguard-profile/1", "device": {}, "policy": {}, "evidence": {}}, file)
    public = {device: len(public_starts(device, empty)) for device in DEVICES}
    ks = [int(k) for k in arguments.learn.split(",")]
    jobs = [(device, k, shuffle, directory, public)
            for k in ks for device in DEVICES for shuffle in range(arguments.shuffles)]
    totals = {}
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for device, k, result in pool.map(measure, jobs):
            for key in ((k, device), (k, "all")):
                total = totals.setdefault(key, dict.fromkeys(result, 0) | {"shown": []})
                for name, value in result.items():
                    total[name] += value

print(f"{'learn k':8}{'device':20}{'recordings with a false block':>32}{'starts blocked':>18}{'others blocked':>18}")
for (k, device), total in sorted(totals.items(), key=lambda item: (item[0][0], item[0][1] == "all", item[0][1])):
    print(f"{k:<8}{device:20}{percent(total['alarmed'], total['recordings']):>32}"
          f"{percent(total['blocked'], total['starts']):>18}{percent(total['others_blocked'], total['others']):>18}")
if arguments.show:
    for (k, device), total in sorted(totals.items()):
        if device != "all":
            seen = {}
            for recording, start in total["shown"]:
                line = json.dumps({n: v for n, v in start.items() if n != "time"}, sort_keys=True)
                seen[line] = seen.get(line, 0) + 1
            for line, count in sorted(seen.items(), key=lambda item: -item[1])[:20]:
                print(f"k={k} {device}: {count} x {line}", file=sys.stderr)
