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

use std::path::PathBuf;

use aws_credential_types::Credentials;

use super::environment::{self as names, AwsEnvironment};
use super::profiles::{Profiles, Section};

/// Where tasks of ECS find their credentials.
const CONTAINERS: &str = "http://169.254.170.2";
/// Where instances of EC2 find theirs.
const METADATA: &str = "http://169.254.169.254";
/// What AWS shows of a session where nobody gave it a name.
const SESSION: &str = "stagecraft";
const DEFAULT: &str = "default";
const FIX: &str = "correct it, or sign in anew by `aws configure` or `aws configure sso`";

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

/// Whether a profile says where credentials are; many say where hosts are, and no more.
fn leads_somewhere(section: &Section) -> bool {
    let ways = [
        "aws_access_key_id",
        "aws_secret_access_key",
        "role_arn",
        "sso_session",
        "sso_start_url",
        "credential_process",
    ];
    ways.iter().any(|key| section.contains_key(*key))
}

fn of_profile(
    environment: &AwsEnvironment,
    profiles: &Profiles,
    wanted: &str,
) -> Result<Source, Trouble> {
    let mut roles = Vec::new();
    let mut passed: Vec<&str> = Vec::new();
    let mut name = wanted;
    let base = loop {
        let Some(section) = profiles.get(name) else {
            return Err(no_profile(environment, profiles, name, passed.last().copied()));
        };
        let has = |key: &str| section.get(key).map(String::as_str).filter(|text| !text.is_empty());
        let bad = |why: String| Err(Trouble::new(format!("the profile `{name}` {why}"), FIX));
        if passed.contains(&name) {
            // A profile may be its own source: then its keys are meant.
            if passed.last() == Some(&name) && has("aws_access_key_id").is_some() {
                break keys_of(name, section)?;
            }
            passed.push(name);
            return bad(format!("is its own source: {}", passed.join(" -> ")));
        }
        passed.push(name);
        let Some(arn) = has("role_arn") else {
            break base_of(profiles, name, section)?;
        };
        if has("mfa_serial").is_some() {
            return Err(Trouble::new(
                format!(
                    "the profile `{name}` wants a code of a device (`mfa_serial`), for which \
                         nobody is asked here"
                ),
                "get temporary keys by `aws sts get-session-token`, or use single sign-on",
            ));
        }
        let role = Role {
            arn: arn.to_owned(),
            session_name: has("role_session_name").unwrap_or(SESSION).to_owned(),
            external_id: has("external_id").map(str::to_owned),
            duration_seconds: has("duration_seconds").map(str::to_owned),
        };
        match (has("source_profile"), has("credential_source"), has("web_identity_token_file")) {
            (Some(source), None, None) => {
                roles.push(role);
                name = source;
            }
            (None, Some(place), None) => {
                roles.push(role);
                break match place.to_ascii_lowercase().as_str() {
                    "environment" => match own_keys(environment)? {
                        Some(keys) => keys,
                        None => {
                            return bad(
                                "takes the keys of the environment, which has none".to_owned()
                            );
                        }
                    },
                    "ecscontainer" => match container(environment) {
                        Some(container) => container,
                        None => {
                            return bad("takes those of the container, and this is none".to_owned());
                        }
                    },
                    "ec2instancemetadata" => machine(environment)?,
                    _ => return bad("has a `credential_source` that is none".to_owned()),
                };
            }
            (None, None, Some(file)) => {
                break Base::WebIdentity { token_file: environment.expand(file), role };
            }
            (None, None, None) => {
                return bad(
                    "has a `role_arn`, and no `source_profile` or `credential_source`".to_owned()
                );
            }
            _ => return bad("says in more than one way where `role_arn` begins".to_owned()),
        }
    };
    roles.reverse();
    Ok(Source { base, roles, by: format!("the profile `{wanted}`") })
}

/// What a profile without a role leads to.
fn base_of(profiles: &Profiles, name: &str, section: &Section) -> Result<Base, Trouble> {
    let has = |key: &str| section.get(key).map(String::as_str).filter(|text| !text.is_empty());
    if has("sso_session").is_some() || has("sso_start_url").is_some() {
        return Ok(Base::SignOn(sign_on(profiles, name, section)?));
    }
    if has("aws_access_key_id").is_some() || has("aws_secret_access_key").is_some() {
        return keys_of(name, section);
    }
    if let Some(command) = has("credential_process") {
        return Ok(Base::Process(command.to_owned()));
    }
    Err(Trouble::new(format!("the profile `{name}` does not say where credentials are"), FIX))
}

fn keys_of(name: &str, section: &Section) -> Result<Base, Trouble> {
    let [id, key, session] = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"]
        .map(|key| section.get(key).map(String::as_str).filter(|text| !text.is_empty()));
    match (id, key) {
        (Some(id), Some(key)) => Ok(Base::Keys(keys(id, key, session))),
        _ => {
            let missing = if id.is_some() { "aws_secret_access_key" } else { "aws_access_key_id" };
            Err(Trouble::new(format!("the profile `{name}` has half a key: no `{missing}`"), FIX))
        }
    }
}

fn sign_on(profiles: &Profiles, name: &str, section: &Section) -> Result<SignOn, Trouble> {
    let session_name = section.get("sso_session");
    let session = match session_name {
        None => None,
        Some(of) => Some(profiles.session(of).ok_or_else(|| {
            Trouble::new(
                format!("the profile `{name}` names the session `{of}`, and there is no `[sso-session {of}]`"),
                FIX,
            )
        })?),
    };
    let has = |key: &str| {
        let found = session.and_then(|session| session.get(key)).or_else(|| section.get(key));
        found.filter(|text| !text.is_empty()).cloned().ok_or_else(|| {
            Trouble::new(
                format!("the profile `{name}` uses single sign-on and has no `{key}`"),
                FIX,
            )
        })
    };
    let start = has("sso_start_url")?;
    Ok(SignOn {
        profile: name.to_owned(),
        kept_as: session_name.cloned().unwrap_or(start),
        region: has("sso_region")?,
        account_id: has("sso_account_id")?,
        role_name: has("sso_role_name")?,
    })
}

fn no_profile(
    environment: &AwsEnvironment,
    profiles: &Profiles,
    name: &str,
    named_by: Option<&str>,
) -> Trouble {
    let file = |path: Option<PathBuf>| path.map(|path| path.display().to_string());
    let files: Vec<String> =
        [file(environment.config_file()), file(environment.credentials_file())]
            .into_iter()
            .flatten()
            .collect();
    let why = match named_by {
        Some(other) => {
            format!("the profile `{other}` builds upon `{name}`, and there is no such profile")
        }
        None => format!("there is no profile `{name}` in {}", files.join(" or ")),
    };
    let known: Vec<String> = profiles.names().map(|name| format!("`{name}`")).collect();
    let hint = if known.is_empty() {
        "make one by `aws configure sso` or `aws configure`".to_owned()
    } else {
        format!("there are {}", known.join(", "))
    };
    Trouble::new(why, hint)
}

#[cfg(test)]
mod tests;
