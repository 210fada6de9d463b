//! Laws of the Python formats: requirements with and without hashes, and the tables and lists of the tools.

use crate::edits::edit_of;
use crate::laws::{HERE, check, encoding, file, lines, manager, path_for, pick};
use mass_driver::domain::Skip;
use mass_driver::managers::{self, Edit, EditError};
use proptest::prelude::*;

/// How one requirement with hashes is laid out.
#[derive(Clone, Debug)]
struct Layout {
    head: String,
    /// Before the first hash, and between hashes.
    gaps: (String, String),
    option: String,
    quote: String,
    tail: String,
}

impl Layout {
    fn with(&self, version: &str, hashes: &[String]) -> String {
        let Self { head, gaps: (first, between), option, quote, tail } = self;
        let hashes = hashes.iter().map(|hash| format!("{option}{quote}{hash}{quote}")).collect::<Vec<_>>();
        format!("{head}=={version}{first}{}{tail}", hashes.join(between))
    }
}

fn layout() -> impl Strategy<Value = Layout> {
    let gap = || pick(&[" ", "  ", " \\\n    ", " \\\n\t", "\\\n ", " \\\n\\\n  "]);
    let head = pick(&["target-pkg", "  Target.Pkg[x]", "x==1.0\ntarget_pkg ", "# c \\\ntarget-pkg"]);
    let tail =
        pick(&["", " \\\n    # via x", "  # one", " --global-option=\"a b\"", "\n    # via\n    #   x\nother==1.0"]);
    (head, gap(), gap(), pick(&["--hash=", "--hash ", "--hash  "]), pick(&["", "\"", "'"]), tail).prop_map(
        |(head, first, between, option, quote, tail)| Layout { head, gaps: (first, between), option, quote, tail },
    )
}

fn sha256(seed: u8) -> String {
    format!("sha256:{}", format!("{seed:02x}").repeat(32))
}

fn old_hashes() -> impl Strategy<Value = Vec<String>> {
    let other = (pick(&["sha512:", "sha384:", "md5:"]), "[0-9a-f]{8,16}").prop_map(|(name, digits)| name + &digits);
    prop::collection::vec(prop_oneof![(0..100u8).prop_map(sha256).boxed(), other.boxed()], 1..6)
}

