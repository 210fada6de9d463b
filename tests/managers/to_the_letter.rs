//! Dockerfiles, package.json and Cargo.toml: an edit changes the version, to the letter, and nothing around it.

use super::laws::{HERE, check, encoding, lines, pick};
use proptest::prelude::*;

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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

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
}
