//! Reads what `scripts/contract-data` prepared: the index of path templates, one file per operation, and the webhook
//! payloads. Knows nothing of exchanges.

use jsonschema::{Draft, Validator};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

fn read<T: DeserializeOwned>(file: &str) -> T {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/contract-data").join(file);
    let text = std::fs::read(&path).unwrap_or_else(|error| {
        panic!("GitHub's API description is not there: run `make contract-data` once ({}: {error})", path.display())
    });
    serde_json::from_slice(&text).unwrap_or_else(|error| {
        panic!("{} cannot be read: remove its folder and run `make contract-data` ({error})", path.display())
    })
}

/// Compiles a prepared schema, formats included.
pub fn compile(schema: &Value) -> Validator {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        // `int64`, `binary`, `repo.nwo`: notes for code generators.
        .should_ignore_unknown_formats(true)
        .build(schema)
        .unwrap_or_else(|error| panic!("a prepared schema is not a JSON Schema: {error}"))
}

/// A path of the description: `/repos/{owner}/{repo}/pulls`.
#[derive(Deserialize)]
struct Template {
    path: String,
    /// Parameters that may span segments: `{ref}` stands for `heads/main` too.
    many: Vec<String>,
    /// The operation's file, by method.
    methods: BTreeMap<String, String>,
}

/// Every path template.
pub struct Index(Vec<Template>);

/// The operation of a request, and its path parameters, decoded.
pub struct Found {
    pub file: String,
    pub parameters: Vec<(String, String)>,
}

impl Index {
    pub fn load() -> Self {
        Self(read("index.json"))
    }

    /// The documented operation of a request. Where several templates fit, the one with most literal segments wins,
    /// then the one whose literals come first: `/pulls/comments` before `/pulls/{pull_number}`.
    pub fn find(&self, method: &str, path: &str) -> Result<Found, String> {
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let fitting: Vec<(&Template, Vec<(String, String)>)> = self
            .0
            .iter()
            .filter_map(|template| Some((template, fit(&template.pattern(), &template.many, &segments)?)))
            .collect();
        if fitting.is_empty() {
            return Err(format!("{method} {path}: no documented path has this form"));
        }
        let paths: Vec<&str> = fitting.iter().map(|(template, _)| template.path.as_str()).collect();
        let paths = paths.join(", ");
        fitting
            .into_iter()
            .filter_map(|(template, parameters)| {
                let file = template.methods.get(method)?.clone();
                Some((template.vagueness(), Found { file, parameters }))
            })
            .min_by(|(one, _), (other, _)| one.cmp(other))
            .map(|(_, found)| found)
            .ok_or_else(|| format!("{method} {path}: the method is not documented for {paths}"))
    }
}

impl Template {
    fn pattern(&self) -> Vec<&str> {
        self.path.trim_start_matches('/').split('/').collect()
    }

    /// Smaller is more specific.
    fn vagueness(&self) -> (isize, Vec<u8>) {
        let kinds: Vec<u8> = self
            .pattern()
            .iter()
            .map(|segment| parameter_name(segment).map_or(0, |name| 1 + u8::from(self.many.iter().any(|m| m == name))))
            .collect();
        let literals = kinds.iter().filter(|kind| **kind == 0).count();
        (-isize::try_from(literals).unwrap_or(isize::MAX), kinds)
    }
}

