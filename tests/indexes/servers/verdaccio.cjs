// verdaccio on a port of its own choice, its packages in the folder given: anybody may publish, and nothing is looked up
// elsewhere. Its command cannot say which port it got.
const path = require("node:path");
const { runServer } = require(path.join(process.argv[2], "verdaccio"));

const folder = process.argv[3];
const everybody = { access: "$all", publish: "$all", unpublish: "$all" };
const config = {
  self_path: folder,
  storage: path.join(folder, "storage"),
  auth: { htpasswd: { file: path.join(folder, "htpasswd"), max_users: -1 } },
  packages: { "@*/*": everybody, "**": everybody },
  web: { enable: false },
  log: { type: "stdout", format: "json", level: "warn" },
};

runServer(config).then((server) => {
  server.listen(0, "127.0.0.1", () => console.log(`Serving on http://127.0.0.1:${server.address().port}`));
});
