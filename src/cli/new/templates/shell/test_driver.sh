expect "another kind of repository is left alone" '"outcome": "does_not_apply"'
echo "# api" > README.md
expect "the file is added" '"outcome": "patched"'
test -s LICENSE
expect "and only once" '"outcome": "already_patched"'
