-- Packages whose versions are tags, which may be moved. The same rules as in the first file.

-- What a version points at, where it is a tag: a commit, or an image's digest; and since when it was seen to.
ALTER TABLE release ADD COLUMN digest TEXT;
ALTER TABLE release ADD COLUMN digest_since BIGINT;
