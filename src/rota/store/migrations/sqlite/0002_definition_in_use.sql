-- Which job uses a definition: every new definition makes SQLite look for rows that were waiting for it (the reference
-- is deferred), and without this it reads the whole table of jobs, for each of the ten thousand jobs of one apply.
CREATE INDEX job_by_definition ON job (definition_id);
