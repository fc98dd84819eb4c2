-- name: active_runs
-- The overlap rule's question: which runs of the job are active?
SELECT id, state, held, target FROM run WHERE job_id = :job_id AND state IN ('queued', 'running', 'waiting') ORDER BY id

-- name: active_runs_of
-- The same of many jobs at once.
SELECT job_id, id, state, held FROM run
 WHERE job_id IN (SELECT value FROM json_each(:ids)) AND state IN ('queued', 'running', 'waiting') ORDER BY id

-- name: active_counts
-- How many runs of some jobs are active, by state.
SELECT job_id, state, count(*) AS runs FROM run
 WHERE job_id IN (SELECT value FROM json_each(:ids)) AND state IN ('queued', 'running', 'waiting')
 GROUP BY job_id, state

-- name: placed_count
-- How many active runs of the job hold one of its places.
SELECT count(*) FROM run WHERE job_id = :job_id AND state IN ('queued', 'running', 'waiting') AND held = 0

-- name: add_run
-- A run for a slot or a request. A slot that has its run already keeps it.
INSERT INTO run (id, job_id, definition_id, trigger, slot, due_at, state, priority, pool, held, queued_at, changed_at,
                 start_by, params, retry_of, request_key, needs, target)
VALUES (:id, :job_id, :definition_id, :trigger, :slot, :due_at, 'queued', :priority, :pool, :held, :now, :now,
        :start_by, :params, :retry_of, :request_key, :needs, :target)
ON CONFLICT DO NOTHING

-- name: run_by_request_key
-- The run that an earlier request with this key made.
SELECT id FROM run WHERE request_key = :request_key

-- name: any_ready
-- Is anything ready at all? All hosts are woken by what is planned, and one is enough to take it. In the order of its
-- index, so that nobody looks through a million runs that have ended.
SELECT 1 FROM run WHERE state = 'queued' AND held = 0 ORDER BY pool, needs, priority, due_at, id LIMIT 1

-- name: ready_in_lane
-- The next runs of one lane, in order.
SELECT run.id, run.definition_id, job.name, trigger, slot, attempt, priority, due_at, params, pool
  FROM run JOIN job ON job.id = run.job_id
 WHERE state = 'queued' AND held = 0 AND pool = :pool AND needs = :needs
 ORDER BY priority, due_at, run.id LIMIT :limit

-- name: ready_lanes
-- Lanes that have ready runs, and how many places of their pools are taken; one without a pool has no size.
SELECT lane.pool, lane.needs, size,
       (SELECT count(*) FROM run WHERE state = 'running' AND run.pool = pool.name) AS taken
  FROM lane LEFT JOIN pool ON pool.name = lane.pool
 WHERE EXISTS (SELECT 1 FROM run
                WHERE state = 'queued' AND held = 0 AND run.pool = lane.pool AND run.needs = lane.needs)

-- name: running_count
-- How many runs are running over everything.
SELECT count(*) FROM run WHERE state = 'running'

-- name: claim_if_ready
-- Written before anything is started: whoever claims a run is the only one to start its attempt.
UPDATE run
   SET state = 'running', attempt = attempt + 1, host = :host, boot = :boot, spool = :spool, started_at = :now,
       changed_at = :now, reason = '',
       lease_until = CASE WHEN :lease IS NULL THEN NULL ELSE now_us() + :lease END
 WHERE id = :id AND state = 'queued' AND held = 0

-- name: settle_if_running
-- End a run. Host and attempt are the fence: whoever lost the run in the meantime matches no row.
UPDATE run
   SET state = :state, started_at = coalesce(:started_at, started_at), spool = NULL, lease_until = NULL,
       changed_at = :now,
       ended_at = max(:ended_at, coalesce(:started_at, started_at)),
       exit_code = :exit_code, reason = :reason, result = :result
 WHERE id = :id AND state = 'running' AND host = :host AND attempt = :attempt

-- name: rest_if_running
-- End an attempt that is followed by another after a pause; none follows once somebody wants the run ended.
UPDATE run
   SET state = 'waiting', ready_at = :ready_at, started_at = NULL, spool = NULL, lease_until = NULL,
       exit_code = NULL, changed_at = :now, reason = :reason
 WHERE id = :id AND state = 'running' AND host = :host AND attempt = :attempt AND cancel_at IS NULL

