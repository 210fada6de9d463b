//! Names of branches, by git's own rules.

/// What is wrong with a name for a branch; `None` if git takes it.
///
/// Source: git-check-ref-format(1), with what `git branch` refuses besides.
pub fn branch_complaint(name: &str) -> Option<&'static str> {
    const LONGEST_BYTES: usize = 200;
    let part_is = |bad: fn(&str) -> bool| name.split('/').any(bad);
    let complaints = [
        (name.is_empty(), "it is empty"),
        (name.len() > LONGEST_BYTES, "it is longer than 200 bytes"),
        (name.starts_with('-'), "it begins with `-`"),
        (matches!(name, "HEAD" | "@"), "git keeps that word for itself"),
        (part_is(str::is_empty), "a `/` stands at an end, or two of them together"),
        (part_is(|part| part.starts_with('.')), "a part of it begins with `.`"),
        (part_is(|part| part.ends_with(".lock")), "a part of it ends with `.lock`"),
        (name.ends_with('.'), "it ends with `.`"),
        (name.contains(".."), "there is `..` in it"),
        (name.contains("@{"), "there is `@{` in it"),
        (name.chars().any(char::is_whitespace), "there is white space in it"),
        (
            name.chars().any(|c| c.is_control() || "~^:?*[\\".contains(c)),
            "git allows no control characters and none of ~ ^ : ? * [ \\",
        ),
        (name.starts_with("refs/"), "it begins with `refs/`; the name alone is meant"),
    ];
    complaints.into_iter().find_map(|(applies, complaint)| applies.then_some(complaint))
}
