//! Laws: an edit gives exactly the file a person would have written with the new version, and no text, whatever
//! it holds, makes a manager panic or change something it was not asked to.

use mass_driver::domain::{Dependency, Ecosystem, RepoPath, Skip};
use mass_driver::managers::{self, Edit, EditError, Manager};
use mass_driver::versioning::scheme;
use proptest::prelude::*;

/// Stands for the version in templates; replaced by the old one and by the new one.
pub(crate) const HERE: &str = "@V@";

/// Stands for the commit in templates, as [`HERE`].
pub(crate) const COMMIT: &str = "@SHA@";

/// Where a manager's file lies.
pub(crate) fn path_for(manager: &str) -> RepoPath {
    let path = match manager {
        "requirements" => "api/requirements.txt",
        "pyproject" => "pyproject.toml",
        "setup-cfg" => "setup.cfg",
        "pipfile" => "Pipfile",
        "package-json" => "web/package.json",
        "pnpm-workspace" => "pnpm-workspace.yaml",
        "cargo" => "crates/a/Cargo.toml",
        "compose" => "compose.yaml",
        "github-actions" => ".github/workflows/ci.yml",
        "pre-commit" => ".pre-commit-config.yaml",
        _ => "Dockerfile",
    };
    RepoPath::parse(path).unwrap()
}

pub(crate) fn manager(name: &str) -> &'static dyn Manager {
    managers::by_name(name).unwrap()
}

pub(crate) fn edit_of(dependency: &Dependency, to: &str) -> Edit {
    let digest = match dependency.package.ecosystem {
        Ecosystem::Docker => format!("sha256:{}", "e".repeat(64)),
        _ => "e".repeat(40),
    };
    Edit {
        package: dependency.package.clone(),
        from: dependency.current.clone().unwrap_or_default(),
        constraint: dependency.constraint.clone(),
        to: to.into(),
        python: None,
        digest_from: dependency.digest.clone(),
        digest_to: dependency.digest.as_ref().map(|_| digest),
        hashes_to: if dependency.hashed { vec![format!("sha256:{}", "f".repeat(64))] } else { Vec::new() },
    }
}

pub(crate) fn pick(choices: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(choices).prop_map(str::to_string)
}

pub(crate) fn lines(line: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(line, 0..8)
}

/// Line ends, mark, and whether the last line ends.
pub(crate) fn encoding() -> impl Strategy<Value = (&'static str, &'static str, bool)> {
    (prop::sample::select(vec!["\n", "\r\n"]), prop::sample::select(vec!["", "\u{feff}"]), any::<bool>())
}

pub(crate) fn file(lines: &[String], (end, mark, last): (&str, &str, bool)) -> String {
    // A template may span lines.
    let text = lines.join("\n").replace('\n', end);
    format!("{mark}{text}{}", if last { end } else { "" })
}

fn requirements_file() -> impl Strategy<Value = Vec<String>> {
    let target = (
        pick(&["", "  ", "\t"]),
        pick(&["target-pkg", "Target_Pkg", "target.pkg"]),
        pick(&["", "[a]", " [a, b-c]"]),
        pick(&["", " ", "\t", " \\\n   "]),
        pick(&["", " ; python_version < '3'", "  # pinned", " --global-option=\"x\"", "\t"]),
    )
        .prop_map(|(indent, name, extras, space, end)| format!("{indent}{name}{extras}{space}=={HERE}{end}"));
    let noise = pick(&[
        "",
        "# target-pkg==1.0",
        "other==1.0",
        "target-pkg-too==1.0",
        "-r base.txt",
        "--pre",
        "a>=1,<2 # 1.0",
        "target-pkg @ https://example.com/1.0.whl",
        "{{ odd }} ==1.0",
        "b==1.0 \\\n  --hash=sha256:aa",
        "c==é",
    ]);
    lines(prop_oneof![target.boxed(), noise.boxed()])
}

