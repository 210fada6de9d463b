expect "the first repository" '{"id": "https://git.example.com/acme/api", "clone_url": "https://git.example.com/acme/api"}'
expect "the second one" '"clone_url": "https://git.example.com/acme/web"}]}'
