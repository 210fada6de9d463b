//! The images a Dockerfile builds on: `FROM`, `COPY --from`, `RUN --mount=from=`, and the `# syntax=` line.
//!
//! Source: Docker's documentation, "Dockerfile reference".

mod heredoc;
mod words;

use super::format::Format;
use super::image::Images;
use super::requirement::Place;
use super::variables::{Syntax, Variables};
use super::written::Written;
use super::{Found, MOST_DEPENDENCIES, readable, without_mark};
use crate::domain::{Ecosystem, RepoPath, Skip};
use parse_dockerfile::{Flag, Instruction, ParseIter};
use std::collections::HashSet;
use words::{joined, words};

/// The manager of Dockerfiles.
#[derive(Debug)]
pub struct Dockerfile;

impl Format for Dockerfile {
    const NAME: &'static str = "dockerfile";

    const ECOSYSTEM: Ecosystem = Ecosystem::Docker;

    /// `Dockerfile`, `Dockerfile.dev`, `Dockerfile-dev`, `api.Dockerfile`, and the same with `Containerfile`, in any case.
    /// Not `Dockerfile.dockerignore`, which is another format, nor `dockerfile_test.go`.
    fn claims(path: &RepoPath) -> bool {
        let name = path.file_name().to_ascii_lowercase();
        !name.ends_with(".dockerignore")
            && ["dockerfile", "containerfile"].iter().any(|word| {
                let named = |rest: &str| rest.starts_with('.') || (rest.starts_with(['-', '_']) && !rest.contains('.'));
                name == *word
                    || name.strip_prefix(word).is_some_and(named)
                    || name.strip_suffix(word).is_some_and(|rest| rest.ends_with('.'))
            })
    }

    fn find(path: &RepoPath, text: &str) -> Result<Found, String> {
        readable(text)?;
        let (mark, body) = without_mark(text);
        let escape = escape_of(body);
        let parsed = heredoc::hidden(body, escape)?;
        let iter = parse_dockerfile::parse_iter(&parsed).map_err(|e| problem(&e))?;
        let line_starts = super::line_starts(text);
        let line_of = |at| super::line_of(&line_starts, at);
        let mut reader = Reader {
            mark,
            body,
            escape,
            arguments: Variables::default(),
            stages: HashSet::new(),
            stage_count: 0,
            images: Images::new(Place { manager: Self::NAME, path, line_of: &line_of }),
        };
        reader.image(syntax(body, mark).map(Ok));
        reader.read(iter)?;
        Ok(Found::of(reader.images.finds()))
    }
}

fn problem(error: &parse_dockerfile::Error) -> String {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
    // What is missing stands on no line.
    match error.line() {
        0 => super::cut(message),
        line => format!("line {line}: {}", super::cut(message)),
    }
}

/// What is known on the way through a file.
struct Reader<'a> {
    /// The bytes of the byte order mark, which the parser does not count.
    mark: usize,
    body: &'a str,
    escape: char,
    /// The arguments declared before the first `FROM`: those that image names may use.
    arguments: Variables,
    /// Names of the stages so far, in lower case.
    stages: HashSet<String>,
    stage_count: usize,
    images: Images<'a>,
}

