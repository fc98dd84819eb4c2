-- name: database_clock
-- The time that slots and leases go by, whatever the clocks of hosts say.
SELECT now_us()

-- name: register_host
-- A host that starts; what people have said about it stays.
INSERT INTO host (id, name, labels, capacity, max_running, version, schema, started_at, seen_at)
VALUES (:id, :name, :labels, :capacity, :max_running, :version, :schema, now_us(), now_us())
ON CONFLICT (id) DO UPDATE
   SET name = :name, labels = :labels, capacity = :capacity, max_running = :max_running, version = :version,
       schema = :schema, started_at = now_us(), seen_at = now_us(), missed = 0

-- name: see_host
-- A host lives; one that was forgotten meanwhile matches no row.
UPDATE host SET seen_at = now_us(), missed = 0 WHERE id = :id RETURNING started_at

-- name: miss_silent
-- Hosts that should be there and were not seen for so long; each is told of once, and none while all come back.
UPDATE host SET missed = 1
 WHERE missed = 0 AND drained = 0 AND seen_at < now_us() - :silent AND (SELECT grace_until FROM fleet) < now_us()
   AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'serving:' || host.id AND value = 'no')
RETURNING name

-- name: hosts
-- Every host by name, and whether its engine was stopped in order.
SELECT host.*,
       EXISTS (SELECT 1 FROM meta WHERE key = 'serving:' || host.id AND value = 'no') AS stopped
  FROM host ORDER BY name

-- name: host_named
-- One host, by its name or its id.
SELECT host.*,
       EXISTS (SELECT 1 FROM meta WHERE key = 'serving:' || host.id AND value = 'no') AS stopped
  FROM host WHERE name = :name OR id = :name ORDER BY name = :name DESC LIMIT 1

-- name: limit_host
-- How much a host takes at once, and how much it says that all hosts may.
UPDATE host SET capacity = :capacity, max_running = :max_running WHERE id = :id

-- name: standing
-- What a host has to know before it claims. The smallest limit that any host names is that of all.
SELECT drained, hands_over, (SELECT min(max_running) FROM host) AS max_running FROM host WHERE id = :id

-- name: drained
-- Whether a host is drained, for whoever has waited since it was asked last.
SELECT 1 FROM host WHERE id = :host AND drained = 1

-- name: drain_host
-- Let a host claim nothing more, and perhaps hand over what it has; or let it claim again.
UPDATE host SET drained = :drained, hands_over = :hands_over WHERE id = :id

-- name: forget_host_if_gone
-- A host that was not seen for a while, and of which nothing runs.
DELETE FROM host
 WHERE id = :id AND seen_at < now_us() - :silent
   AND NOT EXISTS (SELECT 1 FROM run WHERE state = 'running' AND host = :id)

-- name: renew_leases
-- What a host has running goes on to be its own. A row that somebody works on right now is renewed the next time.
UPDATE run SET lease_until = now_us() + :lease
 WHERE id IN (SELECT id FROM run WHERE state = 'running' AND host = :host FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id

-- name: own_running
-- Which attempts are a host's own.
SELECT id, attempt FROM run WHERE state = 'running' AND host = :host

-- name: running_counts
-- How many attempts each host has.
SELECT host, count(*) AS runs FROM run WHERE state = 'running' GROUP BY host

-- name: take_expired
-- Runs whose hosts let their leases go by, for whoever decides on them. Their rows are held: no renewal comes between.
WITH locked AS MATERIALIZED (
    SELECT id FROM job WHERE id IN (SELECT job_id FROM run WHERE lease_until < now_us())
     ORDER BY id LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED),
taken AS (
    UPDATE run SET lease_until = 0 FROM locked
     WHERE run.job_id = locked.id AND state = 'running' AND lease_until < now_us()
       AND (SELECT grace_until FROM fleet) < now_us()
 RETURNING run.*)
SELECT taken.*, job.name AS job FROM taken JOIN job ON job.id = job_id

-- name: lead
-- One host plans: whoever does already, or anybody once that one was silent, or says so of a time that has yet to come:
-- the clock went back. When nobody was there for a while, the database was away, and no lease expires until hosts had
-- time to renew theirs; and whoever was there before is taken to be there still, or the first one that is back would
-- plan as if it were alone. While two versions work side by side, a host of the newer one takes over at once: it
-- understands whatever either of them has written.
WITH before AS MATERIALIZED (
    SELECT one, alive_at FROM fleet
     WHERE planner = :host OR planner_until NOT BETWEEN now_us() AND now_us() + 2 * :span
        OR (SELECT schema FROM host WHERE id = planner) < (SELECT schema FROM host WHERE id = :host)
       FOR NO KEY UPDATE),
leads AS (
    UPDATE fleet
       SET planner = :host, planner_until = now_us() + :span, alive_at = now_us(),
           grace_until = CASE WHEN before.alive_at < now_us() - :outage THEN now_us() + :lease ELSE grace_until END
      FROM before WHERE fleet.one = before.one
 RETURNING before.alive_at < now_us() - :outage AS were_silent, before.alive_at AS silent_since),
excused AS (
    UPDATE host SET seen_at = now_us() FROM leads
     WHERE were_silent AND seen_at > silent_since - 30000000
       AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'serving:' || host.id AND value = 'no'))
SELECT EXISTS (SELECT 1 FROM run WHERE lease_until < now_us()) AS expired FROM leads

-- name: planner
-- Who plans; nobody, once that one was silent.
SELECT planner FROM fleet WHERE planner IS NOT NULL AND planner_until >= now_us()

-- name: resign
-- A planner that stops lets the next one begin at once.
UPDATE fleet SET planner_until = 0 WHERE planner = :host
