//! Versions and constraints as they should be, and what becomes of them in hostile hands.

use mass_driver::domain::Ecosystem;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::Union;

/// Texts of a pattern, which is read once and not for each of them.
fn text(pattern: &str) -> BoxedStrategy<String> {
    proptest::string::string_regex(pattern).unwrap().boxed()
}

fn of_each<T: std::fmt::Debug + 'static>(
    make: impl Fn(Ecosystem) -> BoxedStrategy<T>,
) -> BoxedStrategy<(Ecosystem, T)> {
    let each = Ecosystem::ALL.into_iter().map(|ecosystem| (Just(ecosystem), make(ecosystem)).boxed());
    Union::new(each).boxed()
}

/// An ecosystem, and versions for it: as they should be, and anything else.
pub(super) fn with_versions(count: usize) -> BoxedStrategy<(Ecosystem, Vec<String>)> {
    of_each(|ecosystem| {
        prop::collection::vec(prop_oneof![8 => proper_version(ecosystem), 2 => hostile()], count).boxed()
    })
}

/// An ecosystem, a constraint of it, and a version for it.
pub(super) fn to_move() -> BoxedStrategy<(Ecosystem, (String, String))> {
    of_each(|ecosystem| (proper_constraint(ecosystem), proper_version(ecosystem)).boxed())
}

/// An ecosystem, a constraint of it, and what somebody publishes instead of a version.
pub(super) fn to_abuse() -> BoxedStrategy<(Ecosystem, (String, String))> {
    of_each(|ecosystem| (proper_constraint(ecosystem), hostile()).boxed())
}

/// An ecosystem, and what somebody writes instead of a constraint.
pub(super) fn to_misread() -> BoxedStrategy<(Ecosystem, String)> {
    of_each(|_| hostile())
}

/// Versions as registries publish them, and a few near misses.
fn proper_version(ecosystem: Ecosystem) -> BoxedStrategy<String> {
    match ecosystem {
        Ecosystem::Pypi => {
            text("(v|[01]!)?[0-3](\\.[0-3]){0,3}((a|b|rc)[0-2])?(\\.post[0-2])?(\\.dev[0-2])?(\\+[a-c1-3])?")
        }
        Ecosystem::Docker => text("v?[0-3]([._-][0-3]){0,2}((a|rc)[0-2]|-rc|-beta\\.[0-2])?(-slim|-alpine3\\.1)?"),
        Ecosystem::GithubActions | Ecosystem::PreCommit => {
            text("(v|release-|k8s/v)?[0-3]([._-][0-3]){0,2}(rc[0-2]|-rc|-beta\\.[0-2])?(-node20)?")
        }
        Ecosystem::Npm | Ecosystem::Cargo => {
            text("v?[0-3](\\.[0-3]){0,1}|[0-3]\\.[0-3]\\.[0-3](-(alpha|rc\\.[0-2]|0))?(\\+[ab])?")
        }
    }
}

/// Constraints as files write them.
fn proper_constraint(ecosystem: Ecosystem) -> BoxedStrategy<String> {
    match ecosystem {
        Ecosystem::Pypi => {
            let plain = text("(==|===|>=|>|<|<=|!=|== |< |\\^|~|)[0-4](\\.[0-4]){0,2}(rc1)?");
            let clause = prop_oneof![3 => plain, 1 => text("~=[0-4](\\.[0-4]){1,2}"), 1 => text("(==|!=|)[0-4](\\.[0-4]){0,2}\\.\\*")];
            joined(clause.boxed(), ",", 3)
        }
        Ecosystem::Docker | Ecosystem::GithubActions | Ecosystem::PreCommit => proper_version(ecosystem),
        Ecosystem::Npm => {
            let partial = "(v?[0-3](\\.[0-3]){0,2}|[0-3]\\.[x*]|[0-3]\\.[0-3]\\.x|[0-2]\\.[0-2]\\.[0-2]-(0|rc\\.[01]))";
            let operator = "(|=|\\^|~|<|<=|>|>=|~>|>= |< )";
            let clause = text(&format!("{operator}{partial}"));
            let hyphen = text(&format!("{partial} - {partial}"));
            joined(prop_oneof![8 => joined(clause, " ", 3), 1 => hyphen].boxed(), " || ", 3)
        }
        Ecosystem::Cargo => {
            let partial = "([0-3](\\.[0-3]){0,2}|[0-2]\\.[0-2]\\.[0-2]-(0|rc\\.[01]))";
            joined(text(&format!("(|\\^|~|=|<|<=|>|>=|>= |< ){partial}|[0-3](\\.[0-3])?\\.\\*")), ", ", 3)
        }
    }
}

/// What a stranger may write instead: one of the proper texts with a few changes made to it, or anything at all.
pub(super) fn hostile() -> BoxedStrategy<String> {
    const PIECES: [&str; 17] = [
        "99999999999999999999",
        "9007199254740991",
        "18446744073709551615",
        "||",
        " - ",
        "\u{a0}",
        "é",
        "١",
        "\u{1F600}",
        "\0",
        "\r\n",
        "-0",
        "+",
        "1!",
        ".*",
        "rc",
        ".dev",
    ];
    let each = Ecosystem::ALL.into_iter();
    let proper = Union::new(each.flat_map(|ecosystem| [proper_version(ecosystem), proper_constraint(ecosystem)]));
    let piece = prop_oneof![
        4 => text("[<>=!~^|,. *xXv0-9a-z+_@/-]{0,3}"),
        1 => prop::sample::select(&PIECES[..]).prop_map(String::from),
        1 => text(".{0,2}"),
    ];
    let change = (any::<Index>(), 0_usize..3, piece);
    let mutated = (proper, prop::collection::vec(change, 0..4)).prop_map(|(mut text, changes)| {
        for (at, removed, piece) in changes {
            let starts: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
            let start = at.index(starts.len());
            let end = (start + removed).min(starts.len() - 1);
            text.replace_range(starts[start]..starts[end], &piece);
        }
        text
    });
    prop_oneof![8 => mutated, 1 => any::<String>(), 1 => text("[<>=!~^|,. *0-9va-z+-]{0,40}")].boxed()
}

fn joined(one: BoxedStrategy<String>, between: &'static str, most: usize) -> BoxedStrategy<String> {
    prop::collection::vec(one, 1..=most).prop_map(move |parts| parts.join(between)).boxed()
}
