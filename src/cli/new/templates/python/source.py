#!/usr/bin/env python3
"""The mass-driver source `{{name}}`: gives each name of a list as a repository of one owner.

It is a template: keep `main` and what it is made of, and make `find` ask where your repositories are.
"""

import json
import sys

VERSION = 1


def find(config):
    """Finds repositories: objects with `id`, `clone_url` and, if you like, `upstream_branch` and `patch_data`."""
    base, names = config.get("base"), config.get("names")
    if not isinstance(base, str) or not isinstance(names, list):
        raise ValueError("the keys `base` (a text) and `names` (a list) are needed")
    base = base.rstrip("/")
    return [
        {"id": name, "clone_url": f"{base}/{name}", "patch_data": {"name": name}}
        for name in names
    ]


def main():
    request = json.load(sys.stdin)
    if request.get("version") != VERSION:
        sys.exit(f"this source speaks version {VERSION} of the protocol, not {request.get('version')}")
    try:
        repositories = find(request.get("config") or {})
    except ValueError as error:
        sys.exit(str(error))
    # Standard output is for the answer alone. What is for people goes to standard error.
    json.dump({"version": VERSION, "repositories": repositories}, sys.stdout)


if __name__ == "__main__":
    main()
