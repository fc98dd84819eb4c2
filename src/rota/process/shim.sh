# The shim: starts one attempt, outlives the engine, and writes down how the attempt ended.
#
#   $1 run   $2 attempt   $3 soft limit of open files   $4 umask, or -   $5 directory   $6… the program and its arguments
#   0 null   1 the job's standard output   2 null: the shim's own complaints   3 the journal   4 the job's standard error
#
# Each line in the journal begins and ends with a newline, so that a torn one spoils no other, and carries a sum. The
# start line is written before the program runs: no start line proves that it never ran.
# A handled signal is back to its default in the program; an ignored one would stay ignored, a default one would end us.
trap : HUP INT QUIT PIPE ALRM TERM USR1 USR2
# The names of our variables are nobody else's: a job's own variable that is named like one of ours would be changed.
_rota_run=$1 _rota_attempt=$2 _rota_files=$3 _rota_mask=$4 _rota_dir=$5
shift 5
# The job's PATH need not hold what we call.
_rota_call() { (PATH=/usr/bin:/bin && "$@"); }
until printf '\nS %s %s %s %s\n' "$_rota_run" "$_rota_attempt" "$$" "$((($$ * 7 + _rota_attempt) % 9973))" >&3; do
    _rota_call sleep 1
done
[ "$_rota_mask" = - ] || umask "$_rota_mask"
if cd -P -- "$_rota_dir"; then
    ulimit -S -n "$_rota_files"
    # In a subshell, so that what this shell says of a signal ("Terminated") is not said in the job's standard error;
    # by exec, so that a program is never mistaken for a builtin of the same name.
    (exec "$@" 2>&4 3>&- 4>&-)
    _rota_code=$?
else
    printf 'rota: cannot change to the directory %s\n' "$_rota_dir" >&4
    _rota_code=126
fi
# With the engine gone nobody else knows the time of the end.
_rota_at=-
kill -0 "$PPID" || _rota_at=$(_rota_call date +%s) || _rota_at=-
until printf '\nX %s %s %s %s %s %s\n' "$_rota_run" "$_rota_attempt" "$$" "$_rota_code" "$_rota_at" \
    "$((($$ * 7 + _rota_attempt + _rota_code * 31) % 9973))" >&3; do
    _rota_call sleep 1
done
exit "$_rota_code"
