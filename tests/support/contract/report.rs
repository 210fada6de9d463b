//! Words for what a validator found: where, what was expected, what was there, cut short.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

/// Everything wrong with the value, each with its JSON pointer.
pub fn violations(validator: &Validator, value: &Value, place: &str) -> Vec<String> {
    let mut said: Vec<String> = validator.iter_errors(value).map(|error| describe(&error, place)).collect();
    said.dedup();
    said
}

/// The properties the schema does not describe, and nothing else that may be wrong with the value.
pub fn unknown_properties(validator: &Validator, value: &Value, place: &str) -> Vec<String> {
    let mut said = violations(validator, value, place);
    said.retain(|each| each.contains(NOT_DOCUMENTED));
    said
}

const NOT_DOCUMENTED: &str = ": not documented: `";

fn describe(error: &ValidationError<'_>, place: &str) -> String {
    if let ValidationErrorKind::AnyOf { context } = error.kind()
        && let Some(nearest) = nearest_branch(context, error)
    {
        return describe(nearest, place);
    }
    let pointer = error.instance_path().as_str();
    let pointer = if pointer.is_empty() { "/" } else { pointer };
    let expected = match error.kind() {
        ValidationErrorKind::UnevaluatedProperties { unexpected }
        | ValidationErrorKind::AdditionalProperties { unexpected } => {
            return format!("{place} at {pointer}{NOT_DOCUMENTED}{}`", unexpected.join("`, `"));
        }
        ValidationErrorKind::Required { property } => {
            return format!("{place} at {pointer}: required, missing: {property}");
        }
        ValidationErrorKind::AnyOf { context } => format!("fits none of the {} documented forms", context.len()),
        _ => error.masked_with("the value").to_string(),
    };
    format!("{place} at {pointer}: {}; got {}", cut_at(&expected, 200), short(&error.instance().to_string()))
}

/// The error that says most when no alternative fits: the alternatives that are of another type altogether (`null`
/// where an object came) are left aside, and if one remains, its deepest error speaks.
fn nearest_branch<'a>(
    context: &'a [Vec<ValidationError<'static>>],
    error: &ValidationError<'_>,
) -> Option<&'a ValidationError<'static>> {
    let here = error.instance_path();
    let mut related = context.iter().filter(|branch| {
        !branch
            .iter()
            .any(|each| matches!(each.kind(), ValidationErrorKind::Type { .. }) && each.instance_path() == here)
    });
    let only = related.next()?;
    if related.next().is_some() {
        return None;
    }
    only.iter().max_by_key(|each| each.instance_path().as_str().matches('/').count())
}

/// A value's text, short enough for a line.
pub fn short(text: &str) -> String {
    cut_at(text, 60)
}

/// A violation, short enough to read in a list.
pub fn cut(text: &str) -> String {
    cut_at(text, 360)
}

fn cut_at(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