fn pyproject_file() -> impl Strategy<Value = Vec<String>> {
    let target = pick(&[
        "\"target-pkg==@V@\"",
        "'Target.Pkg[x]==@V@ ; os_name == \"nt\"'",
        "\"\"\"target_pkg==@V@\"\"\"",
        "'''\ntarget-pkg ==@V@'''",
        "\"t\\u0061rget-pkg\\u003d=@V@\"",
        "\"\"\"target-pkg\\\n    ==@V@\"\"\"",
    ]);
    let noise = pick(&[
        "\"other==1.0\"",
        "'target-pkg-too==1.0'",
        "{include-group = \"x\"}",
        "1.0",
        "\"target-pkg\"",
        "'é' # \"target-pkg==1.0\"\n",
    ]);
    let list = move |name: &'static str| {
        let entry =
            prop_oneof![target.clone().boxed(), noise.clone().boxed()].prop_map(|entry| format!("{entry}  ,\n"));
        prop::collection::vec(entry, 0..5).prop_map(move |entries| format!("{name} = [\n\t{}]", entries.concat()))
    };
    (list("dependencies"), list("extra"), list("\"a group\""), list("requires")).prop_map(|(a, b, c, d)| {
        let head = "[project]\nname = \"target-pkg\"\nversion = \"1.0\"".to_string();
        let optional = "optional-dependencies.x = ['target-pkg==@V@']\n[dependency-groups]".to_string();
        let tool = "[tool.x]\ndependencies = ['target-pkg==1.0']".to_string();
        vec![head, a, optional, b, c, "[build-system]".into(), d, tool]
    })
}

fn dockerfile() -> impl Strategy<Value = Vec<String>> {
    let used = pick(&[
        "FROM target:@V@-slim",
        "from\ttarget:@V@-slim AS x",
        "FROM --platform=linux/amd64 \\\n  # between\n  target:@V@-slim",
        "FROM target:${V}-slim",
        "FROM \"target:$V-slim\"",
        "FROM ${IMAGE}",
        "FROM target:${UNSET:-@V@}-slim",
    ]);
    let inner = pick(&[
        "COPY --from=target:@V@-slim /a /b",
        "RUN --mount=type=bind,from=target:@V@-slim,target=/x true",
        "ONBUILD COPY --from=target:@V@-slim /a /b",
    ]);
    let noise = pick(&[
        "# FROM target:1.0-slim",
        "RUN echo target:1.0-slim",
        "FROM other:1.0-slim",
        "FROM target:1.0-alpine",
        "FROM target:1.0",
        "FROM target",
        "FROM scratch",
        "RUN <<EOF\nFROM target:1.0-slim\nEOF",
        "RUN cat <<-'E F' 3<<B > /x \\\n  && true\né\nFROM target:1.0-slim\n\tE F\nCOPY --from=target:1.0-slim / /\nB",
        "COPY <<a <<b /x/\nnot an instruction\na\nb",
        "RUN echo $((1<<2)) <<<\"FROM\"",
        "ENV V=1.0",
        "LABEL é=\"1.0-slim\"",
    ]);
    let line = prop_oneof![used.boxed(), inner.boxed(), noise.boxed()];
    lines(line).prop_map(|lines| {
        let head = ["ARG V=@V@", "ARG UNSET IMAGE=\"target:${V}-slim\"", "FROM ${IMAGE}"].map(String::from);
        head.into_iter().chain(lines).collect()
    })
}

fn package_json() -> impl Strategy<Value = Vec<String>> {
    let target = pick(&[
        "\"target-pkg\": \"@V@\"",
        "\"target-pkg\" :\t\"npm:@V@\"",
        "\"tar\\u0067et-pkg\":\"@V@\"",
        "\"alias\": \"npm:target-pkg@@V@\"",
        "\"al\\\"ias\": \"npm:target-pkg\\u0040@V@\"",
        "\"target-pkg\": \" @V@ \"",
    ]);
    let noise = pick(&[
        "\"other\": \"1.0.0\"",
        "\"target-pkg-too\": \"^1.0.0\"",
        "\"é😀\\ud83d\\ude00\": \"1.0.0\"",
        "\"next\": \"target-pkg\"",
        "\"here\": \"file:../target-pkg@1.0.0\"",
        "\"odd\": [1, null, {\"target-pkg\": \"1.0.0\"}]",
    ]);
    // Of a key that stands twice the last one counts, so there is one at most.
    let entries = move || {
        (prop::option::of(target.clone()), prop::collection::btree_set(noise.clone(), 0..5), any::<bool>()).prop_map(
            |(target, noise, first)| {
                let (before, after) = if first { (target, None) } else { (None, target) };
                before.into_iter().chain(noise).chain(after).collect::<Vec<String>>()
            },
        )
    };
    let table = move |name: &'static str| {
        (entries(), pick(&["", "\n\t", " "])).prop_map(move |(entries, space)| {
            format!("\"{name}\":{{{space}{}{space}}}", entries.join(&format!(",{space}")))
        })
    };
    (table("dependencies"), table("devDependencies"), table("resolutions"), table("overrides"), any::<bool>()).prop_map(
        |(a, b, c, d, minified)| {
            let start = "{\"name\": \"target-pkg\", \"version\": \"1.0.0\", \"files\": [\"1.0.0\"]".to_string();
            let end = "\"config\": {\"dependencies\": {\"target-pkg\": \"1.0.0\"}}}".to_string();
            let parts = [start, a, b, c, format!("\"pnpm\": {{{d}}}"), end];
            vec![parts.join(if minified { "," } else { ",\n  " })]
        },
    )
}

