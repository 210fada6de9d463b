//! Repositories that keep files in Git LFS: what is committed there is a pointer, and stays one.
#![cfg(target_os = "linux")]

use crate::world::{World, refs, ssh};
use serde_json::Value;

const ATTRIBUTES: &str = "*.bin filter=lfs diff=lfs merge=lfs -text\n";

/// What the repository holds of a large file.
fn pointer() -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n", "4d7a".repeat(16))
}

/// A repository with one large file, and the report of a driver's work on it.
fn driven(world: &World, driver: &str, config: &str) -> Value {
    let names = ["api"].map(ssh);
    if world.github.head("acme/api", "main").is_err() {
        let files = [(".gitattributes", ATTRIBUTES), ("logo.bin", &pointer()), ("v.yml", "host: github.com\n")];
        world.repository("api", &files);
    }
    let text = format!(
        "migration:\n  commit_message: Change it\n  branch_name: x\n  driver_name: {driver}\n  driver_config: {config}\n"
    );
    world.write("change.yaml", &text);
    world.drive("change.yaml", &refs(&names), &["--diff"]).json()["repositories"][0].clone()
}

fn end_and_reason(report: &Value) -> (&str, &str) {
    (report["end"].as_str().unwrap(), report["reason"].as_str().unwrap_or_default())
}

#[test]
fn a_pointer_is_no_text_to_drivers() {
    let world = World::new();
    let everywhere = r#"{ paths: ["**"], from: "github.com", to: "git.acme.example" }"#;
    let report = driven(&world, "replace", everywhere);
    let (end, reason) = end_and_reason(&report);
    assert_eq!((end, reason), ("patched", "passed over, because they are no texts, too large or in Git LFS: logo.bin"));
    let diff = report["diff"].as_str().unwrap();
    assert!(diff.contains("+host: git.acme.example") && !diff.contains("logo.bin"), "{diff}");
    for (driver, config) in [
        ("replace", r#"{ paths: logo.bin, from: "github.com", to: "git.acme.example" }"#),
        ("counter", "{ target_file: logo.bin, target_count: 1 }"),
        ("structured", "{ paths: logo.bin, format: yaml, set: { a: 1 } }"),
    ] {
        let report = driven(&world, driver, config);
        let (end, reason) = end_and_reason(&report);
        assert_eq!(end, "failed", "{driver}");
        assert_eq!(
            reason,
            "logo.bin is kept in Git LFS: the repository holds a pointer in its place; change it in a clone of your own with git-lfs"
        );
    }
}

#[test]
fn nothing_plain_is_committed_where_files_are_kept_in_git_lfs() {
    let world = World::new();
    let refused = |driver: &str, config: &str, named: &str| {
        let report = driven(&world, driver, config);
        let (end, reason) = end_and_reason(&report);
        assert_eq!(end, "failed", "{driver} {config}: {report}");
        let said = format!("{named} in Git LFS, as .gitattributes says");
        assert!(reason.contains(&said) && reason.contains("in a clone of your own with git-lfs"), "{reason}");
        assert!(report["commit"].is_null() && report["diff"].is_null(), "{report}");
    };
    refused("stamper", "{ filepath_to_create: assets/new.bin, file_contents: x }", "assets/new.bin is kept");
    refused("shell", "{ command: echo real > big2.bin }", "big2.bin is kept");
    refused(
        "shell",
        "{ command: for n in 1 2 3 4 5; do echo x > $n.bin; done }",
        "1.bin, 2.bin, 3.bin and 2 more are kept",
    );
    refused("shell", "{ command: sed -i s/12345/many/ logo.bin }", "logo.bin is kept");
    // A git-lfs of the user's would make pointers to what is on this machine alone: no hook brings it to the server.
    let settings = world.home().join("gitconfig");
    let text = std::fs::read_to_string(&settings).unwrap();
    let filter = pointer().replace('\n', "\\\\n");
    std::fs::write(&settings, format!("{text}[filter \"lfs\"]\n\tclean = \"printf '{filter}'\"\n\trequired = true\n"))
        .unwrap();
    refused("shell", "{ command: echo real > big2.bin }", "big2.bin is kept");
}

#[test]
fn what_leaves_pointers_pointers_is_made() {
    let world = World::new();
    for (driver, config, changed) in [
        ("deleter", "{ deletion_target: logo.bin }", "deleted file mode 100644"),
        ("shell", "{ command: rm logo.bin }", "deleted file mode 100644"),
        ("shell", "{ command: mkdir a && mv logo.bin a/mark.bin }", "+++ b/a/mark.bin"),
        ("shell", "{ command: chmod +x logo.bin }", "new mode 100755"),
        ("shell", "{ command: ': > empty.bin' }", "b/empty.bin"),
        ("shell", "{ command: echo x > other.txt }", "+++ b/other.txt"),
        ("shell", "{ command: ln -s v.yml link.bin }", "+++ b/link.bin"),
        // The attributes of the change count: what is taken out of Git LFS with it is a plain file.
        ("shell", "{ command: rm .gitattributes && echo real > logo.bin }", "+real"),
        (
            "shell",
            "{ command: 'mkdir a && echo \"*.bin -filter\" > a/.gitattributes && echo real > a/b.bin' }",
            "+real",
        ),
    ] {
        let report = driven(&world, driver, config);
        assert_eq!(end_and_reason(&report), ("patched", ""), "{driver} {config}");
        let diff = report["diff"].as_str().unwrap();
        assert!(diff.contains(changed), "{diff}");
    }
}

#[test]
fn attributes_are_fetched_with_the_files_and_asked_about_only_where_they_count() {
    let world = World::new();
    let log = world.work().join("git.log");
    let script = format!("echo \"$*\" >> '{}'\nexport PATH=\"${{PATH#*:}}\"\nexec git \"$@\"", log.display());
    world.install("git", &script);
    world.repository("plain", &[(".gitattributes", "*.sh eol=lf\n"), ("counter.txt", "0\n")]);
    world.repository("large", &[(".gitattributes", ATTRIBUTES), ("counter.txt", "0\n")]);
    world.write("count.yaml", &crate::world::migration(1));
    for (name, asked) in [("plain", 0), ("large", 1)] {
        let _ = std::fs::remove_file(&log);
        assert_eq!(world.drive("count.yaml", &[&ssh(name)], &[]).expect(0).ends(), ["patched"]);
        let log = std::fs::read_to_string(&log).unwrap();
        let count = |words: &str| log.lines().filter(|line| line.contains(words)).count();
        assert_eq!((count("--stdin origin"), count("check-attr")), (1, asked), "{log}");
    }
}
