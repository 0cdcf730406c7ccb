#!/bin/sh
# What a small appliance's services do.
set -e
cd "$WORK"
. ./settings
for file in /etc/passwd /etc/group; do sort "$file" | head -n 3 | awk -F: '{ print $1 }' | tr a-z A-Z; done >/dev/null
grep -c "$wanted" /etc/passwd >/dev/null
sed -n 1p /etc/hostname >/dev/null
find /etc -maxdepth 1 -name '*.conf' | wc -l >/dev/null
python3 work.py >/dev/null
./work.pl >/dev/null
# a static program that lives a millisecond may be gone before its arguments are read: learning needs it often
for time in 1 2 3 4 5; do
	busybox ls -R /etc >/dev/null
	busybox sh -c 'echo busy; sleep 0.1' >/dev/null
done
systemctl is-active dbus >/dev/null
ip address >/dev/null
ping -c 1 127.0.0.1 >/dev/null
df >/dev/null
date +%s >/tmp/stamp.new
mv /tmp/stamp.new /tmp/stamp
while read -r line; do last=$line; done </tmp/stamp
test -n "$last"
sh <./commands >/dev/null
