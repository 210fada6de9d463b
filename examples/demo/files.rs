//! What people commit in the story.

pub const SUBSCRIPTION: &str = ".mass-driver.yaml";

/// Python on Monday mornings, the image at once.
pub const API_SUBSCRIPTION: &str = "\
subscriptions:
  - migration: pypi          # Python packages
    delay: weekly            # on Monday at 06:00
  - migration: dockerfile    # base images
    delay: immediate
";

pub const API_REQUIREMENTS: &str = "\
# The client for everything upstream.
httpx==0.27.0        # tests pin its timeouts, mind them
";

pub const API_DOCKERFILE: &str = "\
# Small, and without a compiler.
FROM python:3.12-slim AS base
COPY . /app
";

/// One pull request for all small steps, with releases that had two days to be found out.
pub const WEB_SUBSCRIPTION: &str = "\
subscriptions:
  - migration: pypi
    group: minor-and-patch   # small steps share a pull request
    min_age: 2d              # let others find the bad releases
";

pub const WEB_PYPROJECT: &str = "\
[project]
name = \"web\"
version = \"1.4.0\"
dependencies = [
    \"flask==3.0.0\",      # the framework
    \"jinja2==3.1.3\",
]
";

/// Four mistakes.
pub const LEGACY_BROKEN: &str = "\
delay: weakly
labls: [dependencies]
subscriptions:
  - migration: pipy
    min_age: 3x
";

pub const LEGACY_MENDED: &str = "\
delay: immediate
labels: [dependencies]
subscriptions:
  - migration: pypi
    min_age: 3d
";

pub const LEGACY_REQUIREMENTS: &str = "requests==2.31.0\n";
