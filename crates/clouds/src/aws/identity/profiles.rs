//! The files of profiles that AWS's tools share, `~/.aws/config` and `~/.aws/credentials`.
//!
//! ```text
//! [profile work]           in `config`; in `credentials` it is [work], and the default is [default] in both
//! sso_session = acme       keys are not case-sensitive
//! s3 =                     what is indented belongs to the key above, and does not matter here
//!     max_queue = 10
//! [sso-session acme]       only in `config`
//! ```
//! What `credentials` says of a profile counts more.

use std::collections::BTreeMap;

/// What one section says.
pub(super) type Section = BTreeMap<String, String>;

/// What both files say, by name.
#[derive(Default)]
pub(super) struct Profiles {
    profiles: BTreeMap<String, Section>,
    sessions: BTreeMap<String, Section>,
}

/// A line that is none of those a file may have; never says what is on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is {what}")]
pub(super) struct BadLine {
    line: usize,
    what: &'static str,
}

/// What the lines below a heading are about.
enum Heading {
    Profile(String),
    Session(String),
    /// A kind of section that says nothing of credentials.
    Other,
}

impl Profiles {
    /// Adds what `~/.aws/config` says.
    pub(super) fn add_config(&mut self, text: &str) -> Result<(), BadLine> {
        self.add(text, |words| match words {
            ["default"] => Heading::Profile("default".to_owned()),
            ["profile", name] => Heading::Profile((*name).to_owned()),
            ["sso-session", name] => Heading::Session((*name).to_owned()),
            _ => Heading::Other,
        })
    }

    /// Adds what `~/.aws/credentials` says.
    pub(super) fn add_credentials(&mut self, text: &str) -> Result<(), BadLine> {
        self.add(text, |words| match words {
            [name] => Heading::Profile((*name).to_owned()),
            _ => Heading::Other,
        })
    }

    pub(super) fn get(&self, name: &str) -> Option<&Section> {
        self.profiles.get(name)
    }

    pub(super) fn session(&self, name: &str) -> Option<&Section> {
        self.sessions.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    fn add(&mut self, text: &str, heading: impl Fn(&[&str]) -> Heading) -> Result<(), BadLine> {
        let mut at = None;
        for (number, line) in text.lines().enumerate() {
            let bad = |what| BadLine { line: number + 1, what };
            let is_indented = line.starts_with([' ', '\t']);
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) || (is_indented && at.is_some()) {
                continue;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let (inside, _) =
                    rest.split_once(']').ok_or_else(|| bad("a heading without `]`"))?;
                let words = words(inside);
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let under = heading(&words);
                match &under {
                    Heading::Profile(name) => drop(self.profiles.entry(name.clone()).or_default()),
                    Heading::Session(name) => drop(self.sessions.entry(name.clone()).or_default()),
                    Heading::Other => {}
                }
                at = Some(under);
                continue;
            }
            let (key, value) =
                line.split_once('=').ok_or_else(|| bad("neither a heading nor `key = value`"))?;
            let section = match &at {
                None => return Err(bad("above the first heading")),
                Some(Heading::Other) => continue,
                Some(Heading::Profile(name)) => self.profiles.entry(name.clone()).or_default(),
                Some(Heading::Session(name)) => self.sessions.entry(name.clone()).or_default(),
            };
            section.insert(key.trim().to_ascii_lowercase(), without_comment(value).to_owned());
        }
        Ok(())
    }
}

/// The words of a heading; one in quotes may have spaces.
fn words(heading: &str) -> Vec<String> {
    let heading = heading.trim();
    match heading.split_once(char::is_whitespace) {
        Some((kind, name)) => {
            vec![kind.to_owned(), name.trim().trim_matches(['"', '\'']).to_owned()]
        }
        None => vec![heading.trim_matches(['"', '\'']).to_owned()],
    }
}

/// A comment behind a value begins after white space.
fn without_comment(value: &str) -> &str {
    let comment = value
        .match_indices(['#', ';'])
        .map(|(at, _)| at)
        .find(|at| value[..*at].chars().next_back().is_some_and(char::is_whitespace));
    value[..comment.unwrap_or(value.len())].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_are_one_set_of_profiles_and_credentials_count_more() {
        let mut all = Profiles::default();
        all.add_config(
            "# mine\n[default]\nregion=eu-west-1 ; near\n\n[profile work]\nAWS_Access_Key_Id = OLD\n\
             s3 =\n  max_queue = 10\nsso_session = a b\n[ profile \"two words\" ]\nregion = x#y\n\
             [sso-session acme]\nsso_region = eu-west-1\n[services local]\nec2 =\n  endpoint_url = x\n\
             [work]\nregion = ignored\n",
        )
        .unwrap();
        all.add_credentials("[work]\naws_access_key_id = NEW=\n[default]\n").unwrap();
        assert_eq!(all.names().collect::<Vec<_>>(), ["default", "two words", "work"]);
        let says = |name: &str, key: &str| all.get(name).unwrap().get(key).cloned();
        assert_eq!(says("default", "region").as_deref(), Some("eu-west-1"));
        assert_eq!(says("work", "aws_access_key_id").as_deref(), Some("NEW="));
        assert_eq!(says("work", "sso_session").as_deref(), Some("a b"));
        assert_eq!(says("work", "max_queue"), None);
        assert_eq!(says("work", "region"), None, "`config` has profiles with their word only");
        assert_eq!(says("two words", "region").as_deref(), Some("x#y"));
        assert_eq!(all.session("acme").unwrap()["sso_region"], "eu-west-1");
    }

    #[test]
    fn a_bad_line_is_told_by_its_number_and_not_shown() {
        let told = |text| Profiles::default().add_config(text).unwrap_err().to_string();
        assert_eq!(told("[default\n"), "line 1 is a heading without `]`");
        assert_eq!(told("\nkey = s3cr3t\n"), "line 2 is above the first heading");
        assert_eq!(told("[default]\ns3cr3t"), "line 2 is neither a heading nor `key = value`");
    }
}
