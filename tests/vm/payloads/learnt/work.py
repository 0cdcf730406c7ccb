#!/usr/bin/python3
import os

import helper

print(helper.load(), sorted(os.listdir("/etc"))[:5])
with open("/run/work.state", "w", encoding="utf-8") as state:
    state.write(str(os.getpid()))
with open("/run/work.state", encoding="utf-8") as state:
    int(state.read())