-- name: add_attempt
-- The record of an attempt that is followed by another.
INSERT INTO attempt (run_id, attempt, state, host, started_at, ended_at, exit_code, reason)
VALUES (:run_id, :attempt, :state, :host, :started_at, max(:ended_at, :started_at), :exit_code, :reason)

-- name: give_back_if_running
-- Undo a claim whose command was provably never started: the attempt does not count.
UPDATE run
   SET state = 'queued', attempt = attempt - 1, host = NULL, boot = NULL, spool = NULL, lease_until = NULL,
       started_at = NULL, changed_at = :now, reason = :reason
 WHERE id = :id AND state = 'running' AND host = :host AND attempt = :attempt

-- name: wake_waiting
-- Runs whose pause between attempts is over are ready again.
UPDATE run SET state = 'queued', ready_at = NULL, changed_at = :now WHERE state = 'waiting' AND ready_at <= :now

-- name: wake_all_waiting
-- The clock was corrected: how long a pause between attempts still is cannot be told, so none is.
UPDATE run SET state = 'queued', ready_at = NULL, changed_at = :now WHERE state = 'waiting'

-- name: bring_waiting_forward
-- The clock went back by so much: a pause must not grow by that.
UPDATE run SET ready_at = ready_at - :span WHERE state = 'waiting'

-- name: expire_start_by
-- Runs that waited for a place longer than they may; a run that has had an attempt did get its place in time.
UPDATE run
   SET state = 'cancelled', held = 0, ended_at = :now, changed_at = :now,
       reason = 'it waited for a place longer than start_by allows'
 WHERE state = 'queued' AND attempt = 0 AND start_by IS NOT NULL AND start_by <= :now

-- name: cancel_if_not_running
-- A run that is queued or waiting ends here and now.
UPDATE run
   SET state = 'cancelled', held = 0, ready_at = NULL, ended_at = :now, changed_at = :now, reason = :reason
 WHERE id = :id AND state IN ('queued', 'waiting')

-- name: ask_to_cancel_if_running
-- A running run ends by its engine's hand; the wish is on disk, so that it outlives the engine.
UPDATE run SET cancel_at = :now, cancel_reason = :reason WHERE id = :id AND state = 'running' AND cancel_at IS NULL

-- name: cancel_requests
-- Running runs of this host that somebody wants ended.
SELECT id, cancel_reason FROM run WHERE state = 'running' AND host = :host AND cancel_at IS NOT NULL

-- name: release_held
-- Repair: let held runs go while their job has places. The trigger on ends does it one by one; limits may also change.
UPDATE run SET held = 0
 WHERE id IN (
    SELECT id FROM (
        SELECT run.id, row_number() OVER (PARTITION BY run.job_id ORDER BY run.priority, due_at, run.id) AS place,
               coalesce(job_limit, 1000000000) - (SELECT count(*) FROM run AS other WHERE other.job_id = run.job_id
                   AND other.state IN ('queued', 'running', 'waiting') AND other.held = 0) AS free
          FROM run JOIN job ON job.id = run.job_id
         WHERE state = 'queued' AND held = 1)
     WHERE place <= free)

-- name: waiting_for_host
-- Runs that are one host's alone, and have not been started.
SELECT id FROM run WHERE needs = :needs AND state IN ('queued', 'waiting') ORDER BY id

-- name: running_on_host
-- What this host's engine left running, for adoption.
SELECT run.*, job.name AS job FROM run JOIN job ON job.id = job_id
 WHERE state = 'running' AND host = :host ORDER BY run.id

-- name: run_by_id
-- One run.
SELECT run.*, job.name AS job FROM run JOIN job ON job.id = job_id WHERE run.id = :id

-- name: runs_by_prefix
-- Runs whose id begins so: people type the beginning.
SELECT run.*, job.name AS job FROM run JOIN job ON job.id = job_id
 WHERE run.id >= :prefix AND run.id < :prefix || '~' ORDER BY run.id LIMIT 2

-- name: run_for_slot
-- The run of a slot.
SELECT run.*, job.name AS job FROM run JOIN job ON job.id = job_id WHERE job_id = :job_id AND slot = :slot

-- name: runs_retrying
-- The runs that somebody asked for in place of an ended one, newest first.
SELECT run.*, job.name AS job FROM run JOIN job ON job.id = job_id
 WHERE retry_of = :run_id ORDER BY run.id DESC LIMIT :limit

