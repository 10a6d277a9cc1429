use std::collections::BTreeMap;
use std::path::Path;

use stagecraft_clouds::http::InvalidToken;
use stagecraft_clouds::local::EngineAddress;
use stagecraft_core::cloud::Identity;
use stagecraft_core::config::{Config, CredentialSource};
use stagecraft_core::credential::{Field, Issuer};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Code, ExitCode, Failure};
use stagecraft_core::name::EnvironmentName;

use super::adapters::engine_address;
use super::identities::{
    NoToken, aws_identity, aws_may_be_there, check_credential, no_token, owner, token,
};
use super::{Environment, Secrets};
use crate::stop::{Stop, Trouble};

/// Which providers of a file a run looks at, and what it needs for that.
///
/// One that the file names the environment under is always looked at. One that it does not may
/// still hold hosts that were taken out of the file, so it is looked at where that is possible; where
/// it is not, the user is told.
#[derive(Debug, Default)]
pub(crate) struct Clouds {
    /// Whether containers on a Docker Engine are looked at.
    pub(super) local: bool,
    /// Who asks the others that are looked at.
    pub(super) identities: BTreeMap<ProviderId, Identity>,
    /// Why the rest is not looked at.
    left_out: BTreeMap<ProviderId, String>,
    /// How not to look at those under which the file does not name the environment.
    avoidable: BTreeMap<ProviderId, String>,
}

impl Clouds {
    /// What can be looked at for an environment. Asks nobody.
    ///
    /// # Errors
    /// All tokens that are needed and are missing or cannot be right.
    pub(crate) fn of(
        config: &Config,
        of: &EnvironmentName,
        secrets: &Secrets<'_>,
    ) -> Result<Self, Stop> {
        let environment = secrets.environment;
        let mut clouds = Self::default();
        let mut missing: Vec<Failure> = Vec::new();
        for (&id, provider) in &config.providers {
            let named = provider.environments.contains(of);
            if id == ProviderId::Local {
                match engine_is_there(environment) {
                    Err(why) if !named => clouds.left_out(id, why),
                    // What is wrong with one that is needed is told when it is used.
                    Ok(()) | Err(_) => clouds.local = true,
                }
                continue;
            }
            let source = provider.credentials.as_ref();
            match identity(id, source, secrets) {
                Ok(_) if !named && !aws_may_be_there(environment, source) => {
                    clouds.left_out(id, "no credentials are set up".to_owned());
                }
                Ok(identity) => {
                    clouds.identities.insert(id, identity);
                    if !named {
                        clouds.avoidable.insert(id, without(id, source, of));
                    }
                }
                Err(Missing { unset: Some(why), .. }) if !named => clouds.left_out(id, why),
                Err(Missing { failure, hint, .. }) => {
                    let hint = if named { hint } else { Some(without(id, source, of)) };
                    let failure = hint.into_iter().fold(failure, Failure::with_hint);
                    // A store that does not open is told once, however many need it.
                    if !missing.contains(&failure) {
                        missing.push(failure);
                    }
                }
            }
        }
        if missing.is_empty() {
            Ok(clouds)
        } else {
            let troubles = missing.into_iter().map(Trouble::from).collect();
            Err(Stop { exit: ExitCode::Usage, troubles })
        }
    }

    /// Hosts of this machine alone.
    #[cfg(test)]
    pub(super) fn local_only() -> Self {
        Self { local: true, ..Self::default() }
    }

    /// What is not looked at, for people; `None` when everything is.
    pub(crate) fn left_out_note(&self, of: &EnvironmentName) -> Option<String> {
        if self.left_out.is_empty() {
            return None;
        }
        // In the order of the providers, those for the same reason together.
        let mut by_reason: Vec<(Vec<&str>, &str)> = Vec::new();
        for (id, why) in &self.left_out {
            match by_reason.iter_mut().find(|(_, reason)| reason == why) {
                Some((ids, _)) => ids.push(id.as_str()),
                None => by_reason.push((vec![id.as_str()], why)),
            }
        }
        let all: Vec<String> =
            by_reason.iter().map(|(ids, why)| format!("{} ({why})", ids.join(" and "))).collect();
        Some(format!(
            "note: not looked at, as the file has no hosts of `{of}` there: {}",
            all.join(", ")
        ))
    }

    /// How to go on without a provider that cannot be listed, where the file allows it.
    pub(crate) fn way_around(&self, provider: ProviderId) -> Option<&str> {
        self.avoidable.get(&provider).map(String::as_str)
    }

