#!/bin/sh
# Makes three network namespaces in a row (inside, box, outside) with veth wires, for trying the
# runner by hand or in a test. Addresses are those of conformance/ixit/firewall.lua.
#
# usage: lab.sh up NAME | lab.sh down NAME      (namespaces NAME-inside, NAME-box, NAME-outside)
set -eu

verb=${1:?up or down} name=${2:?a name}
inside=$name-inside box=$name-box outside=$name-outside

down() {
    for netns in "$inside" "$box" "$outside"; do ip netns del "$netns" 2>/dev/null || :; done
}

wire() { # namespace, its address, interface of the box, its address
    ip -n "$box" link add "$3" type veth peer name eth0 netns "$1"
    ip -n "$1" addr add "$2/24" dev eth0
    ip -n "$box" addr add "$4/24" dev "$3"
    ip -n "$1" link set eth0 up
    ip -n "$box" link set "$3" up
}

up() {
    for netns in "$inside" "$box" "$outside"; do
        ip netns add "$netns"
        ip -n "$netns" link set lo up
    done
    wire "$inside" 10.10.0.2 iut0 10.10.0.1
    wire "$outside" 10.20.0.2 iut1 10.20.0.1
    for pool in 10.11.0.0/24 10.12.0.0/24; do ip -n "$box" route add $pool via 10.10.0.2; done
    for pool in 10.21.0.0/24 10.22.0.0/24; do ip -n "$box" route add $pool via 10.20.0.2; done
    ip netns exec "$box" sysctl -qw net.ipv4.ip_forward=1
    ip -n "$inside" route add default via 10.10.0.1
    ip -n "$outside" route add default via 10.20.0.1
}

case $verb in
up) up ;;
down) down ;;
*) echo "lab.sh: no verb '$verb'" >&2; exit 2 ;;
esac
