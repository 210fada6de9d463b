#!/usr/bin/env python3
"""The mass-driver scanner `{{name}}`: counts the files of a repository, by their endings.

It is a template: keep `main` and what it is made of, and make `scan` read what you need.
"""

import json
import os
import sys

VERSION = 1


def scan(folder, config):
    """Reads facts from the files in a folder: whatever can be written as a JSON object."""
    left_out = set(config.get("leave_out", [".git"]))
    endings = {}
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in left_out)
        for name in files:
            ending = os.path.splitext(name)[1]
            endings[ending] = endings.get(ending, 0) + 1
    return {"files": sum(endings.values()), "endings": endings}


def main():
    request = json.load(sys.stdin)
    if request.get("version") != VERSION:
        sys.exit(f"this scanner speaks version {VERSION} of the protocol, not {request.get('version')}")
    facts = scan(request["folder"], request.get("config") or {})
    # Standard output is for the answer alone. What is for people goes to standard error.
    json.dump({"version": VERSION, "facts": facts}, sys.stdout)


if __name__ == "__main__":
    main()
