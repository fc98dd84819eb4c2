-- Many hosts on one store: which there are, where a run may go, and until when its host may be relied on. Leases count
-- on this database's clock, and nobody else's is ever compared with it.
CREATE FUNCTION now_us() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
$$;

CREATE TABLE host (
    id         TEXT COLLATE "C" PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL UNIQUE CHECK (name <> ''),
    labels     TEXT NOT NULL,
    capacity   BIGINT NOT NULL CHECK (capacity >= 1),
    max_running BIGINT CHECK (max_running >= 1),
    version    TEXT NOT NULL,
    schema     BIGINT NOT NULL CHECK (schema >= 0),
    drained    INTEGER NOT NULL DEFAULT 0 CHECK (drained IN (0, 1)),
    hands_over INTEGER NOT NULL DEFAULT 0 CHECK (hands_over IN (0, drained)),
    missed     INTEGER NOT NULL DEFAULT 0 CHECK (missed IN (0, 1)),
    started_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL
);

-- Who plans, and when anybody last did: after a silence of all, no lease expires until hosts had time to renew.
CREATE TABLE fleet (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    planner       TEXT COLLATE "C",
    planner_until BIGINT NOT NULL,
    alive_at      BIGINT NOT NULL,
    grace_until   BIGINT NOT NULL
);
INSERT INTO fleet VALUES (1, NULL, 0, 0, 0);

-- Runs wait in lanes, one for each pool and each place that they may run at: a host asks only those that it may take
-- from, so what waits for another host hides nothing behind it.
CREATE TABLE lane (
    pool  TEXT COLLATE "C" NOT NULL,
    needs TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (pool, needs)
);
INSERT INTO lane SELECT name, '' FROM pool;

ALTER TABLE run ADD COLUMN needs TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN target TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN lease_until BIGINT CHECK (lease_until IS NULL OR state = 'running');
-- A job for all hosts has one record a host.
ALTER TABLE run DROP CONSTRAINT run_job_id_slot_key;
ALTER TABLE run ADD UNIQUE (job_id, slot, target);
DROP INDEX run_ready;
-- The claim: the next runs in order, lane by lane, so that a full pool or an absent host hides nothing behind it.
CREATE INDEX run_ready ON run (pool, needs, priority, due_at, id) WHERE state = 'queued' AND held = 0;
-- Leases by their end: those that are over come first.
CREATE INDEX run_lease ON run (lease_until) WHERE lease_until IS NOT NULL;

-- What running attempts have written lately, for those who watch from another host; it goes when the attempt ends. Nobody
-- needs it after a crash of the server, so it costs no log.
CREATE UNLOGGED TABLE live_output (
    run_id  TEXT COLLATE "C" NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    stream  TEXT COLLATE "C" NOT NULL CHECK (stream IN ('stdout', 'stderr')),
    start   BIGINT NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (run_id, attempt, stream, start)
);
CREATE FUNCTION live_output_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM live_output WHERE run_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER live_output_over AFTER UPDATE OF state ON run FOR EACH ROW
WHEN (OLD.state = 'running' AND NEW.state <> 'running') EXECUTE FUNCTION live_output_over();

-- Who waits for work is told of it at once, on a channel with the schema's name; looking once a second stands behind
-- that.
CREATE FUNCTION fleet_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_TABLE_SCHEMA, TG_ARGV[0]);
    RETURN NULL;
END $$;
CREATE TRIGGER run_made_ready AFTER INSERT ON run FOR EACH ROW
WHEN (NEW.state = 'queued' AND NEW.held = 0) EXECUTE FUNCTION fleet_told('ready');
CREATE TRIGGER run_became_ready AFTER UPDATE OF state, held ON run FOR EACH ROW
WHEN (NEW.state = 'queued' AND NEW.held = 0 AND (OLD.state <> 'queued' OR OLD.held = 1))
EXECUTE FUNCTION fleet_told('ready');
CREATE TRIGGER run_to_be_cancelled AFTER UPDATE OF cancel_at ON run FOR EACH ROW
WHEN (NEW.cancel_at IS NOT NULL AND OLD.cancel_at IS NULL) EXECUTE FUNCTION fleet_told('cancel');
CREATE TRIGGER host_drained AFTER UPDATE OF drained, hands_over ON host FOR EACH ROW
WHEN (NEW.drained <> OLD.drained OR NEW.hands_over <> OLD.hands_over) EXECUTE FUNCTION fleet_told('host');
