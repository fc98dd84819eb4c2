-- What a store knows of hosts; a file has one, whose runs have no lease.
CREATE TABLE host (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE CHECK (name <> ''),
    labels     TEXT NOT NULL,
    capacity   INTEGER NOT NULL CHECK (capacity >= 1),
    max_running INTEGER CHECK (max_running >= 1),
    version    TEXT NOT NULL,
    schema     INTEGER NOT NULL CHECK (schema >= 0),
    drained    INTEGER NOT NULL DEFAULT 0 CHECK (drained IN (0, 1)),
    hands_over INTEGER NOT NULL DEFAULT 0 CHECK (hands_over IN (0, drained)),
    missed     INTEGER NOT NULL DEFAULT 0 CHECK (missed IN (0, 1)),
    started_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL
) WITHOUT ROWID;

-- Who plans, and when anybody last did.
CREATE TABLE fleet (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    planner       TEXT,
    planner_until INTEGER NOT NULL,
    alive_at      INTEGER NOT NULL,
    grace_until   INTEGER NOT NULL
);
INSERT INTO fleet VALUES (1, NULL, 0, 0, 0);

-- Runs wait in lanes, one for each pool and each place that they may run at: a host asks only those that it may take
-- from, so what waits for another host hides nothing behind it.
CREATE TABLE lane (
    pool  TEXT NOT NULL,
    needs TEXT NOT NULL,
    PRIMARY KEY (pool, needs)
) WITHOUT ROWID;
INSERT INTO lane SELECT name, '' FROM pool;

-- The target is the host that has this record of a slot for all hosts; with one host there is one a slot, as before.
ALTER TABLE run ADD COLUMN needs TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN target TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN lease_until INTEGER CHECK (lease_until IS NULL OR state = 'running');
DROP INDEX run_ready;
-- The claim: the next runs in order, lane by lane, so that a full pool or an absent host hides nothing behind it.
CREATE INDEX run_ready ON run (pool, needs, priority, due_at, id) WHERE state = 'queued' AND held = 0;

-- What running attempts have written lately, for those who watch from another host: nobody, with a store in the home.
CREATE TABLE live_output (
    run_id  TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    stream  TEXT NOT NULL CHECK (stream IN ('stdout', 'stderr')),
    start   INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (run_id, attempt, stream, start)
) WITHOUT ROWID;
