#!/bin/sh
# Let spin look at every order of events of lease.pml, and at two broken versions of it that it must find out.
set -eu
model=$(cd "$(dirname "$0")" && pwd)/lease.pml
faults=${FAULTS:-4}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"

build() {
    spin -a "-DFAULTS=$faults" "$@" "$model" >/dev/null
    gcc -O2 -w -DNFAIR=3 -o pan pan.c
}

holds() {
    ./pan "$@" -m5000000 >report || { cat report; exit 1; }
    grep -q 'errors: 0$' report || { cat report; echo "the model is broken: $*"; exit 1; }
    echo "holds: $* ($(sed -n 's/^ *\([0-9]*\) states, stored.*/\1 states/p' report), $faults faults)"
}

fails() {
    if ./pan "$@" -m5000000 2>&1 | grep -q 'errors: 0$'; then
        echo "a broken model passes: $*"
        exit 1
    fi
    echo "found out, as it must be: $*"
}

build
holds -a -N one_owner
holds -a -N it_stays
holds -a -f -N it_ends
build -DTRUST_FROM_ANSWER
fails -a -N one_owner
build -DWITHOUT_FENCE
fails -a -N it_stays
