-- Packages whose versions are tags, which may be moved. The same rules as in the first file.

-- What a version points at, where it is a tag: a commit, or an image's digest; and since when it was seen to.
ALTER TABLE release ADD COLUMN digest TEXT;
ALTER TABLE release ADD COLUMN digest_since BIGINT;

-- Requirements that are pinned to hashes were left alone; the word for that is gone. Their files are to be read again: no blob
-- has this hash.
UPDATE dependency SET dependency = replace(dependency, '"hash_pinned"', '{"left_alone":"its file is to be read again"}')
    WHERE manager = 'requirements';
UPDATE manifest SET blob = '0000000000000000000000000000000000000000' WHERE manager = 'requirements';
