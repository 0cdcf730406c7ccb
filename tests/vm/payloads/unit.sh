#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: the unit from its installation to its stop, as root; each line that says FAILED is one.
status=0
say() { echo "$(cut -d' ' -f1 /proc/uptime) $*"; }
check() { # WHAT COMMAND…
	what=$1
	shift
	if "$@"; then say "ok $what"; else say "FAILED $what"; status=1; fi
}
not() { ! "$@"; }
within() { # SECONDS COMMAND…
	end=$(($(cut -d. -f1 /proc/uptime) + $1))
	shift
	until "$@"; do
		[ "$(cut -d. -f1 /proc/uptime)" -lt $end ] || return 1
		sleep 0.1
	done
}
is_active() { [ "$(systemctl is-active rtguard)" = active ]; }
main_pid() { systemctl show -p MainPID --value rtguard; }
is_another() { now=$(main_pid); [ "$now" != 0 ] && [ "$now" != "$1" ] && is_active; }
says() { rtguard status --json | grep -q "$1"; }
as_user() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
guard() { pgrep -x rtguard-guard; }
rules() { nft list table inet rtguard >/dev/null 2>&1; }
sent() { cat /sys/class/net/cable/statistics/tx_packets; }
reaches() { # whether what is sent to somebody gets out
	before_sent=$(sent)
	ping -c 1 -W 1 192.0.2.1 >/dev/null 2>&1
	[ "$(sent)" -gt "$before_sent" ]
}

install -m 755 rtguard /usr/bin/rtguard
sed 's,^ExecStart=[^ ]*,ExecStart=/usr/bin/rtguard,' rtguard.service >/etc/systemd/system/rtguard.service
for place in /root /tmp; do
	cp /usr/bin/touch $place/unknown
	echo unknown >>$place/unknown
done
echo 'print "by script\n";' >/root/job.pl
mkdir -p /etc/rtguard/keys
python3 profile_of_guest.py /usr/bin/perl /root/job.pl >/etc/rtguard/profile.json || exit 1
check 'key' rtguard keygen -o vendor
check 'signed' rtguard sign /etc/rtguard/profile.json --key vendor.key
cp vendor.pub /etc/rtguard/keys
say 'profile'

# somebody could be reached
ip link add cable type dummy
echo 1 >/proc/sys/net/ipv6/conf/cable/disable_ipv6
ip address add 192.0.2.2/24 dev cable
ip link set cable arp off up
check 'without rules: a packet gets out' reaches
check 'systemd takes the unit as it is' systemd-analyze verify /etc/systemd/system/rtguard.service
systemctl daemon-reload
check 'starts' systemctl start rtguard
check 'is active' is_active
case "$(systemctl show -p Before --value rtguard)" in
*network-pre.target*) say 'ok comes before networks' ;;
*) say 'FAILED comes before networks'; status=1 ;;
esac
check 'there are rules' rules
check 'no packet gets out' not reaches
check 'superblocks are marked' says filesystems
check 'the connector is on' not says '"on": false.*connector'
check 'known programs run' ls /root >/dev/null
check 'unknown ones do not, for root' not /root/unknown /root/trace 2>/dev/null
check 'nor for a user' not as_user /tmp/unknown /tmp/trace 2>/dev/null
check 'a learnt script runs' [ "$(perl /root/job.pl)" = "by script" ]
check 'others do not' not perl -e 'open(F, ">/root/trace")' 2>/dev/null

# from here on one tries every 10 ms, whatever becomes of rtguard
while [ ! -e /run/enough ]; do
	/root/unknown /root/trace
	echo >>/run/tried
	sleep 0.01
done 2>/dev/null &

for i in 1 2; do
	before=$(main_pid)
	systemctl kill -s KILL --kill-who=main rtguard
	check "supervisor killed $i: the rules stay" rules
	check "supervisor killed $i: no packet gets out" not reaches
	check "supervisor killed $i: known programs run" ls /root >/dev/null
	check "supervisor killed $i: another one takes over" within 40 is_another "$before"
	check "supervisor killed $i: it answers" within 10 says '"mode": "enforce"'
done
check 'taken over: there are rules' rules
check 'taken over: no packet gets out' not reaches
check 'it took over what was left' sh -c 'rtguard events --json | grep -q "took over"'
before=$(guard)
kill -9 "$before"
check 'guard killed: known programs run' ls /root >/dev/null
check 'guard killed: there is another' within 5 sh -c "[ \$(pgrep -x rtguard-guard) != $before ]"

pid=$(main_pid)
before=$(guard)
now=$(date +%s)
for year in 2037 1999; do
	date -s "$year-01-01" >/dev/null
	sleep 1.2
	check "clock in $year: known programs run" ls /root >/dev/null
	check "clock in $year: it still enforces" says '"mode": "enforce"'
done
date -s "@$now" >/dev/null
check 'clock: nobody was replaced' [ "$(main_pid) $(guard)" = "$pid $before" ]
check 'reload' systemctl reload rtguard

touch /run/enough
wait
say "$(wc -l </run/tried) tries"
check 'there were enough' [ "$(wc -l </run/tried)" -gt 50 ]
check 'none left a trace' [ ! -e /root/trace ] && [ ! -e /tmp/trace ]
check 'stops' systemctl stop rtguard
check 'is inactive' not is_active
check 'no process of it is left' not pgrep rtguard
check 'no rule is left' not rules
check 'packets get out' reaches
check 'everything is released' /root/unknown /root/trace
check 'which left its trace' [ -e /root/trace ]
[ $status = 0 ] || journalctl -u rtguard --no-pager | tail -60
exit $status
