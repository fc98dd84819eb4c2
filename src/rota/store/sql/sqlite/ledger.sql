-- name: extend_skip
-- A skip that continues the one before it, for the same reason, makes that one longer. A run in between breaks it.
UPDATE skip SET last_slot = :last_slot, count = count + :count, at = :now
 WHERE id = (SELECT id FROM skip WHERE job_id = :job_id ORDER BY last_slot DESC LIMIT 1)
   AND code = :code AND reason = :reason AND run_id IS :run_id AND last_slot < :first_slot
   AND NOT EXISTS (SELECT 1 FROM run WHERE run.job_id = :job_id AND slot > skip.last_slot AND slot < :first_slot)

-- name: add_skip
-- A range of slots that did not run.
INSERT INTO skip (job_id, first_slot, last_slot, count, code, reason, run_id, at)
VALUES (:job_id, :first_slot, :last_slot, :count, :code, :reason, :run_id, :now)
ON CONFLICT DO NOTHING

-- name: skips_page
-- Skips, newest first, before the cursor.
SELECT skip.*, job.name AS job FROM skip JOIN job ON job.id = job_id
 WHERE skip.id < :before AND (:job_id IS NULL OR job_id = :job_id) AND last_slot >= :since
 ORDER BY skip.id DESC LIMIT :limit

-- name: skips_of_job
-- A job's skips by the slot they reach to, newest first, before the cursor.
SELECT skip.*, job.name AS job FROM skip JOIN job ON job.id = job_id
 WHERE job_id = :job_id AND last_slot < :before ORDER BY last_slot DESC LIMIT :limit

-- name: skip_at
-- The skip whose range holds an instant.
SELECT skip.*, job.name AS job FROM skip JOIN job ON job.id = job_id
 WHERE job_id = :job_id AND last_slot >= :at AND first_slot <= :at ORDER BY last_slot LIMIT 1

-- name: skip_alone_in
-- The first skip of one single slot in a short time: no schedule tells the instant of a start of the machine, or of a slot
-- under an earlier definition, and people say it to the minute.
SELECT skip.*, job.name AS job FROM skip JOIN job ON job.id = job_id
 WHERE job_id = :job_id AND last_slot >= :since AND last_slot < :until AND first_slot = last_slot
 ORDER BY last_slot LIMIT 1

-- name: skips_after
-- Skips that reach beyond an instant: the clock was wrong when they were written.
SELECT skip.*, job.name AS job FROM skip JOIN job ON job.id = job_id
 WHERE job_id = :job_id AND last_slot > :at ORDER BY last_slot

-- name: drop_skip
-- Take a skip back.
DELETE FROM skip WHERE id = :id

-- name: take_back_total
-- What was counted for a skip that is taken back counts no more.
UPDATE total SET runs = max(0, runs - :count) WHERE job_id = :job_id AND day = :last_slot / 86400000000 AND state = 'skipped'

-- name: add_event
-- A fact that no trigger writes.
INSERT INTO event (at, kind, job_id, run_id, data) VALUES (:now, :kind, :job_id, :run_id, :data)

-- name: events_after
-- Events in order, after the cursor.
SELECT event.*, job.name AS job FROM event LEFT JOIN job ON job.id = job_id
 WHERE seq > :after ORDER BY seq LIMIT :limit

-- name: event_bounds
-- Where the events begin, those before it having been pruned, and where they end now.
SELECT (SELECT min(seq) FROM event) AS oldest, (SELECT max(seq) FROM event) AS newest

-- name: missed_since
-- How many slots nobody planned in time, told since an instant.
SELECT coalesce(sum(json_extract(data, '$.count')), 0) FROM event WHERE kind = 'job.missed' AND at >= :since

-- name: load
-- What ran in each hour, by outcome.
SELECT hour, state, runs, busy FROM hour_total WHERE hour >= :since ORDER BY hour, state

-- name: totals
-- Counts per job and outcome since a day; they survive pruning.
SELECT name, state, sum(runs) AS runs, sum(tries) AS tries, sum(busy) AS busy
  FROM total JOIN job ON job.id = job_id
 WHERE day >= :day AND (:job_id IS NULL OR job_id = :job_id)
 GROUP BY name, state ORDER BY name, state

-- name: durations
-- Durations of a job's newest runs that came to an end by themselves, for its usual length.
SELECT state, ended_at - started_at AS busy, started_at - slot AS late, attempt, ended_at FROM run
 WHERE job_id = :job_id AND state IN ('succeeded', 'failed', 'timed_out', 'lost') AND started_at IS NOT NULL
 ORDER BY id DESC LIMIT :limit

-- name: get_meta
-- A fact about the store itself.
SELECT value FROM meta WHERE key = :key

-- name: put_meta
-- The same, written.
INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT DO UPDATE SET value = :value
