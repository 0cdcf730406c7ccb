#!/bin/sh
# The appliance's own init, process 1 of its namespaces: boots the device around the agent.
# /opt/feeder/run/agent holds the command of the agent; run/network is a fifo that ends the wait for the network.
set -eu
PATH=/opt/feeder/bin:/usr/sbin:/usr/bin:/sbin:/bin
read -r _ </opt/feeder/run/network # the cable is plugged in
ip link set lo up
ip link set eth0 up
ip address add 10.77.0.2/24 dev eth0
ip address add fd77::2/64 dev eth0 nodad
ip route add default via 10.77.0.1
ip -6 route add default via fd77::1

read -r command </opt/feeder/run/agent
eval "exec $command" & # the agent, as early as a boot service
agent=$!
sleep 1.5

calibrate || true # only at boot
setpriv --reuid=65534 --regid=65534 --clear-groups feederd &
(
	while sleep 2; do
		setpriv --reuid=65534 --regid=65534 --clear-groups portion || true
		healthcheck.sh
	done
) &
wait "$agent"
