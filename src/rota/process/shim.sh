# The shim: starts one attempt, outlives the engine, and writes down how the attempt ended.
#
#   $1 run   $2 attempt   $3 soft limit of open files   $4 umask, or -   $5 directory   $6… the program and its arguments
#   0 null   1 the job's standard output   2 null: the shim's own complaints   3 the journal   4 the job's standard error
#
# Each line in the journal begins and ends with a newline, so that a torn one spoils no other, and carries a sum. The
# start line is written before the program runs: no start line proves that it never ran.
# A handled signal is back to its default in the program; an ignored one would stay ignored, a default one would end us.
trap : HUP INT QUIT PIPE ALRM TERM USR1 USR2
run=$1 attempt=$2 files=$3 mask=$4 dir=$5
shift 5
until printf '\nS %s %s %s %s\n' "$run" "$attempt" "$$" "$((($$ * 7 + attempt) % 9973))" >&3; do sleep 1; done
[ "$mask" = - ] || umask "$mask"
if cd -P -- "$dir"; then
    ulimit -S -n "$files"
    # In a subshell, so that what this shell says of a signal ("Terminated") is not said in the job's standard error;
    # by exec, so that a program is never mistaken for a builtin of the same name.
    (exec "$@" 2>&4 3>&- 4>&-)
    code=$?
else
    printf 'rota: cannot change to the directory %s\n' "$dir" >&4
    code=126
fi
# With the engine gone nobody else knows the time of the end.
at=-
kill -0 "$PPID" || at=$(date +%s)
until printf '\nX %s %s %s %s %s %s\n' "$run" "$attempt" "$$" "$code" "$at" \
    "$((($$ * 7 + attempt + code * 31) % 9973))" >&3; do sleep 1; done
exit "$code"
