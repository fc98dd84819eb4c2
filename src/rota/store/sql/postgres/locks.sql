-- name: lock_job
-- Whoever reads a job in order to change something of it holds it until the end of the transaction.
SELECT 1 FROM job WHERE id = :id FOR NO KEY UPDATE

-- name: lock_job_by_name
-- The same, by its name.
SELECT 1 FROM job WHERE name = :name FOR NO KEY UPDATE

-- name: lock_jobs_with_held
-- Jobs of which runs are held: how many of their places are taken must not change while it is counted.
SELECT 1 FROM job WHERE id IN (SELECT job_id FROM run WHERE state = 'queued' AND held = 1) ORDER BY id FOR NO KEY UPDATE

-- name: lock_claims
-- Places are counted by one at a time, or two hosts take the same last one.
SELECT pg_advisory_xact_lock('run'::regclass::oid::int, 0)

-- name: lock_fact
-- A fact that is read in order to be written, though it may not be there yet.
SELECT pg_advisory_xact_lock('meta'::regclass::oid::int, hashtext(:key))

-- name: lock_hosts
-- Names of hosts, which are looked at in order to choose one that is free.
SELECT pg_advisory_xact_lock('host'::regclass::oid::int, 0)

-- name: lock_request_key
-- A request key that is looked for in order to be used.
SELECT pg_advisory_xact_lock('job'::regclass::oid::int, hashtext(:request_key))

-- name: lock_users
-- Everybody, to tell whether somebody is admin still.
SELECT pg_advisory_xact_lock('"user"'::regclass::oid::int, 0)
