-- What lists and overviews of a million runs and ten thousand jobs are answered from.

-- A job's runs that ended in one way, newest first: what is rare must not be looked for among all that went well.
CREATE INDEX run_ended_of_job ON run (job_id, state, id, ended_at) WHERE ended_at IS NOT NULL;

-- Missed slots are events, and few among many.
CREATE INDEX event_missed ON event (at) WHERE kind = 'job.missed';

-- How much ran in each hour (of 1970, in UTC), by outcome: the load over the day. It survives pruning. Each host has
-- rows of its own, or all hosts would wait for one row each time a run ends.
CREATE TABLE hour_total (
    hour  BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    host  TEXT COLLATE "C" NOT NULL DEFAULT '',
    runs  BIGINT NOT NULL,
    busy  BIGINT NOT NULL,
    PRIMARY KEY (hour, state, host)
);
INSERT INTO hour_total
SELECT coalesce(started_at, ended_at) / 3600000000, state, coalesce(host, ''), count(*),
       sum(coalesce(ended_at - started_at, 0))
  FROM run WHERE ended_at IS NOT NULL GROUP BY 1, 2, 3;

CREATE FUNCTION run_ended_in_hour() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO hour_total (hour, state, host, runs, busy) VALUES
        (coalesce(NEW.started_at, NEW.ended_at) / 3600000000, NEW.state, coalesce(NEW.host, ''), 1,
         coalesce(NEW.ended_at - NEW.started_at, 0))
    ON CONFLICT (hour, state, host) DO UPDATE
       SET runs = hour_total.runs + 1, busy = hour_total.busy + excluded.busy;
    RETURN NULL;
END $$;
CREATE TRIGGER run_ended_in_hour AFTER UPDATE OF state ON run FOR EACH ROW
WHEN (NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL) EXECUTE FUNCTION run_ended_in_hour();
