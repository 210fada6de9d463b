//! The tables of the documentation hold.

use super::{docker, pypi};

/// The rows of a table in the documentation, by the first word of its heading: each cell's texts in backticks.
fn documented<'a>(page: &'a str, heading: &str) -> Vec<Vec<Vec<&'a str>>> {
    let table = page.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
    let cells = |line: &'a str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    let texts = |cell: &'a str| match cell.contains('`') {
        true => cell.split('`').skip(1).step_by(2).collect(),
        false => cell.split_whitespace().collect(),
    };
    table.take_while(|line| line.starts_with('|')).map(|line| cells(line).into_iter().map(texts).collect()).collect()
}

#[test]
fn the_documentation_of_python_constraints_is_true() {
    let rows = documented(include_str!("../../docs/ecosystems/pypi.md"), "| written | released | becomes");
    assert!(rows.len() > 10);
    for row in rows {
        let (constraint, released, becomes) = (row[0][0], row[1][0], row[2].first().copied());
        assert_eq!(pypi().rewrite(constraint, released).as_deref(), becomes, "{constraint}");
        let current = pypi().current(constraint).unwrap();
        assert_eq!(pypi().is_candidate(constraint, &current, released), becomes.is_some(), "{constraint}");
    }
}

#[test]
fn the_documentation_of_tags_is_true() {
    let rows = documented(include_str!("../../docs/ecosystems/docker.md"), "| written | moves to");
    assert!(rows.len() > 5);
    for row in rows {
        let tag = row[0][0];
        for (candidates, expected) in [(&row[1], true), (&row[2], false)] {
            for candidate in candidates.iter().filter(|text| text.contains(|c: char| c.is_ascii_digit())) {
                assert_eq!(docker().is_candidate(tag, tag, candidate), expected, "{tag} to {candidate}");
            }
        }
    }
}
