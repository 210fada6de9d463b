"""pypiserver on a port of its own choice, over the folder given. Its command cannot say which port it got."""

import sys
from wsgiref.simple_server import make_server

import pypiserver

# Without the fallback, which redirects to a public index what is not in the folder.
app = pypiserver.app(roots=[sys.argv[1]], disable_fallback=True)
with make_server("127.0.0.1", 0, app) as server:
    print(f"Serving on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