    fn left_out(&mut self, id: ProviderId, why: String) {
        self.left_out.insert(id, why);
    }
}

/// Whether there can be an engine, by what is seen without asking it.
fn engine_is_there(environment: &Environment) -> Result<(), String> {
    match engine_address(environment) {
        Ok(EngineAddress::Unix(socket)) if !Path::new(&socket).exists() => {
            Err(format!("there is no `{}`", socket.display()))
        }
        Ok(EngineAddress::Unix(_) | EngineAddress::Tcp { .. }) => Ok(()),
        Err(_) => Err("`DOCKER_HOST` cannot be used".to_owned()),
    }
}

/// Why nobody can ask a provider.
#[derive(Debug)]
struct Missing {
    /// For those who need it.
    failure: Failure,
    /// Where the file says what is missing.
    hint: Option<String>,
    /// For those who do not, in a few words; `None` where something is there and is wrong.
    unset: Option<String>,
}

/// Who asks a provider, by what the file says of its credentials. Asks nobody.
fn identity(
    id: ProviderId,
    source: Option<&CredentialSource>,
    secrets: &Secrets<'_>,
) -> Result<Identity, Missing> {
    let Some(issuer) = Issuer::of(id) else { return Ok(Identity::Anybody) };
    match source {
        Some(CredentialSource::Stored(name)) => {
            let stored = secrets.stored(name, issuer);
            let checked = stored.and_then(|credential| {
                check_credential(&credential, Some(name)).map(|()| credential)
            });
            checked.map(Identity::Owner).map_err(|failure| Missing {
                hint: None,
                unset: Some(failure.message.clone()),
                failure,
            })
        }
        Some(CredentialSource::Variable(name)) => match token(secrets.environment, name) {
            Ok(token) => Ok(owner(issuer, [(Field::Token, token)])),
            Err(why) => Err(Missing {
                failure: no_token(id, name, why),
                hint: Some("`token_env` in the file names the variable".to_owned()),
                unset: match why {
                    NoToken::NotSet | NoToken::Invalid(InvalidToken::Empty) => {
                        Some(format!("`{name}` is not set"))
                    }
                    NoToken::Invalid(_) => None,
                },
            }),
        },
        Some(CredentialSource::AccessKey { .. } | CredentialSource::Chain { .. }) | None => {
            aws_identity(secrets.environment, source).map_err(|why| Missing {
                failure: Failure::new(
                    Code::CLOUD_UNAUTHENTICATED,
                    format!("{id} needs an access key, and {why}"),
                ),
                hint: Some(
                    "`access_key_id_env` and `secret_access_key_env` in the file name the variables; \
                     without both, AWS's usual chain is used"
                        .to_owned(),
                ),
                unset: Some(why),
            })
        }
    }
}

/// How not to look at a provider under which the file does not name the environment.
fn without(id: ProviderId, source: Option<&CredentialSource>, of: &EnvironmentName) -> String {
    let way = match source {
        Some(CredentialSource::Stored(_)) => "take it out of the file".to_owned(),
        Some(CredentialSource::Variable(name)) => format!("unset `{name}`"),
        Some(CredentialSource::AccessKey { .. } | CredentialSource::Chain { .. }) | None => {
            "unset its credentials".to_owned()
        }
    };
    format!("the file has no hosts of `{of}` on {id}: to leave it out, {way}")
}

#[cfg(test)]
mod tests {
    use stagecraft_core::config;

    use super::*;

    const DIGITALOCEAN: ProviderId = ProviderId::DigitalOcean;
    const HETZNER: ProviderId = ProviderId::Hetzner;

    #[test]
    fn a_provider_the_file_names_the_environment_under_needs_its_token() {
        for environment in ["prod", "empty"] {
            let stop = clouds(environment, &[]).unwrap_err();
            assert_eq!(stop.exit, ExitCode::Usage);
            let told: Vec<&str> =
                stop.troubles.iter().map(|trouble| trouble.failure.message.as_str()).collect();
            assert_eq!(
                told,
                [
                    "digitalocean needs an API token, and the environment variable `DO_TOKEN` is not set",
                    "hetzner needs an API token, and the environment variable `HCLOUD_TOKEN` is not set",
                ]
            );
        }
        let both = [("DO_TOKEN", "abcdefgh1"), ("HCLOUD_TOKEN", " abcdefgh2\n")];
        let clouds = clouds("prod", &both).unwrap();
        assert!(clouds.identities.keys().eq(&[DIGITALOCEAN, HETZNER]));
        assert_eq!(clouds.way_around(HETZNER), None);
    }

