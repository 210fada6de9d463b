//! What to write in an Activity file, for each that is built in. A test reads them all.

use super::Kind;

/// The example for a name.
pub(super) fn of(kind: Kind, name: &str) -> Option<&'static str> {
    let table = match kind {
        Kind::Driver => DRIVERS,
        Kind::Scanner => SCANNERS,
        Kind::Source => SOURCES,
        Kind::Forge => FORGES,
    };
    table.iter().find(|(of, _)| *of == name).map(|(_, example)| *example)
}

/// How a plug-in is named; nobody but its author knows its keys.
pub(super) fn of_plug_in(kind: Kind, name: &str) -> String {
    match kind {
        Kind::Driver => {
            format!("migration:\n  commit_message: What is changed\n  driver_name: {name}\n  driver_config: {{}}\n")
        }
        Kind::Scanner => format!("scan:\n  scanner_names: [{name}]\n"),
        Kind::Source => format!("source:\n  source_name: {name}\n  source_config: {{}}\n"),
        Kind::Forge => format!("forge:\n  forge_name: {name}\n"),
    }
}

const DRIVERS: &[(&str, &str)] = &[
    (
        "counter",
        "\
migration:
  commit_message: Count to 2
  driver_name: counter
  driver_config:
    target_file: counter.txt
    target_count: 2
",
    ),
    (
        "stamper",
        "\
migration:
  commit_message: Name the owners of the code
  driver_name: stamper
  driver_config:
    filepath_to_create: .github/CODEOWNERS
    file_contents: |
      * @acme/platform
",
    ),
    (
        "deleter",
        "\
migration:
  commit_message: Remove setup.cfg and .travis.yml
  driver_name: deleter
  driver_config:
    deletion_target: [setup.cfg, .travis.yml]
",
    ),
    (
        "shell",
        "\
migration:
  commit_message: Move to v2
  driver_name: shell
  driver_config:
    command: sed -i s/v1/v2/ version.txt && make docs
",
    ),
    (
        "replace",
        "\
migration:
  commit_message: Move to ubuntu-24.04
  driver_name: replace
  driver_config:
    paths: [\".github/workflows/**\", Dockerfile]
    from: 'ubuntu-(18|20)\\.04'
    to: ubuntu-24.04
    regex: true
",
    ),
    (
        "structured",
        "\
migration:
  commit_message: Leave formatting to ruff
  driver_name: structured
  driver_config:
    paths: pyproject.toml
    delete: [tool.black, tool.isort]
    set:
      tool.ruff.line-length: 100
",
    ),
    (
        "bump",
        "\
migration:
  commit_message: Move requests to 2.32.4
  driver_name: bump
  driver_config:
    ecosystem: pypi
    package: requests
    to: \"2.32.4\"
",
    ),
];

const SCANNERS: &[(&str, &str)] = &[
    ("root-files", "scan:\n  scanner_names: [root-files]\n"),
    ("dockerfile-from", "scan:\n  scanner_names: [dockerfile-from]\n"),
    ("dependencies", "scan:\n  scanner_names: [dependencies]\n"),
];

const SOURCES: &[(&str, &str)] = &[
    (
        "repo-list",
        "\
source:
  source_name: repo-list
  source_config:
    repos: [\"git@github.com:acme/api.git\", ../web]
",
    ),
    (
        "repo-filelist",
        "\
source:
  source_name: repo-filelist
  source_config:
    repo_file: repos.txt
",
    ),
    (
        "template-filelist",
        "\
source:
  source_name: template-filelist
  source_config:
    repo_file: ids.txt
    clone_url_template: git@github.com:{id}.git
",
    ),
    (
        "csv-filelist",
        "\
source:
  source_name: csv-filelist
  source_config:
    csv_file: repos.csv
",
    ),
    (
        "github-search",
        "\
source:
  source_name: github-search
  source_config:
    search_query: org:acme language:python
",
    ),
    (
        "github-app-search",
        "\
source:
  source_name: github-app-search
  source_config:
    search_query: org:acme language:python
    app_id: 12345
    app_installation_id: 67890
",
    ),
    (
        "github-organisation",
        "\
source:
  source_name: github-organisation
  source_config:
    organisation: acme
    forks: false
",
    ),
    (
        "github-installation",
        "\
source:
  source_name: github-installation
  source_config:
    app_installation_id: 67890
",
    ),
    (
        "index",
        "\
source:
  source_name: index
  source_config:
    ecosystem: pypi
    package: urllib3
    versions: \"<2\"
",
    ),
];

const FORGES: &[(&str, &str)] = &[
    ("github", "forge:\n  forge_name: github\n  draft_pr: true\n"),
    (
        "github-app",
        "\
forge:
  forge_name: github-app
  forge_config:
    app_id: 12345
    app_installation_id: 67890
",
    ),
    ("dummy", "forge:\n  forge_name: dummy\n"),
];
