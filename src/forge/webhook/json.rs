//! Reading JSON from strangers: strict about the text, lenient about what is in it.

use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeOwned};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// Why a delivery's body cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The body is no JSON document that has one meaning.
    #[error("the payload is not valid JSON: {0}")]
    NotJson(String),
    /// The event cannot be understood without this field.
    #[error("the `{event}` payload lacks a usable `{field}`")]
    Field {
        /// The event, by the name in `X-GitHub-Event`.
        event: String,
        /// The field's path: `pull_request.head.sha`.
        field: &'static str,
    },
}

/// A body that is UTF-8, one JSON document, at most 128 levels deep, and names no key of an object twice.
///
/// Readers disagree on which of two equal keys counts, so a payload with two has no meaning. serde_json bounds the depth.
#[derive(Clone, Copy)]
pub(super) struct Document<'a>(&'a str);

impl<'a> Document<'a> {
    pub(super) fn new(body: &'a [u8]) -> Result<Self, PayloadError> {
        let text = std::str::from_utf8(body).map_err(|error| PayloadError::NotJson(error.to_string()))?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let outcome = Strict.deserialize(&mut reader).and_then(|()| reader.end());
        outcome.map_err(|error| PayloadError::NotJson(super::super::answer::readable(&error.to_string())))?;
        Ok(Self(text))
    }

    /// The document as a small model; what does not fit it is left out.
    pub(super) fn read<T: DeserializeOwned + Default>(self) -> Result<T, PayloadError> {
        let model: Obj<T> = serde_json::from_str(self.0).map_err(|error| PayloadError::NotJson(error.to_string()))?;
        Ok(model.0.unwrap_or_default())
    }
}

/// Walks through a value and keeps nothing of it.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Strict)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(Key(key)) = entries.next_key()? {
            entries.next_value_seed(Strict)?;
            if let Some(key) = keys.replace(key) {
                return Err(A::Error::custom(format!("the key `{key}` is given twice")));
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// A string, if there is one.
#[derive(Clone, Debug, Default)]
pub(super) struct Text(pub(super) Option<String>);
/// An integer, if there is one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Int(pub(super) Option<i64>);
/// A boolean, if there is one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flag(pub(super) Option<bool>);
/// A moment, if there is one: the text that GitHub's API writes, or the seconds since 1970 that are in pushes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moment(pub(super) Option<Timestamp>);
/// An object, if there is one.
#[derive(Clone, Debug)]
pub(super) struct Obj<T>(pub(super) Option<T>);
/// A list, if there is one.
#[derive(Clone, Debug)]
pub(super) struct List<T>(pub(super) Option<Vec<T>>);

impl<T> Default for Obj<T> {
    fn default() -> Self {
        Self(None)
    }
}
impl<T> Default for List<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// A visitor that takes the named kind of value and passes over every other one.
macro_rules! lenient {
    ($target:ident $(<$param:ident>)? { $($accept:tt)* } skip { $($skipped:ident),* }) => {
        impl<'de $(, $param: Deserialize<'de>)?> Deserialize<'de> for $target $(<$param>)? {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Lenient $(<$param>(std::marker::PhantomData<$param>))?;
                impl<'de $(, $param: Deserialize<'de>)?> Visitor<'de> for Lenient $(<$param>)? {
                    type Value = $target $(<$param>)?;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("JSON")
                    }
                    fn visit_unit<E>(self) -> Result<Self::Value, E> {
                        Ok($target(None))
                    }
                    $($accept)*
                    $(lenient!(@skip $target $skipped);)*
                }
                deserializer.deserialize_any(lenient!(@new $($param)?))
            }
        }
    };
    (@new) => { Lenient };
    (@new $param:ident) => { Lenient(std::marker::PhantomData) };
    (@skip $target:ident text) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> { Ok($target(None)) }
    };
    (@skip $target:ident int) => {
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> { Ok($target(None)) }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> { Ok($target(None)) }
    };
    (@skip $target:ident float) => {
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> { Ok($target(None)) }
    };
    (@skip $target:ident flag) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> { Ok($target(None)) }
    };
    (@skip $target:ident map) => {
        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($target(None))
        }
    };
    (@skip $target:ident seq) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok($target(None))
        }
    };
}

lenient!(Text {
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Some(text.into())))
    }
} skip { int, float, flag, map, seq });

lenient!(Int {
    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Int(Some(number)))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Int(i64::try_from(number).ok()))
    }
} skip { text, float, flag, map, seq });

lenient!(Moment {
    fn visit_i64<E>(self, seconds: i64) -> Result<Self::Value, E> {
        Ok(Moment(Timestamp::from_second(seconds).ok()))
    }
    fn visit_u64<E>(self, seconds: u64) -> Result<Self::Value, E> {
        Ok(Moment(i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok())))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Moment(text.parse().ok()))
    }
} skip { float, flag, map, seq });

lenient!(Flag {
    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Flag(Some(flag)))
    }
} skip { text, int, float, map, seq });

lenient!(Obj<T> {
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(|object| Obj(Some(object)))
    }
} skip { text, int, float, flag, seq });

lenient!(List<T> {
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(List(Some(list)))
    }
} skip { text, int, float, flag, map });
