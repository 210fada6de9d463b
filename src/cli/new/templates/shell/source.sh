#!/bin/sh
# The mass-driver source `{{name}}`: gives the repositories that stand below, one a line.
#
# It is a template: replace `list` by whatever knows your repositories. It must print an address a line.
set -eu

list() {
    echo "https://git.example.com/acme/api"
    echo "https://git.example.com/acme/web"
}

request=$(cat)
case $request in
    *'"version":1,'*) ;;
    *) echo "this source speaks version 1 of the protocol" >&2; exit 1 ;;
esac

list | awk '
    BEGIN { printf "{\"version\": 1, \"repositories\": [" }
    /["\\]/ { print "no address: " $0 > "/dev/stderr"; failed = 1; exit 1 }
    NF { printf "%s{\"id\": \"%s\", \"clone_url\": \"%s\"}", separator, $0, $0; separator = ", " }
    END { if (!failed) print "]}" }
'