fn cargo_toml() -> impl Strategy<Value = Vec<String>> {
    let target = pick(&[
        "target-pkg = \"@V@\"",
        "\"target-pkg\" = '@V@' # 1.0.0",
        "renamed = { package = \"target-pkg\", version = \"@V@\", features = [\"1.0.0\"] }",
        "target-pkg.version = \"\"\"\\\n   @V@\"\"\"",
        "\"target\\u002Dpkg\" = { optional = true, 'version' = \"@V@\" }",
    ]);
    let noise = pick(&[
        "other = \"1.0.0\"",
        "target-pkg-too = \"1.0.0\"",
        "local = { path = \"target-pkg\", version = \"1.0.0\" }",
        "hub = { git = \"https://git.example.com/target-pkg?1.0.0\" }",
        "parent.workspace = true",
        "'é' = '1.0.0'",
        "number = 1",
    ]);
    // A key stands once in a table.
    let table = move |name: &'static str| {
        (prop::option::of(target.clone()), prop::collection::btree_set(noise.clone(), 0..5)).prop_map(
            move |(target, noise)| {
                let entries: Vec<String> = target.into_iter().chain(noise).collect();
                format!("[{name}]\n{}", entries.join("\n"))
            },
        )
    };
    let tables = (
        table("dependencies"),
        table("dev-dependencies"),
        table("target.'cfg(target-pkg)'.build-dependencies"),
        table("workspace . dependencies"),
        table("patch.x"),
    );
    tables.prop_map(|(a, b, c, d, patch)| {
        let package = "[package]\nname = \"target-pkg\"\nversion = \"1.0.0\"\nrust-version = \"1.0.0\"".to_string();
        let metadata = "[package.metadata.dependencies]\ntarget-pkg = \"1.0.0\"".to_string();
        vec![package, a, b, c, metadata, d, patch.replace(HERE, "1.0.0")]
    })
}

/// The edit of the template's version gives the template with the new one, and a second time there is nothing to do.
pub(crate) fn check(
    name: &str,
    lines: &[String],
    encoding: (&str, &str, bool),
    constraint: &str,
) -> Result<(), TestCaseError> {
    let (manager, path) = (manager(name), path_for(name));
    let template = file(lines, encoding);
    let filled = |version, commit: &str| template.replace(HERE, version).replace(COMMIT, &commit.repeat(40));
    let (before, after) = (filled("1.0", "a"), filled("2.0", "e"));
    let found = manager.extract(&path, &before);
    prop_assert_eq!(&found.problem, &None, "{}", before);
    let target = |d: &&Dependency| d.package.name.ends_with("target-pkg") || d.package.name == "library/target";
    let meant = found.dependencies.iter().find(|d| target(d) && d.constraint == constraint && d.skip.is_none());
    let Some(meant) = meant else { return Ok(()) };
    let to = constraint.trim_start_matches(['=', '^']).replace("1.0", "2.0");
    let edit = edit_of(meant, &to);
    let edited = manager.edit(&path, &before, std::slice::from_ref(&edit));
    prop_assert_eq!(edited.as_ref(), Ok(&after), "{}", before);
    let again = manager.edit(&path, &after, std::slice::from_ref(&edit));
    prop_assert_eq!(again, Err(EditError::AlreadyThere(edit.package.clone())));
    let moved = manager.extract(&path, &after);
    prop_assert_eq!(moved.dependencies.len(), found.dependencies.len());
    for (old, new) in found.dependencies.iter().zip(&moved.dependencies) {
        let mut expected = old.clone();
        if old.package == edit.package && old.constraint == constraint && old.skip.is_none() {
            expected.digest = edit.digest_to.clone();
            expected.constraint = constraint.replace("1.0", "2.0");
            expected.current = Some(to.clone());
        }
        prop_assert_eq!(&expected, new);
    }
    Ok(())
}

