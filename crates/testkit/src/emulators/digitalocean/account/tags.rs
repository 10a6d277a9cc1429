//! The tags that somebody made; what carries them is the world's to know.

use std::collections::BTreeMap;

use crate::emulators::digitalocean::problem::Problem;

/// The longest name of a tag.
const LONGEST: usize = 255;

/// The tags there are, by their names in small letters; the name as it was first written is theirs.
#[derive(Debug, Default)]
pub(crate) struct Tags(BTreeMap<String, String>);

impl Tags {
    /// The tag that is meant by `name`, made if there is none.
    ///
    /// # Errors
    /// There can be no such tag.
    pub(crate) fn use_or_make(&mut self, name: &str) -> Result<String, Problem> {
        let fits = |letter: u8| letter.is_ascii_alphanumeric() || b"_-:".contains(&letter);
        if name.is_empty() || name.len() > LONGEST || !name.bytes().all(fits) {
            let message =
                "tag names may only contain letters, numbers, colons, dashes, and underscores";
            return Err(Problem::unprocessable(format!("{message}: {name}")));
        }
        Ok(self.0.entry(name.to_lowercase()).or_insert_with(|| name.to_owned()).clone())
    }

    /// The names, as they were first written.
    pub(crate) fn names(&self) -> Vec<&String> {
        self.0.values().collect()
    }

    /// The tag of exactly this name.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn exact(&self, name: &str) -> Result<String, Problem> {
        let known = self.0.get(&name.to_lowercase()).filter(|known| *known == name);
        known.cloned().ok_or_else(Problem::not_found)
    }

    /// Removes a tag.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(&name.to_lowercase());
    }
}
