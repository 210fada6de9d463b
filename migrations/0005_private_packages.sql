-- Packages that are private repositories. The same rules as in the first file.

-- The installation whose private repository a package is. What is known of it reaches no repository of another one.
ALTER TABLE package ADD COLUMN private_to BIGINT;
