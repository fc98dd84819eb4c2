-- name: job_by_name
-- One job, removed or not.
SELECT job.*, body FROM job JOIN definition ON definition.id = definition_id WHERE name = :name

-- name: job_by_id
-- One job, for what refers to it by number.
SELECT job.*, body FROM job JOIN definition ON definition.id = definition_id WHERE job.id = :id

-- name: jobs_page
-- Jobs that exist, by name, after the cursor.
SELECT job.*, body FROM job JOIN definition ON definition.id = definition_id
 WHERE removed_at IS NULL AND name > :after /*filters*/
 ORDER BY name LIMIT :limit

-- name: filter_name
-- With a text in the name.
AND job.name LIKE :text ESCAPE '\'

-- name: filter_tag
-- With a tag.
AND EXISTS (SELECT 1 FROM definition AS tagged, json_each(tagged.body, '$.tags')
             WHERE tagged.id = job.definition_id AND value = :tag)

-- name: filter_origin
-- Made there: a kind of origin (`file`), or one (`file:/etc/rota.yaml`).
AND (origin = :origin OR substr(origin, 1, length(:origin) + 1) = :origin || ':')

-- name: filter_runs_on
-- For one host only, by its name.
AND json_extract(body, '$.runs_on.host') = :host

-- name: filter_paused
-- Paused, or not.
AND (paused_at IS NOT NULL) = :paused

-- name: filter_enabled
-- Enabled, or not.
AND enabled = :enabled

-- name: filter_last_state
-- Whose newest run is in one of some states.
AND (SELECT state FROM run WHERE run.job_id = job.id ORDER BY run.id DESC LIMIT 1)
    IN (SELECT value FROM json_each(:states))

-- name: coming_jobs
-- Jobs of which one has the next slot after an instant: those whose slot is to be planned still, and of the others as
-- many as slots are wanted, the earliest. A slot of any other job comes later than all of these.
SELECT job.*, body FROM job JOIN definition ON definition.id = definition_id
 WHERE job.id IN (SELECT id FROM job WHERE next_slot <= :since ORDER BY next_slot LIMIT :overdue)
    OR job.id IN (SELECT id FROM job WHERE next_slot > :since ORDER BY next_slot LIMIT :limit)

-- name: job_names
-- Names for suggestions.
SELECT name FROM job WHERE removed_at IS NULL ORDER BY name LIMIT 5000

-- name: job_count
-- How many jobs there are.
SELECT count(*) FROM job WHERE removed_at IS NULL

-- name: job_counts
-- The same, and how many of them are disabled, or only paused.
SELECT count(*) AS jobs,
       coalesce(sum(paused_at IS NOT NULL AND enabled <> 0), 0) AS paused, coalesce(sum(enabled = 0), 0) AS disabled
  FROM job WHERE removed_at IS NULL

-- name: due_jobs
-- The planner's question, oldest first: who is due?
SELECT job.*, body FROM job JOIN definition ON definition.id = definition_id
 WHERE wake_at <= :now ORDER BY wake_at LIMIT :limit

-- name: timed_jobs
-- Every job that the clock may make due or that was planned beyond now (a paused one, or one that counts from the end
-- of a run that goes on), for planning anew after the clock was corrected.
SELECT job.*, body FROM job JOIN definition ON definition.id = definition_id
 WHERE (wake_at IS NOT NULL OR planned_to > :now) AND job.id > :after ORDER BY job.id LIMIT :limit

-- name: maybe_boot_jobs
-- Jobs in service that may be due at a start of the machine, by number, after the cursor. It is asked once for each start,
-- so definitions are searched as text, instead of a column that every other job would carry for nothing. What is found
-- may be another job that has the letters of the word in its definition; whoever asks looks at the definition itself.
SELECT job.*, body FROM job JOIN definition ON definition.id = definition_id
 WHERE job.id > :after AND enabled = 1 AND removed_at IS NULL AND body LIKE '%"kind":"at","text":"%boot%'
 ORDER BY job.id LIMIT :limit

-- name: next_wake
-- The earliest instant at which something becomes due by time alone.
SELECT min(at) FROM (
    SELECT (SELECT wake_at FROM job WHERE wake_at IS NOT NULL ORDER BY wake_at LIMIT 1) AS at
    UNION ALL
    SELECT (SELECT ready_at FROM run WHERE state = 'waiting' ORDER BY ready_at LIMIT 1)
    UNION ALL
    SELECT (SELECT start_by FROM run WHERE state = 'queued' AND attempt = 0 AND start_by IS NOT NULL
             ORDER BY start_by LIMIT 1)
)

-- name: add_job
-- A new job; its definition follows in the same transaction.
INSERT INTO job (name, origin, definition_id, revision, enabled, job_limit, rest, jitter, planned_to, created_at,
                 changed_at)
VALUES (:name, :origin, 0, 1, :enabled, :job_limit, :rest, :jitter, :planned_to, :now, :now)
RETURNING id

-- name: add_definition
-- A definition is never changed: runs go on under the one that they started with.
INSERT INTO definition (job_id, body, created_at) VALUES (:job_id, :body, :now) RETURNING id

-- name: use_definition
-- The job follows this definition from now on; a removed job of the name is there again.
UPDATE job
   SET definition_id = :definition_id, origin = :origin, enabled = :enabled, job_limit = :job_limit, rest = :rest,
       jitter = :jitter, removed_at = NULL, changed_at = :now,
       next_slot = NULL, wake_at = NULL
 WHERE id = :id

-- name: bump_revision_if_unchanged
-- The revision is the fence of editors: whoever read an older one matches no row.
UPDATE job SET revision = revision + 1, changed_at = :now WHERE id = :id AND revision = :revision

-- name: set_paused
-- Pause (an instant) or resume (null). The next slot is set by whoever plans.
UPDATE job SET paused_at = :paused_at, next_slot = NULL, wake_at = NULL, changed_at = :now WHERE id = :id

-- name: set_removed
-- The row stays: history and the record of slots hang on it.
UPDATE job SET removed_at = :now, next_slot = NULL, wake_at = NULL, changed_at = :now WHERE id = :id

-- name: move_cursor_if_unmoved
-- The cursor is the fence of planners: a slot is accounted for by whoever moves it, once.
UPDATE job
   SET planned_to = :planned_to, next_slot = :next_slot, wake_at = :next_slot + jitter, skip_streak = :skip_streak
 WHERE id = :id AND planned_to = :was

-- name: set_cursor
-- Start planning anew from an instant: for a job that is new, resumed or edited, and after a clock correction.
UPDATE job SET planned_to = :planned_to, next_slot = :next_slot, wake_at = :next_slot + jitter WHERE id = :id

-- name: definition_body
-- One definition.
SELECT body FROM definition WHERE id = :id

-- name: pools
-- The named limits and how many of each are taken.
SELECT name, size, (SELECT count(*) FROM run WHERE state = 'running' AND run.pool = pool.name) AS taken
  FROM pool ORDER BY name

-- name: set_pool
-- Make or resize a pool.
INSERT INTO pool (name, size) VALUES (:name, :size) ON CONFLICT DO UPDATE SET size = :size

-- name: ensure_pool
-- A pool that nobody has sized yet takes one at a time.
INSERT INTO pool (name, size) VALUES (:name, 1) ON CONFLICT DO NOTHING

-- name: ensure_lane
-- Where runs of one pool and one place wait: known before the first of them does.
INSERT INTO lane (pool, needs) VALUES (:pool, :needs) ON CONFLICT DO NOTHING
