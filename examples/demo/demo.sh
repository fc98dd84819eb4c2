#!/bin/sh
# A small lively home: jobs that succeed, fail and retry, time out, write to both streams, overlap. Serves until Ctrl-C.
set -eu
cd "$(dirname "$0")/../.."
rota=${ROTA:-.venv/bin/rota}
mkdir -p .rota

add() { # each job once; a second `make demo` finds them there
    name=$1
    shift
    "$rota" show "$name" >/dev/null 2>&1 || "$rota" add "$name" "$@" >/dev/null
}

add hello    --every 5s  --description "succeeds" \
             --shell 'echo "hello at $(date +%T), for the slot $ROTA_SLOT"'
add flaky    --every 15s --retries 3 --retry-delay 1s --description "fails twice, then succeeds" \
             --shell 'echo "attempt $ROTA_ATTEMPT"; [ "$ROTA_ATTEMPT" -ge 3 ]'
add sleepy   --every 20s --timeout 2s --kill-after 1s --description "takes too long" \
             --shell 'trap "echo I was asked to stop; exit 1" TERM; sleep 60 & wait'
add chatty   --every 10s --tag demo --description "writes to both streams" \
             --shell 'for n in 1 2 3; do echo "line $n"; echo "complaint $n" >&2; done'
add patient  --every 4s  --overlap skip --description "takes longer than its interval" \
             --shell 'sleep 6'
add factorial --cron '* * * * *' --python math:factorial --args '[20]' --description "a Python function"
add import   --description "by hand: a long one, to be interrupted with kill -9" \
             --shell 'for n in $(seq 30); do echo "row $n of 30"; sleep 1; done; exit 7'

"$rota" list 2>/dev/null
cat <<TEXT

Now, in another terminal:

    cd $(pwd)
    $rota list
    $rota run import --wait      then, in a third terminal in this directory,
                                        kill -9 \$(cut -d' ' -f1 .rota/engine.lock)   and make demo again: the run goes on
    $rota runs
    $rota logs -f import
    $rota why patient

TEXT
exec "$rota" serve
