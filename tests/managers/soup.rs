//! Texts that nobody would write: no manager panics, or changes what it was not asked to.

use super::laws::survives;
use mass_driver::managers;
use proptest::prelude::*;

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
}
