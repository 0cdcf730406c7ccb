#!/bin/bash
# An allowed script that calls a program by name.
helper 2>/dev/null
true
