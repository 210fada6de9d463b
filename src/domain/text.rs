//! Types that are stored and sent as the text they are read from.

/// Gives a type the conversions that serde wants of `#[serde(try_from = "String", into = "String")]`: it is read by its `parse`,
/// which fails with the error named, and written as it is displayed.
macro_rules! as_text {
    ($name:ident, $error:ty) => {
        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}

pub(crate) use as_text;
