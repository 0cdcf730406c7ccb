#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""test_in_vm.py NAME…: these test files with the nftables backend under the guest's kernel: an older one than that of
most machines at hand, with all that nftables has (CONFIG_NFT_QUEUE)."""
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "../vm"))
import vm  # noqa: E402

vm.need()
names = sys.argv[1:]

with vm.Payload() as payload:
    payload.add(os.environ["RTGUARD"], "rtguard")
    payload.add(HERE, "tests/network")
    payload.add(HERE / "../integration/harness.py", "tests/integration/harness.py")
    payload.write("run", f"""#!/bin/sh
mkdir -p /srv/test && cp -a rtguard tests /srv/test && cd /srv/test || exit 1 # /run is another one in the appliance
export RTGUARD=$PWD/rtguard PYTHONDONTWRITEBYTECODE=1
code=0
for name in {' '.join(names)}; do
	python3 -W ignore tests/network/test_$name.py -k Nftables || code=$?
done
exit $code
""")
    result = vm.run(payload.directory, timeout=900)
    print(result.log)
    if result.status == vm.NEVER_TOLD:
        print(result.console)
    sys.exit(result.status)
