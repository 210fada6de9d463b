//! Versions and constraints as they should be, and what becomes of them in hostile hands.

use mass_driver::domain::Ecosystem;
use proptest::prelude::*;
use proptest::sample::Index;

/// Versions as registries publish them, and a few near misses.
pub(super) fn proper_version(ecosystem: Ecosystem) -> BoxedStrategy<String> {
    match ecosystem {
        Ecosystem::Pypi => {
            "(v|[01]!)?[0-3](\\.[0-3]){0,3}((a|b|rc)[0-2])?(\\.post[0-2])?(\\.dev[0-2])?(\\+[a-c1-3])?".boxed()
        }
        Ecosystem::Docker => "v?[0-3]([._-][0-3]){0,2}((a|rc)[0-2]|-rc|-beta\\.[0-2])?(-slim|-alpine3\\.1)?".boxed(),
        Ecosystem::GithubActions | Ecosystem::PreCommit => {
            "(v|release-|k8s/v)?[0-3]([._-][0-3]){0,2}(rc[0-2]|-rc|-beta\\.[0-2])?(-node20)?".boxed()
        }
        Ecosystem::Npm | Ecosystem::Cargo => {
            "v?[0-3](\\.[0-3]){0,1}|[0-3]\\.[0-3]\\.[0-3](-(alpha|rc\\.[0-2]|0))?(\\+[ab])?".boxed()
        }
    }
}

/// Constraints as files write them.
pub(super) fn proper_constraint(ecosystem: Ecosystem) -> BoxedStrategy<String> {
    match ecosystem {
        Ecosystem::Pypi => {
            let plain = "(==|===|>=|>|<|<=|!=|== |< |\\^|~|)[0-4](\\.[0-4]){0,2}(rc1)?";
            let clause =
                prop_oneof![3 => plain, 1 => "~=[0-4](\\.[0-4]){1,2}", 1 => "(==|!=|)[0-4](\\.[0-4]){0,2}\\.\\*"];
            joined(clause.boxed(), ",", 3)
        }
        Ecosystem::Docker | Ecosystem::GithubActions | Ecosystem::PreCommit => proper_version(ecosystem),
        Ecosystem::Npm => {
            let partial = "(v?[0-3](\\.[0-3]){0,2}|[0-3]\\.[x*]|[0-3]\\.[0-3]\\.x|[0-2]\\.[0-2]\\.[0-2]-(0|rc\\.[01]))";
            let operator = "(|=|\\^|~|<|<=|>|>=|~>|>= |< )";
            let clause = proptest::string::string_regex(&format!("{operator}{partial}")).unwrap().boxed();
            let hyphen = proptest::string::string_regex(&format!("{partial} - {partial}")).unwrap();
            joined(prop_oneof![8 => joined(clause, " ", 3), 1 => hyphen].boxed(), " || ", 3)
        }
        Ecosystem::Cargo => {
            let clause = "(|\\^|~|=|<|<=|>|>=|>= |< )([0-3](\\.[0-3]){0,2}|[0-2]\\.[0-2]\\.[0-2]-(0|rc\\.[01]))|[0-3](\\.[0-3])?\\.\\*";
            joined(clause.boxed(), ", ", 3)
        }
    }
}

/// What a stranger may write instead: one of the proper texts with a few changes made to it, or anything at all.
pub(super) fn hostile() -> impl Strategy<Value = String> {
    let proper = prop::sample::select(Ecosystem::ALL.to_vec())
        .prop_flat_map(|ecosystem| prop_oneof![proper_version(ecosystem), proper_constraint(ecosystem)]);
    let piece = prop_oneof![
        4 => "[<>=!~^|,. *xXv0-9a-z+_@/-]{0,3}",
        1 => prop::sample::select(vec!["99999999999999999999", "9007199254740991", "18446744073709551615", "||", " - ", "\u{a0}", "é", "١", "\u{1F600}", "\0", "\r\n", "-0", "+", "1!", ".*", "rc", ".dev"]).prop_map(String::from),
        1 => ".{0,2}",
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
    prop_oneof![8 => mutated, 1 => any::<String>(), 1 => "[<>=!~^|,. *0-9va-z+-]{0,40}"]
}

/// Versions as they should be, and anything else.
pub(super) fn version(ecosystem: Ecosystem) -> BoxedStrategy<String> {
    prop_oneof![8 => proper_version(ecosystem), 2 => hostile()].boxed()
}

fn joined(one: BoxedStrategy<String>, between: &'static str, most: usize) -> BoxedStrategy<String> {
    prop::collection::vec(one, 1..=most).prop_map(move |parts| parts.join(between)).boxed()
}
