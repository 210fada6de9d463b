//! Files that people write: YAML and TOML into values that know where they stand, tables of keys that read these values
//! and draw their JSON Schema, problems with line, column, what is wrong and what would be right, globs over names and paths,
//! and lists with an entry in each line.
//!
//! Pure: bytes in, values out. Which keys a file has is for the rooms to say that read one.

mod fields;
mod glob;
mod input;
mod node;
mod problem;
mod syntax;
pub mod toml;
pub mod yaml;

pub use fields::{
    Field, Mapping, fields_schema, one_or_many, one_or_many_schema, read_fields, text, truth, truth_schema,
};
pub use glob::{NameGlob, PathGlobs, paths_schema, read_paths};
pub use input::{Unreadable, list_lines, read_beginning, read_bounded};
pub use node::{Key, Limits, Map, Node, Value, whole_number};
pub use problem::{Problem, Problems, Spot, did_you_mean, nearest, one_of, quoted};
