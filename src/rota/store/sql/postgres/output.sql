-- name: add_output
-- What was kept of one stream of one attempt.
INSERT INTO output (run_id, attempt, stream, head, tail, size)
VALUES (:run_id, :attempt, :stream, :head, :tail, :size)
ON CONFLICT DO NOTHING

-- name: output_of
-- The kept output of one attempt.
SELECT stream, head, tail, size FROM output WHERE run_id = :run_id AND attempt = :attempt ORDER BY stream DESC

-- name: output_kept
-- How many bytes of output the store holds.
SELECT coalesce(sum(bytes), 0)::bigint AS bytes FROM output_kept

-- name: drop_old_output
-- Output of runs older than the limit, a few at a time; and the counts of bytes become one again.
WITH folded AS (DELETE FROM output_kept RETURNING bytes),
     summed AS (INSERT INTO output_kept (bytes) SELECT sum(bytes) FROM folded HAVING count(*) > 0)
DELETE FROM output WHERE id IN (SELECT id FROM output WHERE run_id < :before ORDER BY run_id LIMIT :limit)

-- name: drop_oldest_output
-- The oldest output, a few rows at a time, while there is too much of it.
DELETE FROM output WHERE id IN (SELECT id FROM output ORDER BY run_id LIMIT :limit)

-- name: drop_old_runs
-- Ended runs of one job that are older than the limit and not among its newest, a few at a time.
DELETE FROM run WHERE id IN (
    SELECT id FROM run WHERE job_id = :job_id AND id < :before AND ended_at IS NOT NULL
       AND id < coalesce((SELECT id FROM run WHERE job_id = :job_id ORDER BY id DESC LIMIT 1 OFFSET greatest(:keep, 0)), '')
     ORDER BY id LIMIT :limit)

-- name: job_ids_after
-- Jobs, removed ones too, in steps.
SELECT id FROM job WHERE id > :after ORDER BY id LIMIT :limit

-- name: drop_old_skips
-- Skips older than the limit, a few at a time.
DELETE FROM skip WHERE id IN (SELECT id FROM skip WHERE job_id = :job_id AND last_slot < :before LIMIT :limit)

-- name: drop_old_events
-- Events older than the limit, a few at a time.
DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE at < :before ORDER BY at LIMIT :limit)

-- name: drop_unused_definitions
-- Definitions that neither a job nor a run refers to.
DELETE FROM definition
 WHERE job_id = :job_id AND id <> (SELECT definition_id FROM job WHERE id = :job_id)
   AND NOT EXISTS (SELECT 1 FROM run WHERE run.job_id = :job_id AND run.definition_id = definition.id)

-- name: send_live
-- More of what an attempt writes, while it is the one that runs; told as rows, because nobody else must look at it.
INSERT INTO live_output (run_id, attempt, stream, start, content)
SELECT id, attempt, :stream, :start, :content FROM run WHERE id = :run_id AND attempt = :attempt AND state = 'running'
ON CONFLICT DO NOTHING RETURNING start

-- name: forget_live
-- What is so old that nobody begins to read there.
DELETE FROM live_output
 WHERE run_id = :run_id AND attempt = :attempt AND stream = :stream AND start < :before RETURNING start

-- name: live_after
-- What there is from a place on.
SELECT start, content FROM live_output
 WHERE run_id = :run_id AND attempt = :attempt AND stream = :stream AND start + length(content) > :offset
 ORDER BY start LIMIT 4