-- name: runs_in_slots
-- What came of the slots of a short time: people say "02:30" for a slot some seconds later.
SELECT run.*, job.name AS job FROM run JOIN job ON job.id = job_id
 WHERE job_id = :job_id AND slot >= :since AND slot < :until ORDER BY slot LIMIT :limit

-- name: runs_page
-- Runs, newest first, before the cursor.
SELECT run.*, job.name AS job FROM run JOIN job ON job.id = job_id
 WHERE run.id < :before AND run.id >= :since /*filters*/
 ORDER BY run.id DESC LIMIT :limit

-- name: active_runs_page
-- The same of runs that have not ended: few among many, so their index goes first.
SELECT run.*, job.name AS job FROM run INDEXED BY run_active JOIN job ON job.id = job_id
 WHERE state IN ('queued', 'running', 'waiting') AND run.id < :before AND run.id >= :since /*filters*/
 ORDER BY run.id DESC LIMIT :limit

-- name: runs_page_of_jobs
-- The same of some jobs, however rarely they run: each job's newest run is looked up, and only as many jobs as runs are
-- wanted, those with the newest, can have a run on the page. If there are so many, nothing on it is older than the
-- oldest of these.
WITH newest AS MATERIALIZED (
    SELECT job.id AS job_id,
           (SELECT run.id FROM run WHERE run.job_id = job.id AND run.id < :before AND run.id >= :since
             ORDER BY run.id DESC LIMIT 1) AS run_id
      FROM job WHERE 1 /*filters*/
     ORDER BY run_id DESC LIMIT :limit),
oldest AS MATERIALIZED (
    SELECT CASE WHEN count(run_id) < :limit THEN :since ELSE min(run_id) END AS id FROM newest)
SELECT run.*, job.name AS job FROM newest
  JOIN run ON run.id IN (
       SELECT other.id FROM run AS other
        WHERE other.job_id = newest.job_id AND other.id < :before AND other.id >= (SELECT id FROM oldest)
        ORDER BY other.id DESC LIMIT :limit)
  JOIN job ON job.id = run.job_id
 ORDER BY run.id DESC LIMIT :limit

-- name: runs_page_in_states
-- The same of runs that ended in some ways: each job's newest of each way.
WITH newest AS MATERIALIZED (
    SELECT job.id AS job_id, wanted.value AS state,
           (SELECT run.id FROM run
             WHERE run.job_id = job.id AND run.state = wanted.value AND run.ended_at IS NOT NULL
               AND run.id < :before AND run.id >= :since
             ORDER BY run.id DESC LIMIT 1) AS run_id
      FROM job, json_each(:states) AS wanted WHERE 1 /*filters*/
     ORDER BY run_id DESC LIMIT :limit),
oldest AS MATERIALIZED (
    SELECT CASE WHEN count(run_id) < :limit THEN :since ELSE min(run_id) END AS id FROM newest)
SELECT run.*, job.name AS job FROM newest
  JOIN run ON run.id IN (
       SELECT other.id FROM run AS other
        WHERE other.job_id = newest.job_id AND other.state = newest.state AND other.ended_at IS NOT NULL
          AND other.id < :before AND other.id >= (SELECT id FROM oldest)
        ORDER BY other.id DESC LIMIT :limit)
  JOIN job ON job.id = run.job_id
 ORDER BY run.id DESC LIMIT :limit

-- name: filter_job
-- Of one job.
AND job.id = :job_id

-- name: filter_state
-- In one state.
AND state = :state

-- name: filter_trouble
-- Ended badly: few among many, so it has an index of its own.
AND state IN ('failed', 'timed_out', 'lost')

-- name: filter_states
-- In one of some states.
AND state IN (SELECT value FROM json_each(:states))

-- name: filter_host
-- Of one host.
AND run.host = :host

-- name: attempts_of
-- The earlier attempts of a run.
SELECT * FROM attempt WHERE run_id = :run_id ORDER BY attempt

-- name: last_runs
-- The newest run of each of some jobs.
SELECT run.*, job.name AS job
  FROM job JOIN run ON run.id = (SELECT id FROM run AS other WHERE other.job_id = job.id ORDER BY id DESC LIMIT 1)
 WHERE job.id IN (SELECT value FROM json_each(:ids))

-- name: state_counts
-- How many runs are in each active state.
SELECT state, count(*) FROM run WHERE state IN ('queued', 'running', 'waiting') GROUP BY state
