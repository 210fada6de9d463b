// A file server with ETags and conditional requests, as stands before mirrors and static indexes: express.
const path = require("node:path");
const express = require(path.join(process.argv[2], "express"));

const app = express();
app.use(
  express.static(process.argv[3], {
    index: ["index.v1_json"],
    setHeaders: (reply, file) => {
      if (file.endsWith(".v1_json")) reply.setHeader("content-type", "application/vnd.pypi.simple.v1+json");
    },
  }),
);
const server = app.listen(0, "127.0.0.1", () => console.log(`Serving on http://127.0.0.1:${server.address().port}`));
