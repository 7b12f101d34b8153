#!/bin/sh
# Runs the tests of natfw-conform's C, which are in Lua, in a network namespace of their own.
# usage: host.sh NATFW-CONFORM TESTS
set -eu
# shellcheck disable=SC2016 # for the inner shell
exec unshare --net sh -c 'ip link set lo up && exec "$0" --data-dir "$1/host"' "$1" "$2"
