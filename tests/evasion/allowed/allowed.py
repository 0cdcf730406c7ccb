#!/usr/bin/python3
# An allowed script that imports a module of its own and one of the standard library. "quiet": nothing more.
import os
import sys
import fnmatch
import helper
if len(sys.argv) == 1 and fnmatch.fnmatch("a", "?"):
    helper.work(os.environ["TRACE"])
