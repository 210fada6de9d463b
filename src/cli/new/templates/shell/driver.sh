#!/bin/sh
# The mass-driver driver `{{name}}`: sees to it that a repository has a LICENSE file.
#
# It is a template: keep `answer`, and make the middle do what you need. It runs in the folder of the clone, so the request
# on standard input need not be read; a plug-in that has to understand its `config` is easier to write in another language.
set -eu

# $1: patched, already_patched, does_not_apply or error. $2: what people are to know, without quotes and backslashes.
answer() {
    printf '{"version": 1, "outcome": "%s", "details": "%s"}\n' "$1" "$2"
}

request=$(cat)
case $request in
    *'"version":1,'*) ;;
    *) echo "this driver speaks version 1 of the protocol" >&2; exit 1 ;;
esac

if [ ! -f README.md ]; then
    answer does_not_apply "there is no README.md, so this is no project of ours"
elif [ -e LICENSE ]; then
    answer already_patched "LICENSE is there"
else
    echo "All rights reserved." > LICENSE
    answer patched "LICENSE was added"
fi
