#!/bin/sh
# Something that a person's session starts.
uname -a >/dev/null
id >/dev/null