    #[test]
    fn a_provider_the_environment_was_never_at_needs_no_token() {
        let clouds = clouds("dev", &[("HCLOUD_TOKEN", " ")]).unwrap();
        assert!(clouds.local && clouds.identities.is_empty());
        assert_eq!(
            clouds.left_out_note(&name("dev")).as_deref(),
            Some(
                "note: not looked at, as the file has no hosts of `dev` there: \
                 digitalocean (`DO_TOKEN` is not set), hetzner (`HCLOUD_TOKEN` is not set)"
            )
        );
    }

    #[test]
    fn hosts_that_were_taken_out_of_the_file_are_looked_for_where_that_is_possible() {
        let clouds = clouds("dev", &[("DO_TOKEN", "abcdefgh1")]).unwrap();
        assert!(clouds.identities.keys().eq(&[DIGITALOCEAN]));
        let way = clouds.way_around(DIGITALOCEAN).unwrap();
        assert_eq!(
            way,
            "the file has no hosts of `dev` on digitalocean: to leave it out, unset `DO_TOKEN`"
        );
    }

    #[test]
    fn an_engine_is_needed_only_where_the_file_says_so() {
        let tokens = [("DO_TOKEN", "abcdefgh1"), ("HCLOUD_TOKEN", "abcdefgh2")];
        let with = |host: &'static str| {
            let variables: Vec<_> = tokens.into_iter().chain([("DOCKER_HOST", host)]).collect();
            clouds("prod", &variables).unwrap()
        };
        assert!(with("tcp://10.0.0.1").local, "it may be there");
        assert!(!with("unix:///nowhere/docker.sock").local);
        assert_eq!(
            with("ssh://build").left_out_note(&name("prod")).as_deref(),
            Some(
                "note: not looked at, as the file has no hosts of `prod` there: \
                 local (`DOCKER_HOST` cannot be used)"
            )
        );
        let dev = clouds("dev", &[("DOCKER_HOST", "ssh://build")]).unwrap();
        assert!(dev.local, "that it cannot be used is told when it is used");
    }

    #[test]
    fn what_is_no_token_is_told_without_being_shown() {
        for (text, why) in [
            ("", "is empty"),
            ("  \n", "is empty"),
            ("'SECRET-TOKEN'", "holds none: it has quotes, which no token has"),
            ("SECRET TOKEN", "holds none: it has white space inside, which no token has"),
            ("SECRET", "holds none: it is only 6 characters long"),
        ] {
            let variables = [("DO_TOKEN", text), ("HCLOUD_TOKEN", "abcdefgh")];
            let stop = clouds("prod", &variables).unwrap_err();
            let failure = &stop.troubles[0].failure;
            assert_eq!(
                failure.message,
                format!(
                    "digitalocean needs an API token, and the environment variable `DO_TOKEN` {why}"
                )
            );
            assert!(!format!("{stop:?}").contains("SECRET"), "{stop:?}");
            assert!(failure.hints[0].contains("`DO_TOKEN`") || text.trim().is_empty());
        }
        let stop = clouds("dev", &[("DO_TOKEN", "'SECRET-TOKEN'")]).unwrap_err();
        let hint =
            "the file has no hosts of `dev` on digitalocean: to leave it out, unset `DO_TOKEN`";
        assert_eq!(stop.troubles[0].failure.hints[1], hint);
    }

    #[test]
    fn aws_is_looked_at_where_its_credentials_may_be_found() {
        let of = |settings: &str, environment: &str, variables: &[(&str, &str)]| {
            let file = format!(
                "project: {{ name: p }}\ncloud:\n  providers:\n    aws: {{ {settings}ssh_key_name: k, \
                 default_region: r, hosts: {{ prod: {{ a: {{ role: a }} }} }} }}\n    \
                 local: {{ hosts: {{ dev: {{ b: {{ role: a }} }} }} }}\n"
            );
            let config = config::parse("f", file.as_bytes()).unwrap();
            clouds_of(&config, environment, variables)
        };
        let aws = |clouds: Clouds| clouds.identities.get(&ProviderId::Aws).cloned();
        let chain = aws(of("", "prod", &[]).unwrap());
        assert_eq!(chain, Some(Identity::Chain { profile: None }));
        let left_out = of("", "dev", &[]).unwrap();
        assert!(left_out.identities.is_empty());
        assert!(left_out.left_out_note(&name("dev")).unwrap().contains("aws (no credentials are"));
        assert!(aws(of("", "dev", &[("AWS_PROFILE", "work")]).unwrap()).is_some());

        let keys = "access_key_id_env: ID, secret_access_key_env: KEY, ";
        let both = [("ID", "AKIDEXAMPLE"), ("KEY", "SECRET-SECRET")];
        let given = aws(of(keys, "prod", &both).unwrap());
        assert!(matches!(given, Some(Identity::Owner(_))));
        let stop = of(keys, "prod", &both[..1]).unwrap_err();
        let told = &stop.troubles[0].failure.message;
        assert_eq!(told, "aws needs an access key, and `KEY` is not set");
        let quoted = of(keys, "prod", &[both[0], ("KEY", "'SECRET-SECRET'")]).unwrap_err();
        assert!(!format!("{quoted:?}").contains("SECRET-SECRET"));
    }

    #[test]
    fn a_store_that_several_providers_need_is_told_once() {
        let file = "\
project: { name: p }
credentials: { path: /nowhere/store.db, key_file: /nowhere/key }
cloud:
  providers:
    digitalocean: { credentials: a, ssh_key_name: k, default_region: r, hosts: { prod: { a: { role: a } } } }
    hetzner: { credentials: b, ssh_key_name: k, default_region: r, hosts: { prod: { b: { role: a } } } }
    local: { hosts: { dev: { c: { role: a } } } }
";
        let config = config::parse("f", file.as_bytes()).unwrap();
        let stop = clouds_of(&config, "prod", &[]).unwrap_err();
        assert_eq!(stop.troubles.len(), 1, "{stop:?}");
        let note = clouds_of(&config, "dev", &[]).unwrap().left_out_note(&name("dev")).unwrap();
        assert!(note.contains(": digitalocean and hetzner ("), "{note}");
        assert_eq!(note.matches("/nowhere/store.db").count(), 1, "{note}");
    }

    #[test]
    fn an_entry_that_cannot_be_right_is_named_with_the_command_that_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = "\
project: { name: p }
credentials: { path: store.db, key_file: key }
cloud: { providers: { aws: { credentials: a, ssh_key_name: k, default_region: r, hosts: { prod: { a: { role: a } } } } } }
";
        let config = config::parse("f", file.as_bytes()).unwrap();
        let environment = Environment::for_tests("/home/ada", &[]);
        let parts =
            [(Field::AccessKeyId, "a".repeat(40)), (Field::SecretAccessKey, "AKIA".repeat(5))];
        let parts = parts.map(|(field, text)| (field, stagecraft_core::Secret::new(&text)));
        let swapped = stagecraft_core::credential::Credential::new(Issuer::Aws, parts).unwrap();
        let mut vault = crate::wire::vault(&environment, &config.store, folder.path()).unwrap();
        vault.put(&"a".parse().unwrap(), &swapped, false).unwrap();
        let secrets = Secrets::new(&environment, &config.store, folder.path());
        let stop = Clouds::of(&config, &name("prod"), &secrets).unwrap_err();
        let failure = &stop.troubles[0].failure;
        let message = "the entry `a` of the credential store is no credential of aws: the access key id \
                       and the secret access key are swapped";
        assert_eq!(failure.message, message);
        let hint = "run `stagecraft credentials add a --provider aws --replace`, and give the access key \
                    id (begins with AKIA or ASIA), then the secret access key (40 characters)";
        assert_eq!(failure.hints, [hint]);
    }

    fn clouds(environment: &str, variables: &[(&str, &str)]) -> Result<Clouds, Stop> {
        let file = "\
project: { name: p }
cloud:
  providers:
    digitalocean:
      { token_env: DO_TOKEN, ssh_key_name: k, default_region: r, hosts: { prod: { a: { role: a } }, empty: {} } }
    hetzner:
      { token_env: HCLOUD_TOKEN, ssh_key_name: k, default_region: r, hosts: { prod: { b: { role: a } }, empty: {} } }
    local: { hosts: { dev: { c: { role: a } } } }
";
        let config = config::parse("f", file.as_bytes()).unwrap();
        clouds_of(&config, environment, variables)
    }

    fn clouds_of(
        config: &Config,
        environment: &str,
        variables: &[(&str, &str)],
    ) -> Result<Clouds, Stop> {
        let variables = Environment::for_tests("/home/ada", variables);
        let secrets = Secrets::new(&variables, &config.store, Path::new("/"));
        Clouds::of(config, &name(environment), &secrets)
    }

    fn name(environment: &str) -> EnvironmentName {
        environment.parse().unwrap()
    }
}
