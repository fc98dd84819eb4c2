-- The first schema. Instants are microseconds since 1970 in UTC; durations are microseconds.
-- What the model's table of moves refuses, the triggers here refuse too; events and totals are written by triggers,
-- so that no path through the code can change a run and forget to say so.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE pool (
    name TEXT PRIMARY KEY CHECK (name <> ''),
    size INTEGER NOT NULL CHECK (size >= 1)
) WITHOUT ROWID;

CREATE TABLE definition (
    id         INTEGER PRIMARY KEY,
    job_id     INTEGER NOT NULL REFERENCES job (id),
    body       TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX definition_of_job ON definition (job_id);

CREATE TABLE job (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    origin        TEXT NOT NULL,
    definition_id INTEGER NOT NULL REFERENCES definition (id) DEFERRABLE INITIALLY DEFERRED,
    revision      INTEGER NOT NULL CHECK (revision >= 1),
    enabled       INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    job_limit     INTEGER CHECK (job_limit >= 1),
    rest          INTEGER CHECK (rest > 0),
    jitter        INTEGER NOT NULL DEFAULT 0 CHECK (jitter >= 0),
    paused_at     INTEGER,
    removed_at    INTEGER,
    planned_to    INTEGER NOT NULL,
    next_slot     INTEGER,
    wake_at       INTEGER,
    skip_streak   INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL,
    changed_at    INTEGER NOT NULL,
    CHECK ((next_slot IS NULL) = (wake_at IS NULL)),
    CHECK (next_slot IS NULL OR (enabled = 1 AND paused_at IS NULL AND removed_at IS NULL)),
    CHECK (next_slot IS NULL OR next_slot > planned_to)
);
-- The planner's question: who is due? A million idle jobs cost it nothing.
CREATE INDEX job_wake ON job (wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE run (
    id            TEXT PRIMARY KEY,
    job_id        INTEGER NOT NULL REFERENCES job (id),
    definition_id INTEGER NOT NULL REFERENCES definition (id),
    trigger       TEXT NOT NULL CHECK (trigger IN ('schedule', 'catch_up', 'manual', 'retry')),
    slot          INTEGER,
    due_at        INTEGER NOT NULL,
    state         TEXT NOT NULL CHECK (state IN
                  ('queued', 'running', 'waiting', 'succeeded', 'failed', 'timed_out', 'cancelled', 'lost')),
    attempt       INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    priority      INTEGER NOT NULL,
    pool          TEXT NOT NULL DEFAULT '',
    held          INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)),
    host          TEXT,
    boot          TEXT,
    spool         TEXT,
    queued_at     INTEGER NOT NULL,
    changed_at    INTEGER NOT NULL,
    ready_at      INTEGER,
    start_by      INTEGER,
    started_at    INTEGER,
    ended_at      INTEGER,
    exit_code     INTEGER,
    reason        TEXT NOT NULL DEFAULT '',
    cancel_at     INTEGER,
    cancel_reason TEXT NOT NULL DEFAULT '',
    params        TEXT NOT NULL DEFAULT '{}',
    result        TEXT,
    retry_of      TEXT,
    request_key   TEXT UNIQUE,
    UNIQUE (job_id, slot),
    CHECK ((slot IS NOT NULL) = (trigger IN ('schedule', 'catch_up'))),
    CHECK ((state = 'running') = (spool IS NOT NULL)),
    CHECK (state <> 'running' OR (host IS NOT NULL AND boot IS NOT NULL AND started_at IS NOT NULL AND attempt >= 1)),
    CHECK ((state = 'waiting') = (ready_at IS NOT NULL)),
    CHECK ((state IN ('succeeded', 'failed', 'timed_out', 'cancelled', 'lost')) = (ended_at IS NOT NULL)),
    CHECK (state <> 'succeeded' OR (exit_code IS NOT NULL AND exit_code = 0)),
    CHECK (held = 0 OR state = 'queued'),
    CHECK (ended_at IS NULL OR started_at IS NULL OR ended_at >= started_at)
) WITHOUT ROWID;
-- The claim: the next runs in order, pool by pool, so that a full pool hides nothing behind it.
CREATE INDEX run_ready ON run (pool, priority, due_at, id) WHERE state = 'queued' AND held = 0;
-- The next run of a job to be let go when a place of the job becomes free.
CREATE INDEX run_held ON run (job_id, priority, due_at, id) WHERE state = 'queued' AND held = 1;
-- Attempts whose pause is over.
CREATE INDEX run_waiting ON run (ready_at) WHERE state = 'waiting';
-- Runs that may wait for a place only until an instant.
CREATE INDEX run_start_by ON run (start_by) WHERE state = 'queued' AND attempt = 0 AND start_by IS NOT NULL;
-- What runs, for the limits, for adoption and for cancelling.
CREATE INDEX run_running ON run (host, pool) WHERE state = 'running';
-- Running runs that somebody wants ended: hardly ever any.
CREATE INDEX run_cancel ON run (host) WHERE state = 'running' AND cancel_at IS NOT NULL;
-- A job's history, newest first.
CREATE INDEX run_of_job ON run (job_id, id);
-- The overlap rule's question: which runs of the job are active? (After run_of_job: of two indexes that cost the same,
-- SQLite takes the one that was made last, and a job's whole history would be read for its few active runs.)
CREATE INDEX run_active ON run (job_id, id) WHERE state IN ('queued', 'running', 'waiting');
-- What went wrong, newest first, among a million that went well.
CREATE INDEX run_trouble ON run (id) WHERE state IN ('failed', 'timed_out', 'lost');