/// Whatever the text: no panic, and an edit that succeeds changes the packages it names and no other.
pub fn survives(name: &str, text: &str) -> Result<(), TestCaseError> {
    let (manager, path) = (manager(name), path_for(name));
    let found = manager.extract(&path, text);
    for dependency in found.dependencies.iter().filter(|d| d.skip.is_none()).take(8) {
        let to = dependency.current.clone().unwrap_or_default().replacen(|c: char| c.is_ascii_digit(), "77", 1);
        let Ok(edited) = manager.edit(&path, text, &[edit_of(dependency, &to)]) else { continue };
        let others = |found: &managers::Extraction| {
            let others = found.dependencies.iter().filter(|d| d.package != dependency.package);
            // Hashes that come or go move what stands below them.
            let line = |d: &Dependency| if dependency.hashed { 0 } else { d.line };
            others.map(|d| (d.package.clone(), d.constraint.clone(), line(d), d.skip.clone())).collect::<Vec<_>>()
        };
        let moved = manager.extract(&path, &edited);
        prop_assert_eq!(others(&found), others(&moved), "{:?}\n{:?}", text, edited);
        let wanted = scheme(dependency.package.ecosystem).rewrite(&dependency.constraint, &to);
        prop_assert!(moved.dependencies.iter().any(|d| Some(&d.constraint) == wanted.as_ref()));
    }
    Ok(())
}