fn new_hashes() -> impl Strategy<Value = Vec<String>> {
    prop::collection::btree_set(100..200u8, 1..6).prop_map(|seeds| seeds.into_iter().map(sha256).collect())
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

fn poetry_file() -> impl Strategy<Value = Vec<String>> {
    let target = pick(&[
        "target-pkg = \"==@V@\"",
        "\"Target.Pkg\" = '==@V@' # pinned",
        "target_pkg = { extras = [\"a\"], version = \"\\u003d=@V@\", optional = true }",
        "target-pkg.version = \"\"\"==@V@\"\"\"",
        "target-pkg = [\n  {version = \"==@V@\", python = \"<3\"},\n  { git = \"https://example.com/x\" },\n]",
        "[tool.poetry.group.y.dependencies.target-pkg]\nmarkers = \"os_name == '1.0'\"\nversion = ' ==@V@ '",
        "[[tool.poetry.group.z.dependencies.target-pkg]]\nversion = \"==@V@\"",
    ]);
    let noise = pick(&[
        "python = \"==1.0\"",
        "other = \"==1.0\"",
        "\"\u{e9}\" = \"==1.0\"",
        "a = 1.0",
        "b = {path = \"../target-pkg==1.0\"}",
        "# target-pkg = \"==1.0\"",
    ]);
    let list = ["dependencies", "dev-dependencies", "group.a.dependencies", "requires-plugins"];
    let table = (0..4usize, target, noise).prop_map(move |(i, target, noise)| {
        // What begins with a header of its own comes last.
        let (first, last) = if target.starts_with('[') { (noise, target) } else { (target, noise) };
        format!("[tool.poetry.{}]\n{first}\n{last}\n", list[i])
    });
    prop::collection::vec(table, 0..4).prop_map(|tables| {
        // A table may be there once.
        let mut seen = std::collections::BTreeSet::new();
        let headers =
            |text: &str| text.lines().filter(|l| l.starts_with("[tool.")).map(String::from).collect::<Vec<_>>();
        tables.into_iter().filter(|text| headers(text).into_iter().all(|header| seen.insert(header))).collect()
    })
}

fn pipfile() -> impl Strategy<Value = Vec<String>> {
    let target = pick(&[
        "target-pkg = \"==@V@\"",
        "Target_Pkg = {version = '==@V@', extras = ['x'], index = \"pypi\"}",
        "\"target.pkg\" = \"\"\"\\\n   ==@V@\"\"\"",
    ]);
    let noise = pick(&["a = \"*\"", "b = {git = \"https://example.com/b\", ref = \"1.0\"}", "c = '==1.0'"]);
    let table =
        |name: &'static str| (target.clone(), noise.clone()).prop_map(move |(t, n)| format!("[{name}]\n{t}\n{n}"));
    let scripts = "[scripts]\ntarget-pkg = \"==1.0\"\n[requires]\npython_version = \"1.0\"".to_string();
    (table("packages"), table("dev-packages"), table("docs")).prop_map(move |(a, b, c)| vec![scripts.clone(), a, b, c])
}

fn setup_cfg() -> impl Strategy<Value = Vec<String>> {
    let target = pick(&[
        "    target-pkg==@V@",
        "\ttarget_pkg ==@V@ # why",
        "  Target.Pkg[x]==@V@; os_name == 'nt'",
        "    # target-pkg==1.0\n    target-pkg (==@V@)",
    ]);
    let noise =
        pick(&["    other==1.0", "# target-pkg==1.0", "; target-pkg==1.0", "", "    a>=1,<2", "    \u{e9}==1.0"]);
    let line = || prop_oneof![target.clone().boxed(), noise.clone().boxed()];
    let value = || lines(line()).prop_map(|lines| lines.join("\n"));
    let one =
        pick(&["target-pkg==@V@;other==1.0", " target-pkg ==@V@", "a; target-pkg==@V@ ;", "file: target-pkg==1.0"]);
    (value(), value(), one).prop_map(|(a, b, one)| {
        let head = "[metadata]\nname = target-pkg==1.0\n[options]\npackages =\n    target-pkg==1.0".to_string();
        let options = format!("install_requires=\n{a}\ntests-require : {one}\nsetup_requires = {one}");
        vec![head, options, format!("[options.extras_require]\nx =\n{b}\n[tool]\nx =\n    target-pkg==1.0")]
    })
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
    fn hashes_are_replaced_in_the_style_they_are_written_in(
        layout in layout(), old in old_hashes(), new in new_hashes(), encoding in encoding()
    ) {
        let (manager, path) = (manager("requirements"), path_for("requirements"));
        // A single hash says nothing of what stands between two: what stands before it is taken for that.
        let (first, between) = layout.gaps.clone();
        let layout = Layout { gaps: (first.clone(), if old.len() == 1 { first } else { between }), ..layout };
        let before = file(&[layout.with("1.0", &old)], encoding);
        let after = file(&[layout.with("2.0", &new)], encoding);
        let found = manager.extract(&path, &before).dependencies;
        let meant = found.iter().find(|d| d.package.name == "target-pkg").unwrap();
        prop_assert!(meant.hashed && meant.skip.is_none(), "{before}");
        let given: Vec<String> = new.iter().rev().chain(&new).cloned().collect();
        let edit = Edit { hashes_to: given, ..edit_of(meant, "2.0") };
        let edited = manager.edit(&path, &before, std::slice::from_ref(&edit));
        prop_assert_eq!(edited.as_ref(), Ok(&after), "{}", before);
        prop_assert_eq!(manager.edit(&path, &after, &[edit]), Err(EditError::AlreadyThere(meant.package.clone())));
        let moved = manager.extract(&path, &after).dependencies;
        prop_assert_eq!(moved.len(), found.len());
        prop_assert!(moved.iter().any(|d| d.package == meant.package && d.hashed && d.current.as_deref() == Some("2.0")));
    }

    #[test]
    fn tables_of_poetry_are_edited_to_the_letter(lines in poetry_file(), encoding in encoding()) {
        check("pyproject", &lines, encoding, "==1.0")?;
    }

    #[test]
    fn pipfiles_are_edited_to_the_letter(lines in pipfile(), encoding in encoding()) {
        check("pipfile", &lines, encoding, "==1.0")?;
    }

    #[test]
    fn lists_of_setuptools_are_edited_to_the_letter(lines in setup_cfg(), encoding in encoding()) {
        check("setup-cfg", &lines, encoding, "==1.0")?;
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
fn every_refusal_of_hashes_has_its_reason() {
    let (manager, path) = (manager("requirements"), path_for("requirements"));
    let text = format!("a==1.0 --hash={}\nb==1.0\na==1.0 ; os_name == 'nt'\n", sha256(1));
    let found = manager.extract(&path, &text).dependencies;
    assert!(found[0].hashed && !found[1].hashed && !found[2].hashed);
    let with = |hashes: &[String]| Edit { hashes_to: hashes.to_vec(), ..edit_of(&found[0], "2.0") };
    let try_edits = |edits: &[Edit]| manager.edit(&path, &text, edits);
    let package = || found[0].package.clone();
    assert_eq!(try_edits(&[with(&[])]), Err(EditError::NeedsHashes(package())));
    for odd in ["sha256:short", "md5:d41d8cd98f00b204e9800998ecf8427e", "", "sha256:\n", &sha256(1)[7..]] {
        assert!(matches!(try_edits(&[with(&[odd.into()])]), Err(EditError::CannotMove { .. })), "{odd}");
    }
    let moved = text.replace("a==1.0", "a==2.0").replace(&sha256(1), &sha256(2));
    // With and without hashes in one file: the one that has them is enough.
    assert_eq!(try_edits(&[with(&[]), with(&[sha256(2)])]).as_ref(), Ok(&moved));
    assert!(matches!(try_edits(&[with(&[sha256(2)]), with(&[sha256(3)])]), Err(EditError::Conflict(_))));
    let edit = [Edit { hashes_to: vec![sha256(2)], ..edit_of(&found[1], "2.0") }];
    assert_eq!(try_edits(&edit).unwrap(), text.replace("b==1.0", "b==2.0"), "hashes nobody asked for are not written");
}

#[test]
fn what_other_files_hold_is_read_as_requirements() {
    let names = |name: &str, text: &str| -> Vec<(String, &'static str)> {
        let reader = manager(name);
        let found = reader.extract(&path_for(name), text);
        managers::included(reader, &found.includes).map(|(path, manager)| (path.to_string(), manager.name())).collect()
    };
    assert_eq!(
        names("setup-cfg", "[options]\ninstall_requires = file: deps.txt"),
        [("deps.txt".to_string(), "requirements")]
    );
    let dynamic = "[tool.setuptools.dynamic]\ndependencies = {file = 'deps.txt'}";
    assert_eq!(names("pyproject", dynamic), [("deps.txt".to_string(), "requirements")]);
    assert_eq!(names("requirements", "-r ../deps.txt"), [("deps.txt".to_string(), "requirements")]);
    for elsewhere in
        ["-r HTTPS://example.com/x", "-r file:x.txt", "-r ${X}/x.txt", "-r ../../x.txt", "-r requirements.txt"]
    {
        assert!(names("requirements", elsewhere).is_empty(), "{elsewhere}");
    }
}

#[test]
fn a_marker_may_hold_a_variable_and_a_version_may_not() {
    let read = |text: &str| manager("requirements").extract(&path_for("requirements"), text).dependencies;
    assert_eq!(read("a==1.0 ; os_name == '${OS}'")[0].skip, None);
    assert_eq!(read("a==1.0 --global-option=\"${OPTION}\"")[0].skip, None);
    assert_eq!(read("a==${VERSION} ; os_name == 'nt'")[0].skip, Some(Skip::Variable("VERSION".into())));
    assert_eq!(read("${NAME}==1.0")[0].skip, Some(Skip::Variable("NAME".into())));
}

#[test]
fn hostile_sizes_of_python_files() {
    let read = |name: &str, text: &str| manager(name).extract(&path_for(name), text);
    assert!(read("setup-cfg", &format!("[options]\ninstall_requires =\n{}", " a\n".repeat(200_000))).problem.is_some());
    assert!(read("setup-cfg", &format!("[options]\ninstall_requires = {}", "a;".repeat(300_000))).problem.is_some());
    assert!(read("setup-cfg", &"[".repeat(900_000)).problem.is_some());
    assert!(read("pipfile", &format!("[packages]\na = [{}]", "'==1.0',".repeat(100_000))).problem.is_some());
    assert!(read("pipfile", &format!("a = {}", "{a=".repeat(300_000))).problem.is_some());
    let hashes = format!("a==1.0{}", format!(" --hash={}", sha256(1)).repeat(10_000));
    let found = read("requirements", &hashes).dependencies;
    let edit = Edit { hashes_to: vec![sha256(2)], ..edit_of(&found[0], "2.0") };
    let edited = manager("requirements").edit(&path_for("requirements"), &hashes, &[edit]).unwrap();
    assert_eq!(edited, format!("a==2.0 --hash={}", sha256(2)));
}
