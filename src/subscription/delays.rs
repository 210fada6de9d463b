//! Delays by how large a step of the version is: `{ patch: immediate, minor: weekly, major: monthly }`.

use super::delay::Delay;
use crate::document::{Field, Map, Mapping, Node, Problems, Value, fields_schema, nearest, read_fields};
use crate::domain::VersionStep;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// When a subscription's pull requests may be opened, by how large a step they take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Delays {
    /// For steps of the first number.
    pub major: Delay,
    /// For steps of the second number.
    pub minor: Delay,
    /// For steps of the third or a later number.
    pub patch: Delay,
}

impl Delays {
    /// The delay of a step.
    pub const fn for_step(&self, step: VersionStep) -> &Delay {
        match step {
            VersionStep::Major => &self.major,
            VersionStep::Minor => &self.minor,
            VersionStep::Patch => &self.patch,
        }
    }

    /// The same delay for every step.
    pub fn same(delay: Delay) -> Self {
        Self { major: delay.clone(), minor: delay.clone(), patch: delay }
    }

    /// The delay of every step, where they have one in common.
    pub fn in_common(&self) -> Option<&Delay> {
        (self.major == self.minor && self.minor == self.patch).then_some(&self.major)
    }

    /// Each delay with its step, the largest step first.
    pub fn by_step(&self) -> [(VersionStep, &Delay); 3] {
        [VersionStep::Major, VersionStep::Minor, VersionStep::Patch].map(|step| (step, self.for_step(step)))
    }

    /// The kind of delay of these steps: `weekly`, or `major monthly, minor weekly` where they differ.
    pub fn kind(&self, steps: &[VersionStep]) -> String {
        let meant = self.by_step().into_iter().filter(|(step, _)| steps.contains(step));
        self.worded(meant, Delay::kind)
    }

    fn worded<'d>(
        &'d self,
        meant: impl Iterator<Item = (VersionStep, &'d Delay)> + Clone,
        word: impl Fn(&Delay) -> String,
    ) -> String {
        let mut delays = meant.clone().map(|(_, delay)| delay);
        let first = delays.next().unwrap_or(&self.major);
        match delays.all(|delay| delay == first) {
            true => word(first),
            false => meant.map(|(step, delay)| format!("{step} {}", word(delay))).collect::<Vec<_>>().join(", "),
        }
    }
}

/// Delays in words: `every Monday at 06:00`, or `major on the 1st of the month at 06:00, minor …, patch at once`.
impl fmt::Display for Delays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.worded(self.by_step().into_iter(), Delay::to_string))
    }
}

/// How delays are stored: once where they have one in common, as files mostly do.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    InCommon(Delay),
    ByStep { major: Delay, minor: Delay, patch: Delay },
}

impl From<Stored> for Delays {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::InCommon(delay) => Self::same(delay),
            Stored::ByStep { major, minor, patch } => Self { major, minor, patch },
        }
    }
}

impl From<Delays> for Stored {
    fn from(delays: Delays) -> Self {
        match delays.in_common() {
            Some(delay) => Self::InCommon(delay.clone()),
            None => Self::ByStep { major: delays.major, minor: delays.minor, patch: delays.patch },
        }
    }
}

/// `delay` as written: steps that a mapping leaves out come from the file's default.
#[derive(Clone, Debug, Default)]
pub(super) struct WrittenDelays {
    major: Option<Delay>,
    minor: Option<Delay>,
    patch: Option<Delay>,
}

/// The mappings that may stand for a delay, in the words of its problems.
const TIMES: &str = "a mapping with `every`";
const TIMES_OR_STEPS: &str = "a mapping with `every`, or with `major`, `minor` and `patch`";

const FIELDS: [Field<WrittenDelays>; 3] = [
    step("major", "the delay for a new first number, such as 1.4.2 to 2.0.0", |delays, node, problems| {
        delays.major = Delay::read(node, TIMES, problems);
    }),
    step("minor", "the delay for a new second number, such as 1.4.2 to 1.5.0", |delays, node, problems| {
        delays.minor = Delay::read(node, TIMES, problems);
    }),
    step("patch", "the delay for a new third number, such as 1.4.2 to 1.4.3", |delays, node, problems| {
        delays.patch = Delay::read(node, TIMES, problems);
    }),
];

const fn step(
    name: &'static str,
    about: &'static str,
    read: fn(&mut WrittenDelays, &Node, &mut Problems),
) -> Field<WrittenDelays> {
    Field { name, about, required: false, schema: |generator| generator.subschema_for::<Delay>(), read }
}

const BY_STEP: &str = "times stand below a step: `minor: { every: week, on: monday }`";
/// The keys of times that come back, which are no steps.
const OF_TIMES: [(&str, &str); 3] = [("every", BY_STEP), ("on", BY_STEP), ("at", BY_STEP)];

impl WrittenDelays {
    pub(super) fn over(self, default: &Delays) -> Delays {
        Delays {
            major: self.major.unwrap_or_else(|| default.major.clone()),
            minor: self.minor.unwrap_or_else(|| default.minor.clone()),
            patch: self.patch.unwrap_or_else(|| default.patch.clone()),
        }
    }

    pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        if let Value::Map(map) = &node.value
            && is_by_step(map)
        {
            let mut delays = Self::default();
            let mapping = Mapping { what: "`delay` by step", fields: &FIELDS, elsewhere: &OF_TIMES };
            read_fields(&mut delays, map, node.at, &mapping, problems);
            return Some(delays);
        }
        let delay = Some(Delay::read(node, TIMES_OR_STEPS, problems)?);
        Some(Self { major: delay.clone(), minor: delay.clone(), patch: delay })
    }
}

/// Whether a mapping is one of steps rather than of times. Who misspelled all of its keys meant those they are like.
fn is_by_step(map: &Map) -> bool {
    let is_step = |name: &str| FIELDS.iter().any(|field| field.name == name);
    let is_of_times = |name: &str| OF_TIMES.iter().any(|(of_times, _)| *of_times == name);
    let all = || FIELDS.iter().map(|field| field.name).chain(OF_TIMES.iter().map(|(name, _)| *name));
    let mut names = map.entries.iter().map(|(key, _)| key.name.as_str());
    names.clone().any(is_step)
        || (!names.clone().any(is_of_times) && names.any(|name| nearest(name, all()).is_some_and(is_step)))
}

impl JsonSchema for Delays {
    fn schema_name() -> Cow<'static, str> {
        "Delays".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let same = generator.subschema_for::<Delay>();
        let mut by_step = fields_schema("a delay for each step of the version", &FIELDS, generator);
        by_step.insert("minProperties".into(), 1.into());
        json_schema!({ "anyOf": [same, by_step] })
    }
}
