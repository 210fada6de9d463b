//! What a package.json or a catalog of pnpm asks of a package: a range of versions, or something that is none.
//!
//! Sources: npm's documentation, "npm-package-arg" and "package.json" (dependencies); Yarn's, "Protocols"; pnpm's,
//! "Workspace" and "Catalogs".

use super::super::written::Written;
use super::selector::{is_name, split_version};
use crate::domain::Skip;
use crate::versioning::{Node, Scheme};

/// Ranges that people write are shorter.
const LONGEST_RANGE_BYTES: usize = 512;

const MEMBER: &str = "it is a member of this workspace";
const CATALOG: &str = "its version stands in a catalog of the workspace";
const JSR: &str = "it comes from the registry JSR";
const PATCHED: &str = "a patch is laid over this very version";

/// What is asked.
#[derive(Debug)]
pub(in super::super) struct Specifier {
    /// The package, where an alias names another one than the key does.
    pub(in super::super) package: Option<String>,
    /// The range; empty when there is none, or what stands there may hold credentials.
    pub(in super::super) constraint: Written,
    /// Why there is nothing to update.
    pub(in super::super) skip: Option<Skip>,
}

/// Reads the value of a dependency.
pub(in super::super) fn read(value: &Written) -> Specifier {
    let value = value.trimmed();
    let text = value.text();
    let nothing = |skip| Specifier { package: None, constraint: Written::default(), skip: Some(skip) };
    let left_alone = |why: &str| Skip::LeftAlone(why.into());
    if let Some(aliased) = text.strip_prefix("npm:") {
        return alias(&value, text.len() - aliased.len());
    }
    // What stands after these words is a range or a name, which may be shown.
    for (protocol, why) in [("workspace:", MEMBER), ("catalog:", CATALOG), ("jsr:", JSR)] {
        if text.starts_with(protocol) {
            return Specifier { skip: Some(left_alone(why)), constraint: shown(&value), package: None };
        }
    }
    if text.starts_with("patch:") {
        return nothing(left_alone(PATCHED));
    }
    if is_location(text) {
        return nothing(Skip::NotFromRegistry);
    }
    Specifier { package: None, skip: why_no_range(text), constraint: shown(&value) }
}

/// `npm:other@^1.0`, or, as Yarn writes it, `npm:^1.0`.
fn alias(value: &Written, start: usize) -> Specifier {
    let text = value.text();
    let rest = &text[start..];
    let (name, range) = split_version(rest);
    let range_at = if range.is_none() && !is_name(rest) || why_no_range(rest).is_none() { Some(start) } else { None };
    if let Some(start) = range_at {
        let constraint = value.slice(start..text.len());
        return Specifier { package: None, skip: why_no_range(rest), constraint: shown(&constraint) };
    }
    let constraint = value.slice(text.len() - range.map_or(0, str::len)..text.len());
    let skip = why_no_range(constraint.text());
    Specifier { package: Some(name.into()), skip, constraint: shown(&constraint) }
}

/// The text as a constraint, unless it is too long to be one.
fn shown(value: &Written) -> Written {
    if value.text().len() > LONGEST_RANGE_BYTES { Written::default() } else { value.trimmed() }
}

/// Why a text is no range with a version in it; `None` if it is one.
fn why_no_range(text: &str) -> Option<Skip> {
    let text = text.trim();
    match Node::understand(text) {
        Ok(()) => Node.current(text).is_none().then_some(Skip::Unpinned),
        Err(why) => Some(Skip::NotUnderstood(why)),
    }
}

/// Whether a text names a path, a URL, a repository or an archive. None of these letters is in a range or a tag.
fn is_location(text: &str) -> bool {
    const ARCHIVES: [&str; 3] = [".tgz", ".tar.gz", ".tar"];
    text.contains(['/', '\\', ':', '@', '#'])
        || matches!(text, "." | ".." | "~")
        || ARCHIVES.iter().any(|end| text.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(text: &str) -> Option<Skip> {
        read(&Written::verbatim(text, 0)).skip
    }

    #[test]
    fn what_is_no_range_has_its_reason() {
        for location in [
            "file:../x",
            "link:./x",
            "portal:../x",
            "../x",
            "./x",
            "~/x",
            "/x",
            "x/y",
            "github:x/y",
            "gist:11081aaa281",
            "git+ssh://git@example.com/x.git#semver:^5.0",
            "git@example.com:x/y.git",
            "https://example.com/x.tgz",
            "x.tgz",
            "user/repo#feature",
            "exec:./x.js",
            "c:\\x",
            ".",
            "..",
        ] {
            assert_eq!(skip(location), Some(Skip::NotFromRegistry), "{location}");
        }
        for none in ["", "  ", "*", "x", "latest", "next-11", "beta", "vnext", "npm:other", "npm:@a/b@latest", "npm:a@"]
        {
            assert_eq!(skip(none), Some(Skip::Unpinned), "{none}");
        }
        for odd in ["^^1", "1.0 and 2.0", "é", "npm:a@1.0 or so", "{{version}}"] {
            assert!(matches!(skip(odd), Some(Skip::NotUnderstood(_))), "{odd}: {:?}", skip(odd));
        }
        for left in
            ["workspace:*", "workspace:^1.0", "catalog:", "catalog:react18", "jsr:^1.0", "patch:a@npm%3A1.0#./a.patch"]
        {
            assert!(matches!(skip(left), Some(Skip::LeftAlone(_))), "{left}");
        }
        assert!(matches!(skip(&"1".repeat(300)), Some(Skip::NotUnderstood(_))));
    }

    #[test]
    fn aliases_name_another_package() {
        let alias = |text: &str| {
            let read = read(&Written::verbatim(text, 0));
            (read.package, read.constraint.text().to_string(), read.constraint.origin(0).map(|origin| origin.start))
        };
        assert_eq!(alias("npm:other@^1.0"), (Some("other".into()), "^1.0".into(), Some(10)));
        assert_eq!(alias("npm:@s/other@1"), (Some("@s/other".into()), "1".into(), Some(13)));
        assert_eq!(alias("npm:^1.0"), (None, "^1.0".into(), Some(4)));
        assert_eq!(alias("npm:1.2.3"), (None, "1.2.3".into(), Some(4)));
    }
}
