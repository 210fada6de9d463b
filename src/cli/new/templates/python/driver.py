#!/usr/bin/env python3
"""The mass-driver driver `{{name}}`: replaces one text by another in some files of a repository.

It is a template: keep `main` and what it is made of, and make `patch` do what you need.
"""

import json
import os
import sys

VERSION = 1


def patch(folder, config):
    """Changes the files in a folder. Gives the outcome and what people are to know of it.

    The outcomes are `patched`, `already_patched`, `does_not_apply` and `error`.
    """
    files = config.get("files")
    old, new = config.get("old"), config.get("new")
    if not isinstance(files, list) or not isinstance(old, str) or not isinstance(new, str) or not old:
        return "error", "the keys `files` (a list), `old` and `new` (texts) are needed"
    changed, done = [], []
    for name in files:
        path = os.path.join(folder, name)
        # A link may lead out of the repository.
        if os.path.islink(path) or not os.path.isfile(path):
            continue
        with open(path, encoding="utf-8", newline="") as file:
            before = file.read()
        after = before.replace(old, new)
        if after != before:
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(after)
            changed.append(name)
        elif new and new in before:
            done.append(name)
    if changed:
        return "patched", "changed " + ", ".join(changed)
    if done:
        return "already_patched", "nothing is left to change in " + ", ".join(done)
    return "does_not_apply", "the text is in none of the files"


def main():
    request = json.load(sys.stdin)
    if request.get("version") != VERSION:
        sys.exit(f"this driver speaks version {VERSION} of the protocol, not {request.get('version')}")
    try:
        outcome, details = patch(request["folder"], request.get("config") or {})
    except (OSError, UnicodeError) as error:
        outcome, details = "error", str(error)
    # Standard output is for the answer alone. What is for people goes to standard error.
    json.dump({"version": VERSION, "outcome": outcome, "details": details}, sys.stdout)


if __name__ == "__main__":
    main()
