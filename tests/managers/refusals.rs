//! What managers refuse, and why: edits that cannot be made, and files of hostile size.

use super::laws::{manager, path_for};
use crate::edits::edit_of;
use mass_driver::managers::{self, Edit, EditError};

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

/// What is missing from a file stands on none of its lines.
#[test]
fn an_empty_dockerfile_has_no_line_that_is_wrong() {
    for text in ["", "# nothing yet\n", "ARG V=1\n"] {
        let problem = manager("dockerfile").extract(&path_for("dockerfile"), text).problem.unwrap();
        assert!(!problem.contains("line 0") && problem.contains("FROM"), "{text:?}: {problem}");
    }
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
