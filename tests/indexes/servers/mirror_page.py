"""The page that bandersnatch, PyPA's mirror, makes of a project's metadata: from standard input to standard output.

Its command fetches the metadata from an index over https and nothing else; how it writes pages is what is of interest.
"""

import json
import sys

from bandersnatch.package import Package
from bandersnatch.simple import SimpleAPI, SimpleDigest, SimpleFormat

metadata = json.load(sys.stdin)
package = Package(metadata["info"]["name"])
package._metadata = metadata
pages = SimpleAPI(None, SimpleFormat.JSON, [], SimpleDigest.SHA256, False, None)
sys.stdout.write(pages.generate_json_simple_page(package))
