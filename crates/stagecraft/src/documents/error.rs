use schemars::JsonSchema;
use serde::Serialize;
use stagecraft_core::error::Failure;

use super::{Document, Kind};

/// Why a command could not do its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ErrorDocument {
    /// Everything that is wrong; never empty.
    pub(crate) errors: Vec<ErrorItem>,
    /// How the process exits.
    pub(crate) exit_code: u8,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ErrorItem {
    /// What and why.
    #[serde(flatten)]
    pub(crate) failure: Failure,
    /// The configuration file as it was named, when this is about a place in it.
    pub(crate) file: Option<String>,
    /// Line, from 1.
    pub(crate) line: Option<usize>,
    /// Column in characters, from 1.
    pub(crate) column: Option<usize>,
    /// What was kept or done all the same.
    pub(crate) notes: Vec<String>,
}

impl Document for ErrorDocument {
    const KIND: Kind = Kind::Error;
}
