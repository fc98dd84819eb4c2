-- A run's page names the runs that were asked for in its place: few among many.
CREATE INDEX run_retrying ON run (retry_of) WHERE retry_of IS NOT NULL;