/// Pieces of the formats in any order.
pub fn soup() -> impl Strategy<Value = String> {
    let pieces: &'static [&'static str] = &[
        "FROM ",
        "ARG ",
        "COPY --from=",
        "RUN --mount=from=",
        "RUN ",
        "<<EOF\n",
        "EOF\n",
        "python",
        ":3.12-slim",
        ":",
        "@sha256:",
        "${",
        "$",
        "}",
        ":-",
        "A",
        "A=1",
        "B=$A.2",
        "\\\n",
        "`\n",
        "# escape=`\n",
        "# syntax=a/b:1\n",
        "\n",
        "\r\n",
        "\r",
        " ",
        "\t",
        "\"",
        "'",
        "\"\"\"",
        "'''",
        "\\u003d",
        "\\",
        "#",
        "django",
        "-r ",
        "-e ",
        "==",
        ">=1,",
        "<2",
        "~=1.0",
        "1.0",
        ";",
        "[",
        "]",
        "(",
        ")",
        ",",
        "[project]\n",
        "dependencies = [",
        "dependency-groups = {",
        "= ",
        "é",
        "\u{feff}",
        "\0",
        " AS x",
        "-- hash",
        " --hash=sha256:aa",
        "/",
        "..",
        "@ ",
        "https://",
        "egg=",
        "0",
        "ONBUILD ",
        "{",
        "}",
        ": ",
        "\"a\": \"1.0.0\"",
        "\"b\": \"^1.0.0\"",
        "npm:",
        "workspace:",
        "^",
        "||",
        ">",
        "**/",
        "a = \"1.0.0\"\n",
        "b = { version = \"^1.2\" }\n",
        "[dependencies]\n",
        "1.2.3",
        "jobs:",
        "steps:",
        "uses: ",
        "services:",
        "image: ",
        "build: .",
        "repos:",
        "- repo: ",
        "  rev: ",
        "hooks:",
        "additional_dependencies: ",
        "a/b@v1.0",
        "@",
        "v1",
        "${{ x }}",
        "docker://",
        "- ",
        "  ",
        "&a ",
        "*a",
        "<<: ",
        "|\n",
        ">-\n",
        "---\n",
        "!!str ",
        "? ",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn requirements_are_edited_to_the_letter(lines in requirements_file(), encoding in encoding(), ) {
        check("requirements", &lines, encoding, "==1.0")?;
    }

    #[test]
    fn projects_are_edited_to_the_letter(lines in pyproject_file(), encoding in encoding()) {
        check("pyproject", &lines, encoding, "==1.0")?;
    }

    #[test]
    fn dockerfiles_are_edited_to_the_letter(lines in dockerfile(), encoding in encoding()) {
        check("dockerfile", &lines, encoding, "1.0-slim")?;
    }

    #[test]
    fn packages_are_edited_to_the_letter(lines in package_json(), encoding in encoding(), caret in any::<bool>()) {
        let constraint = if caret { "^1.0.0" } else { "1.0.0" };
        let lines: Vec<String> = lines.iter().map(|line| line.replace(HERE, &constraint.replace("1.0", HERE))).collect();
        check("package-json", &lines, encoding, constraint)?;
    }

    #[test]
    fn crates_are_edited_to_the_letter(lines in cargo_toml(), encoding in encoding()) {
        let lines: Vec<String> = lines.iter().map(|line| line.replace(HERE, "@V@.0")).collect();
        check("cargo", &lines, encoding, "1.0.0")?;
    }

    #[test]
    fn pieces_in_any_order_do_no_harm(text in soup()) {
        for manager in managers::TABLE {
            survives(manager.name(), &text)?;
        }
        survives("pyproject", &format!("[project]\ndependencies = [{text}]"))?;
        survives("pyproject", &format!("[project]\ndependencies = [\"{text}\"]"))?;
        survives("dockerfile", &format!("ARG A=1.0\nFROM {text}"))?;
        survives("package-json", &format!("{{\"dependencies\": {{{text}}}}}"))?;
        survives("package-json", &format!("{{\"overrides\": {{\"{text}\": \"1.0.0\", \"a\": \"{text}\"}}}}"))?;
        survives("package-json", &format!("{{\"packageManager\": \"{text}\", \"pnpm\": {{\"overrides\": {{\"{text}\": \"1.0.0\"}}}}}}"))?;
        survives("cargo", &format!("[dependencies]\n{text}"))?;
        survives("cargo", &format!("[dependencies]\na = {{ version = \"{text}\" }}\n\"{text}\" = \"1.0.0\""))?;
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
        for manager in managers::TABLE {
            survives(manager.name(), &String::from_utf8_lossy(&bytes))?;
            survives(manager.name(), &text)?;
        }
    }

    /// pep508_rs and we agree on what is well-formed.
    #[test]
    fn requirements_read_as_the_reference_reads_them(
        name in "[A-Za-z0-9]([A-Za-z0-9._-]{0,6}[A-Za-z0-9])?", extras in pick(&["", "[a]", " [a,b]", "[]"]),
        constraint in pick(&["", "==1.0", ">=1,<2", " ~= 1.4 ", "(>=1, !=1.5)", "==1.*", "===1.0", "<2", "==1.0+local"]),
        marker in pick(&["", "; python_version < '3'", " ; extra == 'x'"]),
    ) {
        use pep508_rs::{Requirement, VerbatimUrl, VersionOrUrl, pep440_rs::VersionSpecifiers};
        let line = format!("{name}{extras}{constraint}{marker}");
        let reference: Requirement<VerbatimUrl> = line.parse().unwrap();
        let found = manager("requirements").extract(&path_for("requirements"), &line);
        let [ours] = found.dependencies.as_slice() else { panic!("{line}: {found:?}") };
        let archive = ["zip", "whl", "egg", "tgz"].iter().any(|end| name.ends_with(&format!(".{end}")));
        prop_assume!(!archive);
        prop_assert_eq!(&ours.package.name, &reference.name.to_string());
        match reference.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
                prop_assert_eq!(ours.constraint.parse::<VersionSpecifiers>().unwrap(), specifiers);
                prop_assert_eq!(&ours.skip, &None);
            }
            _ => prop_assert_eq!(&ours.skip, &Some(Skip::Unpinned)),
        }
    }
}

