//! What was done for requests that carry a token, so that it is not done again.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::emulators::aws::action::Action;
use crate::emulators::aws::problem::Problem;
use crate::world::Seen;

/// The longest token.
const LONGEST: usize = 64;

/// What was done, for good.
#[derive(Debug, Default)]
pub(crate) struct Tokens(BTreeMap<TokenKey, Remembered>);

/// Where a token counts: the same in another zone, if one is asked for, is another token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TokenKey {
    pub(crate) region: &'static str,
    pub(crate) zone: Option<String>,
    pub(crate) action: Action,
    pub(crate) token: String,
}

/// What was done for a token.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    /// The parameters that came with it, but for what does not count.
    pub(crate) params: BTreeMap<String, String>,
    /// The instances as they were at first.
    pub(crate) instances: Vec<Seen>,
    /// The answer, if it does not change.
    pub(crate) answer: Value,
}

impl Tokens {
    /// What was done for a token with these parameters.
    ///
    /// # Errors
    /// It came with others, or is too long.
    pub(crate) fn recall(
        &self,
        key: &TokenKey,
        params: &BTreeMap<String, String>,
    ) -> Result<Option<Remembered>, Problem> {
        if key.token.len() > LONGEST || !key.token.is_ascii() {
            let message = format!("at most {LONGEST} ASCII characters are allowed");
            return Err(Problem::invalid("ClientToken", &message));
        }
        match self.0.get(key) {
            Some(known) if known.params == *params => Ok(Some(known.clone())),
            Some(_) => {
                let message = "Arguments on this idempotent request are inconsistent with arguments \
                               used in previous request(s).";
                Err(Problem::new(400, "IdempotentParameterMismatch", message))
            }
            None => Ok(None),
        }
    }

    /// Remembers what was done.
    pub(crate) fn remember(&mut self, key: TokenKey, done: Remembered) {
        self.0.insert(key, done);
    }
}