impl Reader<'_> {
    fn read(&mut self, instructions: ParseIter<'_>) -> Result<(), String> {
        for instruction in instructions {
            self.instruction(&instruction.map_err(|e| problem(&e))?);
            if self.images.count() > MOST_DEPENDENCIES {
                return Err(format!("there are more than {MOST_DEPENDENCIES} images in it"));
            }
        }
        Ok(())
    }

    fn instruction(&mut self, instruction: &Instruction<'_>) {
        match instruction {
            Instruction::Arg(arg) if self.stage_count == 0 => {
                self.declare(&self.written(arg.arguments.span.clone()));
            }
            Instruction::From(from) => {
                let image = self.written(from.image.span.clone());
                match self.expand(&image) {
                    Ok(expanded) if self.is_stage(expanded.text()) => {}
                    expanded => self.image(Some(expanded.map_err(|skip| (image, skip)))),
                }
                self.stage_count += 1;
                if let Some((_, name)) = &from.as_ {
                    self.stages.insert(name.value.to_ascii_lowercase());
                }
            }
            Instruction::Copy(copy) => {
                for flag in &copy.options {
                    self.flag(flag, "from", |value| Some(value.clone()));
                }
            }
            Instruction::Run(run) => {
                for flag in &run.options {
                    self.flag(flag, "mount", mounted_image);
                }
            }
            Instruction::Onbuild(onbuild) => self.instruction(&onbuild.instruction),
            _ => {}
        }
    }

    /// An image in a flag's value, where variables are not expanded.
    fn flag(&mut self, flag: &Flag<'_>, name: &str, image: impl Fn(&Written) -> Option<Written>) {
        let Some(value) = flag.value.as_ref().filter(|_| flag.name.value.eq_ignore_ascii_case(name)) else { return };
        let Some(image) = image(&self.written(value.span.clone())) else { return };
        let stage = self.is_stage(image.text()) || image.text().bytes().all(|b| b.is_ascii_digit());
        if !stage {
            let why = || Skip::NotUnderstood(format!("variables are not expanded in `--{name}`"));
            self.image(Some(if image.text().contains('$') { Err((image, why())) } else { Ok(image) }));
        }
    }

    /// Takes in an image; `scratch` is none.
    fn image(&mut self, reference: Option<Result<Written, (Written, Skip)>>) {
        let scratch = |reference: &Result<Written, _>| reference.as_ref().is_ok_and(|text| text.text() == "scratch");
        if let Some(reference) = reference.filter(|reference| !scratch(reference)) {
            self.images.push(reference);
        }
    }

    /// Takes in the arguments of an `ARG` instruction: `A=1 B="2" C`.
    fn declare(&mut self, arguments: &Written) {
        for word in words(arguments, self.escape) {
            let (name, default) = match word.text().find('=') {
                // A default that cannot be told is like none: the image that uses it is then listed with that reason.
                Some(at) => (&word.text()[..at], self.expand(&word.slice(at + 1..word.text().len())).ok()),
                None => (word.text(), None),
            };
            self.arguments.set(name, default);
        }
    }

    fn expand(&self, text: &Written) -> Result<Written, Skip> {
        self.arguments.expand(text, Syntax::Dockerfile { escape: self.escape })
    }

    fn is_stage(&self, name: &str) -> bool {
        self.stages.contains(&name.to_ascii_lowercase())
    }

    /// A stretch of the file, lines joined.
    fn written(&self, span: std::ops::Range<usize>) -> Written {
        joined(self.body.get(span.clone()).unwrap_or_default(), self.mark + span.start, self.escape)
    }
}

/// The `from` of a mount: `type=bind,from=image,target=/x`.
fn mounted_image(value: &Written) -> Option<Written> {
    let mut start = 0;
    for field in value.text().split(',') {
        if field.get(..5).is_some_and(|key| key.eq_ignore_ascii_case("from=")) {
            return Some(value.slice(start + 5..start + field.len()));
        }
        start += field.len() + 1;
    }
    None
}

/// The parser directives at the top of a file: `# name=value` lines, each with the place of its value.
fn directives(body: &str) -> impl Iterator<Item = (String, std::ops::Range<usize>)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let line = body.get(start..)?.split('\n').next()?;
        let (name, value) = line.trim_start().strip_prefix('#')?.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        if !matches!(name.as_str(), "syntax" | "escape" | "check") {
            return None;
        }
        let end = start + line.trim_end().len();
        let value = end.saturating_sub(value.trim().len())..end;
        start += line.len() + 1;
        Some((name, value))
    })
}

/// The image that reads the file. A first line for the shell may stand before it.
fn syntax(body: &str, mark: usize) -> Option<Written> {
    let shebang = if body.starts_with("#!") { body.find('\n').map_or(body.len(), |end| end + 1) } else { 0 };
    let (_, value) = directives(&body[shebang..]).find(|(name, _)| name == "syntax")?;
    Some(Written::verbatim(&body[shebang..][value.clone()], mark + shebang + value.start))
}

fn escape_of(body: &str) -> char {
    directives(body).find(|(name, value)| name == "escape" && &body[value.clone()] == "`").map_or('\\', |_| '`')
}
