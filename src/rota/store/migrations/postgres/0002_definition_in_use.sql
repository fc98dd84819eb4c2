-- Which job uses a definition: dropping one that nobody uses looks for rows that refer to it.
CREATE INDEX job_by_definition ON job (definition_id);
