expect "an empty repository" '{"files": 0, "readme": false}'
echo "# api" > README.md
mkdir .git
echo x > .git/x
echo x > "a file"
expect "files are counted" '{"files": 2, "readme": true}'