fn parameter_name(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn fit(pattern: &[&str], many: &[String], segments: &[&str]) -> Option<Vec<(String, String)>> {
    let Some((first, pattern)) = pattern.split_first() else {
        return segments.is_empty().then(Vec::new);
    };
    let Some(name) = parameter_name(first) else {
        let (segment, segments) = segments.split_first()?;
        return if segment == first { fit(pattern, many, segments) } else { None };
    };
    let spans = many.iter().any(|each| each == name);
    let longest = if spans { segments.len() } else { 1 };
    (1..=longest.min(segments.len())).find_map(|taken| {
        let value = segments[..taken].iter().map(|each| decoded(each)).collect::<Option<Vec<_>>>()?.join("/");
        let mut rest = fit(pattern, many, &segments[taken..])?;
        // `contents/` lists the root: only what may span segments may be empty.
        if value.is_empty() && !spans {
            return None;
        }
        rest.push((name.to_owned(), value));
        Some(rest)
    })
}

/// A path segment without its percent-encoding; `None` if that is broken.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let pair = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The pairs of a URL's query, decoded. What is not UTF-8 underneath stays as it was sent.
pub fn query_pairs(query: &str) -> Vec<(String, String)> {
    let plain = |text: &str| {
        let spaced = text.replace('+', " ");
        decoded(&spaced).unwrap_or(spaced)
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}

/// One operation of the description.
#[derive(Deserialize)]
pub struct Operation {
    /// GitHub's name of it: `pulls/create`.
    #[serde(rename = "operation")]
    pub name: String,
    pub parameters: Vec<Parameter>,
    pub request: Option<Request>,
    pub responses: BTreeMap<String, Body>,
    pub definitions: Map<String, Value>,
}

impl Operation {
    pub fn load(file: &str) -> Self {
        read(file)
    }

    pub fn parameter(&self, place: &str, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|each| each.place == place && each.name == name)
    }
}

/// A parameter of the path or of the query.
#[derive(Deserialize)]
pub struct Parameter {
    pub name: String,
    #[serde(rename = "in")]
    pub place: String,
    pub required: bool,
    schema: Value,
}

impl Parameter {
    /// Whether the text is one of the schema's values. A URL has no types, so each reading of the text may fit.
    pub fn accepts(&self, text: &str) -> bool {
        let validator = compile(&self.schema);
        let words: Vec<&str> = text.split(',').collect();
        let mut readings = vec![json!(text), json!(words)];
        readings.extend(text.parse::<i64>().map(|number| json!(number)));
        readings.extend(text.parse::<bool>().map(|truth| json!(truth)));
        readings.extend(words.iter().map(|word| word.parse::<i64>()).collect::<Result<Vec<_>, _>>().map(Value::from));
        readings.iter().any(|reading| validator.is_valid(reading))
    }

    pub fn is_list(&self) -> bool {
        self.schema.to_string().contains(r#""array""#)
    }

    /// The schema as people would say it.
    pub fn expected(&self) -> String {
        let word = |keyword: &str| self.schema.get(keyword);
        match (word("enum"), word("type"), word("maximum")) {
            (Some(options), ..) => format!("one of {options}"),
            (None, Some(Value::String(name)), Some(most)) => format!("{name}, at most {most}"),
            (None, Some(Value::String(name)), None) => name.clone(),
            _ => self.schema.to_string(),
        }
    }
}

/// The body of a request.
#[derive(Deserialize)]
pub struct Request {
    pub required: bool,
    #[serde(flatten)]
    pub body: Body,
}

/// A body of one status, or of a request.
#[derive(Deserialize)]
pub struct Body {
    /// The media types documented; none means no body.
    pub types: Vec<String>,
    /// The schema of the JSON form.
    schema: Option<Value>,
    /// The same, but refusing properties that it does not describe. Answers only.
    closed: Option<Value>,
    /// GitHub's own examples.
    pub examples: Vec<Value>,
    #[serde(skip)]
    validator: OnceLock<Option<Validator>>,
    #[serde(skip)]
    closed_validator: OnceLock<Option<Validator>>,
}

impl Body {
    /// The compiled schema, if the body has one.
    pub fn validator(&self, definitions: &Map<String, Value>) -> Option<&Validator> {
        self.validator.get_or_init(|| with_definitions(self.schema.as_ref(), definitions)).as_ref()
    }

    /// The compiled schema that refuses properties it does not describe, if the body has one.
    pub fn closed_validator(&self, definitions: &Map<String, Value>) -> Option<&Validator> {
        self.closed_validator.get_or_init(|| with_definitions(self.closed.as_ref(), definitions)).as_ref()
    }
}

fn with_definitions(schema: Option<&Value>, definitions: &Map<String, Value>) -> Option<Validator> {
    let mut schema = schema?.clone();
    schema.as_object_mut()?.insert("$defs".to_owned(), Value::Object(definitions.clone()));
    Some(compile(&schema))
}

#[derive(Deserialize)]
struct Webhook {
    event: String,
    action: Option<String>,
    file: String,
}

/// The schema of a webhook's payload.
pub fn webhook_schema(event: &str, action: Option<&str>) -> Option<Value> {
    let all: Vec<Webhook> = read("webhooks.json");
    all.into_iter().find(|each| each.event == event && each.action.as_deref() == action).map(|each| read(&each.file))
}

/// A payload that GitHub really sent.
#[derive(Clone, Debug, Deserialize)]
pub struct WebhookExample {
    /// The value of `X-GitHub-Event`.
    pub event: String,
    /// Its place among the examples of the event, from 0.
    pub index: usize,
    /// The body.
    pub payload: Value,
}

/// Every example of npm's `@octokit/webhooks-examples`.
///
/// Panics with the command to run when they were not fetched.
pub fn webhook_examples() -> Vec<WebhookExample> {
    read("examples.json")
}
