-- For which versions of Python a release is, and a requirement. The same rules as in the first file.

-- As the index says, with `||` between what its files say differently; empty when it is for all of them, NULL when the index
-- does not tell.
ALTER TABLE release ADD COLUMN requires_python TEXT;

-- What an index told before was read without it: "not changed" is no answer any more.
UPDATE package SET etag = NULL WHERE ecosystem = 'pypi';

-- Markers were not read, nor what projects run on. Files that may hold either are to be read again: no blob has this hash.
UPDATE manifest SET blob = '0000000000000000000000000000000000000000'
    WHERE manager IN ('requirements', 'pyproject', 'setup-cfg', 'pipfile', 'pre-commit');
