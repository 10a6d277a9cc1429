//! What a profile says of where credentials are, by way of others if need be.

use std::path::PathBuf;

use super::super::environment::AwsEnvironment;
use super::super::profiles::{Profiles, Section};
use super::{Base, Role, SESSION, SignOn, Source, Trouble, container, keys, machine, own_keys};

const FIX: &str = "correct it, or sign in anew by `aws configure` or `aws configure sso`";

/// Whether a profile says where credentials are; many say where hosts are, and no more.
pub(super) fn leads_somewhere(section: &Section) -> bool {
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

/// Where a profile says that credentials are.
pub(super) fn of_profile(
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