CREATE TABLE attempt (
    run_id     TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    attempt    INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('failed', 'timed_out', 'lost')),
    host       TEXT,
    started_at INTEGER,
    ended_at   INTEGER NOT NULL,
    exit_code  INTEGER,
    reason     TEXT NOT NULL,
    PRIMARY KEY (run_id, attempt)
) WITHOUT ROWID;

CREATE TABLE output (
    id      INTEGER PRIMARY KEY,
    run_id  TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    stream  TEXT NOT NULL CHECK (stream IN ('stdout', 'stderr')),
    head    BLOB NOT NULL,
    tail    BLOB NOT NULL,
    size    INTEGER NOT NULL CHECK (size >= length(head) + length(tail)),
    UNIQUE (run_id, attempt, stream)
);
CREATE TABLE output_kept (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    bytes INTEGER NOT NULL
);
INSERT INTO output_kept VALUES (1, 0);
CREATE TRIGGER output_grows AFTER INSERT ON output BEGIN
    UPDATE output_kept SET bytes = bytes + length(NEW.head) + length(NEW.tail);
END;
CREATE TRIGGER output_shrinks AFTER DELETE ON output BEGIN
    UPDATE output_kept SET bytes = bytes - length(OLD.head) - length(OLD.tail);
END;

CREATE TABLE skip (
    id         INTEGER PRIMARY KEY,
    job_id     INTEGER NOT NULL REFERENCES job (id),
    first_slot INTEGER NOT NULL,
    last_slot  INTEGER NOT NULL,
    count      INTEGER NOT NULL CHECK (count >= 1),
    code       TEXT NOT NULL,
    reason     TEXT NOT NULL CHECK (reason <> ''),
    run_id     TEXT,
    at         INTEGER NOT NULL,
    CHECK (last_slot >= first_slot),
    CHECK (count > 1 OR last_slot = first_slot)
);
CREATE UNIQUE INDEX skip_of_job ON skip (job_id, last_slot);

CREATE TABLE event (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    job_id INTEGER,
    run_id TEXT,
    data   TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX event_at ON event (at);

-- Counts that survive pruning: per job, day and outcome.
CREATE TABLE total (
    job_id INTEGER NOT NULL,
    day    INTEGER NOT NULL,
    state  TEXT NOT NULL,
    runs   INTEGER NOT NULL,
    tries  INTEGER NOT NULL,
    busy   INTEGER NOT NULL,
    PRIMARY KEY (job_id, day, state)
) WITHOUT ROWID;

CREATE TRIGGER run_moves BEFORE UPDATE OF state ON run
WHEN NEW.state <> OLD.state AND NOT (
    (OLD.state = 'queued' AND NEW.state IN ('running', 'cancelled'))
    OR (OLD.state = 'running' AND NEW.state IN
        ('queued', 'waiting', 'succeeded', 'failed', 'timed_out', 'cancelled', 'lost'))
    OR (OLD.state = 'waiting' AND NEW.state IN ('queued', 'cancelled'))
) BEGIN
    SELECT RAISE(ABORT, 'a run cannot move so');
END;

CREATE TRIGGER run_made AFTER INSERT ON run BEGIN
    INSERT INTO event (at, kind, job_id, run_id) VALUES (NEW.changed_at, 'run.' || NEW.state, NEW.job_id, NEW.id);
END;

CREATE TRIGGER run_moved AFTER UPDATE OF state ON run WHEN NEW.state <> OLD.state BEGIN
    INSERT INTO event (at, kind, job_id, run_id) VALUES (NEW.changed_at, 'run.' || NEW.state, NEW.job_id, NEW.id);
END;

CREATE TRIGGER run_ended AFTER UPDATE OF state ON run WHEN NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL BEGIN
    INSERT INTO total (job_id, day, state, runs, tries, busy) VALUES
        (NEW.job_id, NEW.ended_at / 86400000000, NEW.state, 1, NEW.attempt,
         coalesce(NEW.ended_at - NEW.started_at, 0))
    ON CONFLICT DO UPDATE SET runs = runs + 1, tries = tries + excluded.tries, busy = busy + excluded.busy;
    -- A place of the job is free: the next run that was held for it may go.
    UPDATE run SET held = 0
     WHERE id = (SELECT id FROM run WHERE job_id = NEW.job_id AND state = 'queued' AND held = 1
                  ORDER BY priority, due_at, id LIMIT 1)
       AND (SELECT count(*) FROM run WHERE job_id = NEW.job_id AND held = 0
               AND state IN ('queued', 'running', 'waiting'))
           < coalesce((SELECT job_limit FROM job WHERE id = NEW.job_id), 1000000000);
    -- A schedule that counts from the end of the run counts from then; but from now, if the clock was corrected since
    -- the start and the end is made to look later than it was.
    UPDATE job SET next_slot = max(min(NEW.ended_at, NEW.changed_at), planned_to) + rest,
                   wake_at = max(min(NEW.ended_at, NEW.changed_at), planned_to) + rest + jitter
     WHERE id = NEW.job_id AND rest IS NOT NULL AND next_slot IS NULL
       AND enabled = 1 AND paused_at IS NULL AND removed_at IS NULL;
END;

CREATE TRIGGER skip_made AFTER INSERT ON skip BEGIN
    INSERT INTO total (job_id, day, state, runs, tries, busy) VALUES
        (NEW.job_id, NEW.last_slot / 86400000000, 'skipped', NEW.count, 0, 0)
    ON CONFLICT DO UPDATE SET runs = runs + excluded.runs;
END;

CREATE TRIGGER skip_grew AFTER UPDATE OF count ON skip BEGIN
    INSERT INTO total (job_id, day, state, runs, tries, busy) VALUES
        (NEW.job_id, NEW.last_slot / 86400000000, 'skipped', NEW.count - OLD.count, 0, 0)
    ON CONFLICT DO UPDATE SET runs = runs + excluded.runs;
END;