#[test]
fn every_refusal_has_its_reason() {
    let dockerfile = manager("dockerfile");
    let path = path_for("dockerfile");
    let pinned = format!("FROM python:3.12@sha256:{}\n", "a".repeat(64));
    let found = dockerfile.extract(&path, &pinned);
    let mut edit = edit_of(&found.dependencies[0], "3.13");
    let try_edit = |edit: &Edit, text: &str| dockerfile.edit(&path, text, std::slice::from_ref(edit)).unwrap_err();
    assert_eq!(try_edit(&edit, "FROM python:3.11\n"), EditError::NotFound(edit.package.clone()));
    assert!(matches!(try_edit(&edit, "FRM python\n"), EditError::Unreadable(_)));
    edit.digest_to = Some("sha256:short".into());
    assert!(matches!(try_edit(&edit, &pinned), EditError::CannotMove { .. }));
    edit.digest_to = None;
    assert_eq!(try_edit(&edit, &pinned), EditError::NeedsDigest(edit.package.clone()));
    edit.to = "3.13-alpine".into();
    assert!(matches!(try_edit(&edit, &pinned), EditError::CannotMove { .. }));

    let shared = "ARG V=1.0\nFROM a:${V}\nFROM a:${V}-slim\n";
    let found = dockerfile.extract(&path, shared).dependencies;
    let apart = [edit_of(&found[0], "2.0"), edit_of(&found[1], "3.0-slim")];
    assert!(matches!(dockerfile.edit(&path, shared, &apart), Err(EditError::Conflict(_))));
    let digest = "d".repeat(64);
    let left_behind = shared.replace("-slim", &format!("-slim@sha256:{digest}"));
    assert!(matches!(dockerfile.edit(&path, &left_behind, &apart[..1]), Err(EditError::NeedsDigest(_))));
    let together = [edit_of(&found[0], "2.0"), edit_of(&found[1], "2.0-slim")];
    assert_eq!(dockerfile.edit(&path, shared, &together).unwrap(), shared.replace("1.0", "2.0"));
}

#[test]
fn hostile_sizes_are_refused_or_read_quickly() {
    let path = path_for("dockerfile");
    let read = |name: &str, text: &str| manager(name).extract(&path_for(name), text);
    assert!(read("requirements", &"a\n".repeat(400_000)).problem.is_some());
    assert!(read("requirements", &"x".repeat(1_000_001)).problem.is_some());
    assert!(read("dockerfile", &"FROM a:1\n".repeat(100_000)).problem.is_some());
    assert!(read("pyproject", &format!("a = {}", "[".repeat(400_000))).problem.is_some());
    assert!(read("pyproject", &format!("{} = 1\n", vec!["a"; 200_000].join("."))).dependencies.is_empty());
    assert!(read("pyproject", &format!("[{}]\n", vec!["a"; 200_000].join("."))).dependencies.is_empty());
    let open_ends: String = (0..60_000).map(|i| format!("RUN << {i}\n")).collect();
    assert_eq!(read("dockerfile", &format!("FROM a:1\n{open_ends}")).dependencies.len(), 1);
    let doubling: String = (0..60).map(|i| format!("ARG A{}=$A{i}$A{i}\n", i + 1)).collect();
    let found = manager("dockerfile").extract(&path, &format!("ARG A0=1.0\n{doubling}FROM a:$A60\n"));
    assert!(found.dependencies[0].skip.is_some());
    let nested = format!("FROM a:{}1{}", "${A:-".repeat(50_000), "}".repeat(50_000));
    assert!(read("dockerfile", &nested).dependencies[0].skip.is_some());
    let parentheses = format!("a==1.0 ; {}", "(".repeat(400_000));
    assert_eq!(read("requirements", &parentheses).dependencies[0].skip, None);
    assert!(read("package-json", &"[".repeat(900_000)).problem.is_some());
    assert!(read("package-json", &"{\"a\":".repeat(150_000)).problem.is_some());
    // As deep as it is read at all: on the stack of a worker.
    let deep = |levels| format!("{{\"overrides\": {}\"1.0.0\"{}}}", "{\"a\":".repeat(levels), "}".repeat(levels));
    assert_eq!(read("package-json", &deep(250)).dependencies[0].constraint, "1.0.0");
    assert!(read("package-json", &deep(600)).problem.is_some());
    let entries: Vec<String> = (0..60_000).map(|_| "\"a\":\"1.0.0\"".into()).collect();
    assert!(read("package-json", &format!("{{\"dependencies\": {{{}}}}}", entries.join(","))).problem.is_some());
    for text in
        [">".repeat(400_000), "a>".repeat(400_000), "@".repeat(400_000), "a/".repeat(400_000), "1.".repeat(400_000)]
    {
        for table in ["\"resolutions\": {", "\"overrides\": {", "\"pnpm\": {\"overrides\": {"] {
            let end = "}".repeat(table.matches('{').count());
            for entry in
                [format!("\"{text}\": \"1.0.0\""), format!("\"a\": \"{text}\""), format!("\"a\": \"npm:{text}\"")]
            {
                assert_eq!(read("package-json", &format!("{{{table}{entry}{end}}}")).dependencies.len(), 1);
            }
        }
    }
    assert!(read("cargo", &format!("a = {}", "[".repeat(400_000))).problem.is_some());
    assert!(read("cargo", &format!("[dependencies.{}]\n", vec!["a"; 200_000].join("."))).dependencies.len() <= 1);
    let long = format!("[dependencies]\na = \"{}\"\n{} = \"1\"", "1.".repeat(200_000), "b".repeat(400_000));
    assert!(read("cargo", &long).dependencies.iter().all(|d| d.skip.is_some()));
    let many: String = (0..30_000).map(|i| format!("[target.'{i}'.dependencies]\n")).collect();
    assert_eq!(read("cargo", &many), managers::Extraction::default());
    let commas = format!("a{}", ">=1,".repeat(200_000));
    assert!(read("requirements", &commas).dependencies[0].skip.is_some());
}

