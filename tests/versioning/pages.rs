//! The tables of the documentation hold.

use super::docker;
use mass_driver::domain::Ecosystem;
use mass_driver::versioning::scheme;
use std::cmp::Ordering;

/// The cells of a table's row: in each the texts in backticks, or its words where there are none. `\|` is no border.
fn cells(row: &str) -> Vec<Vec<String>> {
    let row = row.trim_matches('|').replace("\\|", "\u{1}");
    let texts = |cell: &str| -> Vec<String> {
        let texts: Vec<&str> = match cell.contains('`') {
            true => cell.split('`').skip(1).step_by(2).collect(),
            false => cell.split_whitespace().collect(),
        };
        texts.into_iter().map(|text| text.replace('\u{1}', "|")).collect()
    };
    row.split('|').map(texts).collect()
}

/// The rows of the tables of a page whose heading begins so.
fn documented(page: &str, heading: &str) -> Vec<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    let mut lines = page.lines();
    while lines.by_ref().any(|line| line.starts_with(heading)) {
        rows.extend(lines.by_ref().skip(1).take_while(|line| line.starts_with('|')).map(cells));
    }
    rows
}

/// The sections of the page about versions, each with an ecosystem it speaks of.
fn sections() -> Vec<(Ecosystem, &'static str)> {
    let page = include_str!("../../docs/ecosystems/versions.md");
    let about = |section: &'static str| {
        let heading = section.lines().next().unwrap();
        let named = |ecosystem: &Ecosystem| heading.contains(&format!("`{ecosystem}`"));
        Ecosystem::ALL.into_iter().filter(named).map(|ecosystem| (ecosystem, section)).collect::<Vec<_>>()
    };
    let sections: Vec<_> = page.split("\n## ").skip(1).flat_map(about).collect();
    assert_eq!(sections.len(), Ecosystem::ALL.len(), "each ecosystem has its section");
    sections
}

#[test]
fn the_documentation_of_constraints_is_true() {
    for (ecosystem, section) in sections() {
        let scheme = scheme(ecosystem);
        let rows = documented(section, "| written | released | becomes");
        assert!(rows.len() > 12, "{ecosystem}: {} rows", rows.len());
        for row in rows {
            let (constraint, released, becomes) = (&row[0][0], &row[1][0], row[2].first());
            let said = format!("{ecosystem}: {constraint} with {released}");
            // Where a constraint names no version (`*`), there is nothing to compare with.
            let current = scheme.current(constraint);
            let candidate = current.is_some_and(|current| scheme.is_candidate(constraint, &current, released));
            assert_eq!(candidate, becomes.is_some(), "{said}");
            if let Some(becomes) = becomes {
                assert_eq!(scheme.rewrite(constraint, released).as_ref(), Some(becomes), "{said}");
            }
        }
    }
}

#[test]
fn the_documentation_of_the_order_is_true() {
    for (ecosystem, section) in sections() {
        let scheme = scheme(ecosystem);
        let rows = documented(section, "| oldest to newest");
        assert_eq!(rows.len(), 1, "{ecosystem}");
        let (versions, prereleases) = (&rows[0][0], &rows[0][1]);
        for (i, older) in versions.iter().enumerate() {
            assert_eq!(scheme.is_prerelease(older), prereleases.contains(older), "{ecosystem}: {older}");
            for newer in &versions[i + 1..] {
                assert_eq!(scheme.compare(older, newer), Some(Ordering::Less), "{ecosystem}: {older}, {newer}");
            }
        }
    }
}

#[test]
fn the_documentation_of_ranges_is_true() {
    for (ecosystem, section) in sections() {
        let rows = documented(section, "| range | holds for");
        assert!(rows.len() > 2, "{ecosystem}");
        for row in rows {
            for (versions, inside) in [(&row[1], true), (&row[2], false)] {
                for version in versions {
                    let judged = scheme(ecosystem).matches(&row[0][0], version);
                    assert_eq!(judged, Ok(inside), "{ecosystem}: {} and {version}", row[0][0]);
                }
            }
        }
    }
}

#[test]
fn the_pages_of_packages_are_true() {
    for (ecosystem, page) in [
        (Ecosystem::Pypi, include_str!("../../docs/ecosystems/pypi.md")),
        (Ecosystem::Npm, include_str!("../../docs/ecosystems/npm.md")),
        (Ecosystem::Cargo, include_str!("../../docs/ecosystems/cargo.md")),
    ] {
        let scheme = scheme(ecosystem);
        let rows = documented(page, "| written | released | becomes");
        assert!(rows.len() > 10, "{ecosystem}");
        for row in rows {
            let (constraint, released, becomes) = (&row[0][0], &row[1][0], row[2].first());
            assert_eq!(scheme.rewrite(constraint, released).as_ref(), becomes, "{ecosystem}: {constraint}");
            let current = scheme.current(constraint).unwrap();
            let is_candidate = scheme.is_candidate(constraint, &current, released);
            assert_eq!(is_candidate, becomes.is_some(), "{ecosystem}: {constraint}");
        }
    }
}

#[test]
fn the_page_on_images_is_true() {
    let rows = documented(include_str!("../../docs/ecosystems/docker.md"), "| written | moves to");
    assert!(rows.len() > 5);
    for row in rows {
        let tag = &row[0][0];
        for (candidates, expected) in [(&row[1], true), (&row[2], false)] {
            for candidate in candidates.iter().filter(|text| text.contains(|c: char| c.is_ascii_digit())) {
                assert_eq!(docker().is_candidate(tag, tag, candidate), expected, "{tag} to {candidate}");
            }
        }
    }
}
