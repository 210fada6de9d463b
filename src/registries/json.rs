//! Reading JSON that somebody else wrote: bounded in number, lenient in entries, strict in outline.

use super::error::RegistryError;
use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

/// Documents above this size are read off the threads that serve everyone else.
const LARGE_BYTES: usize = 256 * 1024;

/// The beginning of the year 2000, in seconds since the Unix epoch.
const FIRST_REGISTRIES: i64 = 946_684_800;

/// The value of a document. `registry` is for the error.
///
/// Errors: [`RegistryError::Protocol`] if the text is no JSON or its outline is another one.
pub(super) async fn parse<T: DeserializeOwned + Send + 'static>(
    bytes: Vec<u8>,
    registry: &str,
) -> Result<T, RegistryError> {
    let parsed = aside(bytes, registry, |bytes| serde_json::from_slice(bytes)).await?;
    parsed.map_err(|error| protocol(registry, &error.to_string()))
}

/// The objects of a document with one on each line: at most `MOST`, without those of another type.
///
/// Errors: [`RegistryError::Protocol`] if there are more lines.
pub(super) async fn lines<T: DeserializeOwned + Send + 'static, const MOST: usize>(
    bytes: Vec<u8>,
    registry: &str,
) -> Result<Entries<T, MOST>, RegistryError> {
    let read = |bytes: &[u8]| {
        let mut entries = Entries::default();
        let filled = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        for line in filled {
            match serde_json::from_slice(line) {
                Ok(Object::Good(value)) => entries.understood.push(value),
                Ok(Object::Other) | Err(_) => entries.skipped += 1,
            }
            if entries.understood.len() + entries.skipped > MOST {
                return None;
            }
        }
        Some(entries)
    };
    let too_many = || protocol(registry, &format!("more than {MOST} lines"));
    aside(bytes, registry, read).await?.ok_or_else(too_many)
}

/// What `read` makes of a document; of a large one on another thread.
async fn aside<T: Send + 'static>(
    bytes: Vec<u8>,
    registry: &str,
    read: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Result<T, RegistryError> {
    if bytes.len() <= LARGE_BYTES {
        return Ok(read(&bytes));
    }
    let reading = tokio::task::spawn_blocking(move || read(&bytes));
    reading.await.map_err(|_| protocol(registry, "it could not be read"))
}

/// The error for an answer that breaks the protocol. `why` may quote the answer: it is made a short line.
pub(super) fn protocol(registry: &str, why: &str) -> RegistryError {
    RegistryError::Protocol { registry: registry.to_owned(), why: ascii_line(why) }
}

/// At most 200 characters of a text in ASCII: what a registry says is in English, and a name in other letters may be made to
/// look like another.
pub(super) fn ascii_line(text: &str) -> String {
    let plain = |c: char| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' };
    text.chars().take(200).map(plain).collect()
}

/// A list of at most `MOST` entries, without those of another type.
#[derive(Debug)]
pub(super) struct Entries<T, const MOST: usize> {
    pub(super) understood: Vec<T>,
    pub(super) skipped: usize,
}

impl<T, const MOST: usize> Default for Entries<T, MOST> {
    fn default() -> Self {
        Self { understood: Vec::new(), skipped: 0 }
    }
}

impl<T, const MOST: usize> Entries<T, MOST> {
    /// The entries that were understood.
    ///
    /// Errors: [`RegistryError::Protocol`] if there are entries and not one of them was: then this is not the protocol
    /// we know, and "no releases" would be a lie.
    pub(super) fn some_of(self, registry: &str) -> Result<Vec<T>, RegistryError> {
        if self.understood.is_empty() && self.skipped > 0 {
            return Err(protocol(registry, &format!("none of its {} entries has the expected fields", self.skipped)));
        }
        Ok(self.understood)
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Entries<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T, const MOST: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Reader<T, MOST> {
            type Value = Entries<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST} entries")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Entries::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut entries = Entries::default();
                while let Some(entry) = list.next_element::<Lenient<T>>()? {
                    match entry {
                        Lenient::Good(entry) => entries.understood.push(entry),
                        Lenient::Other(_) => entries.skipped += 1,
                    }
                    if entries.understood.len() + entries.skipped > MOST {
                        return Err(serde::de::Error::custom(format_args!("a list of more than {MOST} entries")));
                    }
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Lenient<T> {
    Good(T),
    Other(IgnoredAny),
}

/// An object's entries in their order, at most `MOST`, a name that comes twice included.
#[derive(Debug)]
pub(super) struct Table<T, const MOST: usize> {
    pub(super) entries: Vec<(String, T)>,
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Table<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T, const MOST: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Reader<T, MOST> {
            type Value = Table<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an object of at most {MOST} entries")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    if entries.len() == MOST {
                        return Err(serde::de::Error::custom(format_args!("an object of more than {MOST} entries")));
                    }
                    entries.push(entry);
                }
                Ok(Table { entries })
            }
        }

