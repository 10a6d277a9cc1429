//! Where credentials are to be had, by the environment and the profiles. Asks nobody.
//!
//! ```text
//! a profile of the file, and nothing else
//! or: keys of the environment -> a profile -> web identity -> the container -> the machine
//!
//! a profile: a role, of another profile, a named place, or a web identity
//!            or single sign-on, or keys, or a program
//! ```
//! The first that is there decides: what is wrong with it is told, and no other is tried.

mod profile;

use std::path::PathBuf;

use aws_credential_types::Credentials;

use super::environment::{self as names, AwsEnvironment};
use super::profiles::Profiles;
use profile::{leads_somewhere, of_profile};

/// Where tasks of ECS find their credentials.
const CONTAINERS: &str = "http://169.254.170.2";
/// Where instances of EC2 find theirs.
const METADATA: &str = "http://169.254.169.254";
/// What AWS shows of a session where nobody gave it a name.
const SESSION: &str = "stagecraft";
const DEFAULT: &str = "default";

/// Where credentials come from: a base, and the roles that are taken on with them, one after another.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) base: Base,
    pub(super) roles: Vec<Role>,
    /// Who said so, e.g. "the profile `work`".
    pub(super) by: String,
}

#[derive(Debug)]
pub(super) enum Base {
    Keys(Credentials),
    /// A token of another identity provider, of which AWS makes a role.
    WebIdentity {
        token_file: PathBuf,
        role: Role,
    },
    SignOn(SignOn),
    /// A program that prints credentials.
    Process(String),
    Container {
        url: String,
        /// What its `Authorization` has to say.
        pass: Option<Pass>,
    },
    /// The role of the machine.
    Machine {
        url: String,
    },
}

/// A role that is taken on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) session_name: String,
    pub(super) external_id: Option<String>,
    pub(super) duration_seconds: Option<String>,
}

/// A role in an account, by single sign-on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignOn {
    pub(super) profile: String,
    /// By what its token is kept: the name of its session, or the address it starts at.
    pub(super) kept_as: String,
    pub(super) region: String,
    pub(super) account_id: String,
    pub(super) role_name: String,
}

/// What a container shows to get credentials.
#[derive(Clone)]
pub(super) enum Pass {
    Text(String),
    /// Read anew each time: it changes.
    File(PathBuf),
}

impl std::fmt::Debug for Pass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pass")
    }
}

/// Why there are none, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) why: String,
    pub(super) hint: String,
}

impl Trouble {
    pub(super) fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { why: why.into(), hint: hint.into() }
    }
}

/// Where credentials come from. `wanted` is the profile of the file.
pub(super) fn choose(
    environment: &AwsEnvironment,
    profiles: &Profiles,
    wanted: Option<&str>,
) -> Result<Source, Trouble> {
    if let Some(name) = wanted {
        return of_profile(environment, profiles, name);
    }
    if let Some(base) = own_keys(environment)? {
        return Ok(Source { base, roles: Vec::new(), by: "the environment".to_owned() });
    }
    if let Some(name) = environment.get(names::PROFILE) {
        return of_profile(environment, profiles, name);
    }
    if profiles.get(DEFAULT).is_some_and(leads_somewhere) {
        return of_profile(environment, profiles, DEFAULT);
    }
    let source = |base, by: &str| Ok(Source { base, roles: Vec::new(), by: by.to_owned() });
    if let (Some(file), Some(arn)) =
        (environment.get(names::TOKEN_FILE), environment.get(names::ROLE_ARN))
    {
        let session_name = environment.get(names::SESSION_NAME).unwrap_or(SESSION);
        let role = Role {
            arn: arn.to_owned(),
            session_name: session_name.to_owned(),
            external_id: None,
            duration_seconds: None,
        };
        let base = Base::WebIdentity { token_file: environment.expand(file), role };
        return source(base, "the web identity of the environment");
    }
    if let Some(base) = container(environment) {
        return source(base, "the container");
    }
    source(machine(environment)?, "the machine")
}

fn own_keys(environment: &AwsEnvironment) -> Result<Option<Base>, Trouble> {
    let of = |name| environment.get(name);
    match (of(names::KEY_ID), of(names::KEY)) {
        (None, None) => Ok(None),
        (Some(id), Some(key)) => Ok(Some(Base::Keys(keys(id, key, of(names::SESSION_TOKEN))))),
        (id, _) => {
            let (there, missing) = if id.is_some() {
                (names::KEY_ID, names::KEY)
            } else {
                (names::KEY, names::KEY_ID)
            };
            let why = format!("the environment has `{there}` and no `{missing}`");
            Err(Trouble::new(why, format!("set `{missing}` too, or unset `{there}`")))
        }
    }
}

fn keys(id: &str, key: &str, session: Option<&str>) -> Credentials {
    Credentials::new(id, key, session.map(str::to_owned), None, "stagecraft")
}

fn container(environment: &AwsEnvironment) -> Option<Base> {
    let path = environment.get(names::CONTAINER_PATH).map(|path| format!("{CONTAINERS}{path}"));
    let url = path.or_else(|| environment.get(names::CONTAINER_URL).map(str::to_owned))?;
    let file = environment.get(names::CONTAINER_TOKEN_FILE);
    let file = file.map(|path| Pass::File(environment.expand(path)));
    let text = || environment.get(names::CONTAINER_TOKEN).map(|text| Pass::Text(text.to_owned()));
    Some(Base::Container { url, pass: file.or_else(text) })
}

fn machine(environment: &AwsEnvironment) -> Result<Base, Trouble> {
    let disabled =
        environment.get(names::NO_METADATA).is_some_and(|is| is.eq_ignore_ascii_case("true"));
    if disabled {
        return Err(Trouble::new(
            format!(
                "there are none in the environment and in no profile, and `{}` is set",
                names::NO_METADATA
            ),
            super::SET_UP,
        ));
    }
    let url = environment.get(names::METADATA_URL).unwrap_or(METADATA);
    Ok(Base::Machine { url: url.to_owned() })
}

#[cfg(test)]
mod tests;
