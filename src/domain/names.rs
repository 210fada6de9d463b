//! The rules for names that people choose and programs elsewhere must take: branches and plug-ins. Each rule stands here alone;
//! whoever reads such a name asks here, so that what one accepts no other refuses later.

/// What is wrong with a name for a branch, without `refs/heads/`; `None` if git takes it.
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
    first_of(&complaints)
}

/// What is wrong with a name for a plug-in, the `NAME` of an executable `mass-driver-driver-NAME`; `None` if it can be one.
pub fn plug_in_complaint(name: &str) -> Option<&'static str> {
    const LONGEST_BYTES: usize = 60;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    let complaints = [
        (name.is_empty(), "it is empty"),
        (!name.bytes().all(plain), "it may have small letters, digits, `-` and `_`"),
        (name.len() > LONGEST_BYTES, "it may have 60 characters"),
        (!name.starts_with(|c: char| c.is_ascii_lowercase()), "it must begin with a small letter"),
        (name.ends_with(['-', '_']), "it must end with a letter or a digit"),
    ];
    first_of(&complaints)
}

fn first_of(complaints: &[(bool, &'static str)]) -> Option<&'static str> {
    complaints.iter().find_map(|(applies, complaint)| applies.then_some(*complaint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_plug_ins() {
        for good in ["a", "my-driver", "a_1", &"x".repeat(60)] {
            assert_eq!(plug_in_complaint(good), None, "{good}");
        }
        let cases = [
            ("", "it is empty"),
            ("My.Driver", "it may have small letters, digits, `-` and `_`"),
            ("größe", "it may have small letters, digits, `-` and `_`"),
            ("../x", "it may have small letters, digits, `-` and `_`"),
            ("1a", "it must begin with a small letter"),
            ("-a", "it must begin with a small letter"),
            ("a-", "it must end with a letter or a digit"),
            ("a_", "it must end with a letter or a digit"),
        ];
        for (bad, why) in cases {
            assert_eq!(plug_in_complaint(bad), Some(why), "{bad}");
        }
        assert_eq!(plug_in_complaint(&"x".repeat(61)), Some("it may have 60 characters"));
    }
}
