//! The dependencies of a Python project in setup.cfg.
//!
//! Sources: setuptools' documentation, "Configuring setuptools using setup.cfg files"; Python's documentation, configparser,
//! "Supported INI File Structure", as setuptools sets it up: comments are whole lines, and nothing is interpolated.

use super::format::Format;
use super::python;
use super::requirement::{self, Place};
use super::written::Written;
use super::{Found, MOST_DEPENDENCIES, Manager, readable, requirements, without_mark};
use crate::domain::{Ecosystem, RepoPath};
use crate::versioning::Pythons;

/// The manager of setup.cfg.
#[derive(Debug)]
pub struct SetupCfg;

impl Format for SetupCfg {
    const NAME: &'static str = "setup-cfg";

    const ECOSYSTEM: Ecosystem = Ecosystem::Pypi;

    fn claims(path: &RepoPath) -> bool {
        path.file_name() == "setup.cfg"
    }

    fn find(path: &RepoPath, text: &str) -> Result<Found, String> {
        readable(text)?;
        let line_starts = super::line_starts(text);
        let place = Place { manager: Self::NAME, path, line_of: &|at| super::line_of(&line_starts, at) };
        let (mut found, mut project) = (Found::default(), None);
        for option in options(text).map_err(|at| format!("line {}: {}", (place.line_of)(at), NOT_AN_OPTION))? {
            if option.is_pythons() {
                let written: Vec<&str> = option.lines.iter().map(|(_, line)| without_comment(line)).collect();
                project = Pythons::of_range(&written.concat());
            }
            if !option.is_requirements() {
                continue;
            }
            if let Some(files) = option.files() {
                files.for_each(|file| found.include(path, file));
                continue;
            }
            for requirement in option.requirements() {
                if found.finds.len() >= MOST_DEPENDENCIES {
                    return Err(format!("there are more than {MOST_DEPENDENCIES} requirements in it"));
                }
                found.finds.push(requirement::read(&requirement, None, &place));
            }
        }
        python::limit(found.finds.iter_mut(), project);
        Ok(found)
    }

    /// `file: requirements.txt`.
    fn reader_of_includes() -> Option<&'static dyn Manager> {
        Some(&requirements::Requirements)
    }
}

const NOT_AN_OPTION: &str = "it is neither a `[section]` nor an `option = value` of one";

/// An option and the lines of its value, without white space around them, each with where it begins; the first stands beside
/// the option's name.
struct ConfigOption<'a> {
    section: &'a str,
    name: &'a str,
    lines: Vec<(usize, &'a str)>,
}

impl ConfigOption<'_> {
    /// Whether it is a list of requirements. Older versions of setuptools take `-` for `_`.
    fn is_requirements(&self) -> bool {
        const LISTS: [&str; 3] = ["install_requires", "setup_requires", "tests_require"];
        match self.section {
            "options" => LISTS.contains(&self.name.replace('-', "_").as_str()),
            "options.extras_require" => true,
            _ => false,
        }
    }

    /// Whether it says which versions of Python the project runs on.
    fn is_pythons(&self) -> bool {
        self.section == "options" && self.name.replace('-', "_") == "python_requires"
    }

    /// The files it names instead of requirements.
    fn files(&self) -> Option<impl Iterator<Item = &str>> {
        let first = self.lines.first()?.1.strip_prefix("file:")?;
        let further = self.lines[1..].iter().map(|(_, line)| *line);
        Some(
            std::iter::once(first)
                .chain(further)
                .flat_map(|line| line.split(','))
                .map(str::trim)
                .filter(|f| !f.is_empty()),
        )
    }

    /// The requirements: one a line, or between semicolons where all stand in one line.
    fn requirements(&self) -> impl Iterator<Item = Written> {
        let separator = if self.lines.len() == 1 { ';' } else { '\n' };
        let parts = self.lines.iter().flat_map(move |(start, line)| {
            let mut at = *start;
            line.split(separator).map(move |part| {
                let start = at;
                at += part.len() + 1;
                (start, part)
            })
        });
        let written = parts.map(|(at, part)| Written::verbatim(without_comment(part), at).trimmed());
        written.filter(|requirement| !requirement.text().is_empty())
    }
}

/// A requirement ends at ` #`, and there is none behind a `#`.
fn without_comment(part: &str) -> &str {
    let end = if part.trim_start().starts_with('#') { 0 } else { part.find(" #").unwrap_or(part.len()) };
    &part[..end]
}

/// The options of a file, in its order. An error is the byte at which a line begins that is none of its kind.
fn options(text: &str) -> Result<Vec<ConfigOption<'_>>, usize> {
    let mut options: Vec<ConfigOption<'_>> = Vec::new();
    let mut section = None;
    // How far the line with the option's name is indented: lines further in belong to its value.
    let mut indent = 0;
    let mut open = false;
    for (start, line) in physical_lines(text) {
        let value = line.trim();
        if value.is_empty() || value.starts_with(['#', ';']) {
            continue;
        }
        let leading = line.len() - line.trim_start().len();
        let deep = line[..leading].chars().count();
        if let (true, Some(option)) = (open && deep > indent, options.last_mut()) {
            option.lines.push((start + leading, value));
            continue;
        }
        indent = deep;
        if let Some(header) = header(value) {
            section = Some(header);
            open = false;
            continue;
        }
        let (Some(section), Some(delimiter)) = (section, value.find(['=', ':'])) else { return Err(start) };
        let (name, rest) = (value[..delimiter].trim_end(), value[delimiter + 1..].trim_start());
        if name.is_empty() {
            return Err(start);
        }
        options.push(ConfigOption { section, name, lines: vec![(start + leading + value.len() - rest.len(), rest)] });
        open = true;
    }
    Ok(options)
}

/// The section that a line begins: what follows the last `]` counts for nothing.
fn header(line: &str) -> Option<&str> {
    let end = line.rfind(']')?;
    line.get(1..end).filter(|header| line.starts_with('[') && !header.is_empty())
}

/// The lines of a text with where each begins, without their ends, which are `\n`, `\r\n` or `\r`.
fn physical_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = without_mark(text).0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let ending = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        let line = (start, &rest[..end]);
        start += end + ending;
        Some(line)
    })
}