        deserializer.deserialize_map(Reader(PhantomData))
    }
}

/// An object, or something else that is passed over. Unlike [`Lenient`] it keeps nothing of what it passes over, so that
/// it may be large.
#[derive(Debug, Default)]
pub(super) enum Object<T> {
    Good(T),
    #[default]
    Other,
}

impl<T> Object<T> {
    pub(super) fn good(self) -> Option<T> {
        match self {
            Self::Good(value) => Some(value),
            Self::Other => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object::Good)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                IgnoredAny.visit_seq(list).map(|_| Object::Other)
            }

            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Object::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Object::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Object::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Object::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Object::Other)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Object::Other)
            }
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}

/// For a field whose wrong type is as good as its absence.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(match Lenient::deserialize(from)? {
        Lenient::Good(value) => value,
        Lenient::Other(_) => T::default(),
    })
}

/// For a warning sign: everything but `false` and `null` raises it, a text with the reason above all.
pub(super) fn raised<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Sign {
        Flag(Option<bool>),
        Other(IgnoredAny),
    }
    Ok(match Sign::deserialize(from)? {
        Sign::Flag(flag) => flag.unwrap_or(false),
        Sign::Other(_) => true,
    })
}

/// A point in time as registries write it (RFC 3339); `None` for anything else, and for a time before there were
/// registries: zero times stand for unknown ones, and must not make a release look old.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|time: &Timestamp| time.as_second() >= FIRST_REGISTRIES)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Numbers = Entries<u32, 3>;

    #[test]
    fn entries_of_another_type_are_skipped_and_too_many_are_an_error() {
        let read: Numbers = serde_json::from_str(r#"[1, "two", {"three": []}]"#).unwrap();
        assert_eq!((read.understood.as_slice(), read.skipped), ([1].as_slice(), 2));
        assert!(serde_json::from_str::<Numbers>("null").unwrap().understood.is_empty());
        let too_many = serde_json::from_str::<Numbers>("[1, 2, 3, 4]").unwrap_err().to_string();
        assert!(too_many.contains("more than 3 entries"), "{too_many}");
        assert!(serde_json::from_str::<Numbers>("\"text\"").is_err());
        assert!(serde_json::from_str::<Numbers>(r#"["a"]"#).unwrap().some_of("example.com").is_err());
    }

    #[test]
    fn a_sign_is_raised_by_anything_but_false_and_null() {
        #[derive(Deserialize)]
        struct File {
            #[serde(default, deserialize_with = "raised")]
            yanked: bool,
        }
        for (text, sign) in [
            ("{}", false),
            (r#"{"yanked": false}"#, false),
            (r#"{"yanked": null}"#, false),
            (r#"{"yanked": true}"#, true),
            (r#"{"yanked": ""}"#, true),
            (r#"{"yanked": "broken"}"#, true),
            (r#"{"yanked": 0}"#, true),
        ] {
            assert_eq!(serde_json::from_str::<File>(text).unwrap().yanked, sign, "{text}");
        }
    }

    #[test]
    fn quoted_text_is_a_short_line_in_ascii() {
        assert_eq!(ascii_line("a\u{202e}b\n"), "a?b?");
        assert_eq!(ascii_line(&"é".repeat(500)).len(), 200);
    }
}