#[test]
fn files_are_claimed_by_name() {
    let claims = |path: &str| -> Vec<&str> {
        managers::managers_for(&RepoPath::parse(path).unwrap()).map(|manager| manager.name()).collect()
    };
    for path in [
        "requirements.txt",
        "a/requirements-dev.txt",
        "requirements_test.txt",
        "dev-requirements.txt",
        "requirements/prod.txt",
        "constraints.txt",
        "Requirements.TXT",
        "requirements.in",
        "requirements/dev.in",
        "requirements.pip",
    ] {
        assert_eq!(claims(path), ["requirements"], "{path}");
    }
    for path in [
        "Dockerfile",
        "api/Dockerfile.dev",
        "web.Dockerfile",
        "Containerfile",
        "dockerfile",
        "Dockerfile-dev",
        "a/Dockerfile_x",
    ] {
        assert_eq!(claims(path), ["dockerfile"], "{path}");
    }
    assert_eq!(claims("a/pyproject.toml"), ["pyproject"]);
    assert_eq!(claims("hatch.toml"), ["pyproject"]);
    assert_eq!(claims("a/setup.cfg"), ["setup-cfg"]);
    assert_eq!(claims("a/Pipfile"), ["pipfile"]);
    assert_eq!(claims("web/package.json"), ["package-json"]);
    assert_eq!(claims("web/pnpm-workspace.yaml"), ["pnpm-workspace"]);
    assert_eq!(claims("crates/a/Cargo.toml"), ["cargo"]);
    for path in [
        ".github/workflows/ci.yml",
        ".github/workflows/a b.yaml",
        "action.yml",
        "a/action.yaml",
        "workflow-templates/x.yml",
    ] {
        assert_eq!(claims(path), ["github-actions"], "{path}");
    }
    for path in [".pre-commit-config.yaml", "a/.pre-commit-config.yml"] {
        assert_eq!(claims(path), ["pre-commit"], "{path}");
    }
    for path in
        ["compose.yaml", "a/docker-compose.prod.yml", "docker-compose-dev.yaml", "Compose.YML", "compose_test.yml"]
    {
        assert_eq!(claims(path), ["compose"], "{path}");
    }
    for path in [
        "requirements.md",
        "myrequirements.txt",
        "requirementsx.txt",
        "Dockerfile.dockerignore",
        "Dockerfiles/readme",
        "pyproject.toml.bak",
        "Pipfile.lock",
        "setup.py",
        "MANIFEST.in",
        "package-lock.json",
        "web/node_modules/a/package.json",
        "node_modules/package.json",
        "node_modules/a/pnpm-workspace.yaml",
        "pnpm-workspace.yml",
        "pnpm-lock.yaml",
        "Cargo.lock",
        "vendor/a/Cargo.toml",
        "target/package/a/Cargo.toml",
        "notes.txt",
        "dockerfile_test.go",
        ".github/workflows/inner/ci.yml",
        "a/.github/workflows/ci.yml",
        ".github/workflows/ci.json",
        "my-action.yml",
        "composer.yml",
        "compose.yaml.j2",
        "pre-commit-config.yaml",
    ] {
        assert!(claims(path).is_empty() && !managers::may_be_manifest(&RepoPath::parse(path).unwrap()), "{path}");
    }
    assert_eq!(manager("pyproject").ecosystem(), Ecosystem::Pypi);
    assert!(managers::by_name("nothing").is_none());
}
