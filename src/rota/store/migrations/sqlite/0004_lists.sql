-- What lists and overviews of a million runs and ten thousand jobs are answered from.

-- A job's runs that ended in one way, newest first: what is rare must not be looked for among all that went well.
-- (`ended_at` is there so that the index alone answers: a partial index is not asked without its own condition.)
CREATE INDEX run_ended_of_job ON run (job_id, state, id, ended_at) WHERE ended_at IS NOT NULL;

-- Missed slots are events, and few among many.
CREATE INDEX event_missed ON event (at) WHERE kind = 'job.missed';

-- How much ran in each hour (of 1970, in UTC), by outcome: the load over the day. It survives pruning.
CREATE TABLE hour_total (
    hour  INTEGER NOT NULL,
    state TEXT NOT NULL,
    runs  INTEGER NOT NULL,
    busy  INTEGER NOT NULL,
    PRIMARY KEY (hour, state)
) WITHOUT ROWID;
INSERT INTO hour_total
SELECT coalesce(started_at, ended_at) / 3600000000, state, count(*), sum(coalesce(ended_at - started_at, 0))
  FROM run WHERE ended_at IS NOT NULL GROUP BY 1, 2;

CREATE TRIGGER run_ended_in_hour AFTER UPDATE OF state ON run WHEN NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL
BEGIN
    INSERT INTO hour_total (hour, state, runs, busy) VALUES
        (coalesce(NEW.started_at, NEW.ended_at) / 3600000000, NEW.state, 1, coalesce(NEW.ended_at - NEW.started_at, 0))
    ON CONFLICT DO UPDATE SET runs = runs + 1, busy = busy + excluded.busy;
END;
