//! Lists in pages. What was not shown yet is kept under the token that asks for it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::action::Action;
use super::params::Params;
use super::problem::Problem;

/// The most entries of a page when nobody says how many.
const MOST: u32 = 1000;

/// What was not shown yet, by token.
#[derive(Debug, Default)]
pub(super) struct Pages {
    waiting: BTreeMap<String, (Action, Vec<Value>)>,
    issued: u64,
}

/// The page that is asked for.
#[derive(Clone, Debug)]
pub(super) struct Page {
    size: Option<u32>,
    token: Option<String>,
    /// Whether what is asked for is named, and so comes in one answer.
    named: bool,
}

impl Page {
    /// Takes `MaxResults` and `NextToken` from a request.
    ///
    /// # Errors
    /// A page of fewer than 5 or more than `most`.
    pub(super) fn take(params: &mut Params, most: u32) -> Result<Self, Problem> {
        let size = params.number("MaxResults")?;
        let token = params.text("NextToken")?.filter(|token| !token.is_empty());
        if let Some(size) = size.filter(|size| !(5..=most).contains(size)) {
            let message = format!(
                "Value ( {size} ) for parameter maxResults is invalid. Expecting a value between 5 and {most}."
            );
            return Err(Problem::new(400, "InvalidParameterValue", message));
        }
        Ok(Self { size, token, named: false })
    }

    /// The same of a request that may name what it asks for.
    pub(super) fn of_named(self, names: &[&[String]]) -> Self {
        Self { named: names.iter().any(|names| !names.is_empty()), ..self }
    }

    /// Whether a size is given.
    pub(super) fn is_sized(&self) -> bool {
        self.size.is_some()
    }
}

impl Pages {
    /// The entries of a page and the token of the next; `all` are those of the whole list.
    ///
    /// # Errors
    /// Nobody was given that token.
    pub(super) fn turn(
        &mut self,
        action: Action,
        page: &Page,
        all: Vec<Value>,
        begins_empty: bool,
    ) -> Result<(Vec<Value>, Option<String>), Problem> {
        let mut entries = match &page.token {
            None if begins_empty && !page.named && !all.is_empty() => {
                return Ok((Vec::new(), Some(self.keep(action, all))));
            }
            None => all,
            Some(token) => match self.waiting.get(token) {
                Some((of, waiting)) if *of == action => waiting.clone(),
                Some(_) | None => {
                    let message = "The specified pagination token is not valid or is expired.";
                    return Err(Problem::new(400, "InvalidPaginationToken", message));
                }
            },
        };
        let size = page.size.unwrap_or(MOST) as usize;
        let rest = entries.split_off(size.min(entries.len()));
        let next = (!rest.is_empty()).then(|| self.keep(action, rest));
        Ok((entries, next))
    }

    fn keep(&mut self, action: Action, rest: Vec<Value>) -> String {
        self.issued += 1;
        let token = format!("eyJ2IjoiMiIsImMiOiJ{:08x}==", self.issued);
        self.waiting.insert(token.clone(), (action, rest));
        token
    }
}
