//! Names of packages, and the keys of overrides that say where in the tree of packages one is meant.

/// Longer names are refused by npm. Source: npm's documentation, "package.json" (name).
const LONGEST_NAME_BYTES: usize = 214;

/// Whether a text is a package's name: `name` or `@scope/name`, of letters that stand in a URL as they are.
pub(in super::super) fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '_'])
            && part.bytes().all(|b| {
                b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~' | b'!' | b'\'' | b'(' | b')')
            })
    };
    text.len() <= LONGEST_NAME_BYTES
        && match text.strip_prefix('@') {
            Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| is_part(scope) && is_part(name)),
            None => is_part(text),
        }
}

/// `name@version` at the `@` that is not a scope's: the name, and the version where there is an `@`.
pub(super) fn split_version(text: &str) -> (&str, Option<&str>) {
    let scope = usize::from(text.starts_with('@'));
    match text[scope..].split_once('@') {
        Some((name, version)) => (&text[..scope + name.len()], Some(version)),
        None => (text, None),
    }
}

/// The package that a key of npm's `overrides` means: `name`, `name@range`.
pub(super) fn npm(key: &str) -> &str {
    split_version(key).0
}

/// The package that a key of Yarn's `resolutions` means, the last on the way to it: `name`, `**/name`, `a/**/@s/name`,
/// `a@npm:1/name@npm:^2`.
pub(super) fn yarn(key: &str) -> &str {
    let mut rest = key;
    loop {
        // A scope's own slash is not one between two packages.
        let scope = if rest.starts_with('@') { rest.find('/').map_or(0, |slash| slash + 1) } else { 0 };
        match rest[scope..].split_once('/') {
            Some((_, after)) if !after.is_empty() => rest = after,
            _ => return split_version(rest).0,
        }
    }
}

/// The package that a key of pnpm's `overrides` means, the last one: `name@range`, `parent@1>name`.
pub(in super::super) fn pnpm(key: &str) -> &str {
    let mut rest = key;
    // A `>` with a letter before it leads to a child; others belong to a range (`a@>1`, `a@1 || >2`).
    while let Some(at) = rest.match_indices('>').map(|(at, _)| at).find(|&at| at > 0 && is_delimiter(rest, at)) {
        rest = &rest[at + 1..];
    }
    split_version(rest).0
}

/// Whether a key means a package wherever it is used, and in every version: `name`, or `**/name` as Yarn has it.
pub(super) fn means_all(key: &str, name: &str) -> bool {
    key.strip_prefix("**/").unwrap_or(key) == name
}

fn is_delimiter(text: &str, at: usize) -> bool {
    !text[..at].ends_with([' ', '|', '@', '>']) && !text[at + 1..].starts_with('=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_their_last_package() {
        for (key, name) in
            [("a", "a"), ("a@^1", "a"), ("@s/a", "@s/a"), ("@s/a@<2 || >3", "@s/a"), (".", "."), ("", "")]
        {
            assert_eq!(npm(key), name, "{key}");
        }
        for (key, name) in [
            ("a", "a"),
            ("**/a", "a"),
            ("a/b", "b"),
            ("a/**/b", "b"),
            ("@s/a", "@s/a"),
            ("@s/a/@t/b", "@t/b"),
            ("**/@t/b", "@t/b"),
            ("a@npm:1/b@npm:^2", "b"),
            ("a/", "a/"),
        ] {
            assert_eq!(yarn(key), name, "{key}");
        }
        for (key, name) in [
            ("a", "a"),
            ("a@^1", "a"),
            ("a>b", "b"),
            ("a@1>b", "b"),
            ("@s/a@1>@t/b@2", "@t/b"),
            ("a@>1 <2", "a"),
            ("a@>=1", "a"),
            ("a@1>b@>=2", "b"),
            (">", ">"),
        ] {
            assert_eq!(pnpm(key), name, "{key}");
        }
    }

    #[test]
    fn keys_with_a_version_or_a_parent_are_narrow() {
        let all = |key, name_of: fn(&str) -> &str| means_all(key, name_of(key));
        assert!(all("a", npm) && all("@s/a", npm) && !all("a@<2", npm) && !all("@s/a@1", npm));
        assert!(all("a", yarn) && all("@s/a", yarn) && all("**/a", yarn) && all("**/@s/a", yarn));
        assert!(!all("a/b", yarn) && !all("**/a/b", yarn) && !all("a/**/b", yarn) && !all("a@npm:1", yarn));
        assert!(all("@s/a", pnpm) && !all("a@^1", pnpm) && !all("a>b", pnpm) && !all("a@>1", pnpm));
    }

    #[test]
    fn names_are_checked() {
        for name in ["a", "@s/a", "JSONStream", "lodash.merge", "a-b_c~1"] {
            assert!(is_name(name), "{name}");
        }
        let long = "a".repeat(215);
        for no in
            ["", "@s", "@s/", "@/a", "a/b", "@s/a/b", ".", "..", "_a", "a b", "a?b", "é", "a%2f", "**", "-\n", &long]
        {
            assert!(!is_name(no), "{no}");
        }
    }
}
