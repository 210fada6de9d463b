#!/bin/sh
# Runs the plug-in as mass-driver does. `sh test.sh`
set -eu

plug_in=$(cd "$(dirname "$0")" && pwd)/{{program}}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

ask() {
    printf '{"version":%s,"kind":"{{kind}}","name":"{{name}}","config":{},"folder":"%s"}\n' "${1:-1}" "$folder" | sh "$plug_in"
}

# $1: what is tested. $2: what the answer must hold.
expect() {
    answer=$(ask)
    case $answer in
        *"$2"*) echo "ok: $1" ;;
        *) echo "failed: $1: $answer" >&2; exit 1 ;;
    esac
}

if ask 99 > /dev/null 2>&1; then echo "failed: another version must be refused" >&2; exit 1; fi

