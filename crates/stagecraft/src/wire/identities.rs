//! Who asks the clouds: the credentials of the file, read from where it says they are.

use stagecraft_clouds::http::{InvalidToken, Token};
use stagecraft_core::Secret;
use stagecraft_core::cloud::Identity;
use stagecraft_core::config::CredentialSource;
use stagecraft_core::credential::{Credential, Field, Issuer, Mistake};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::name::CredentialName;

use super::Environment;

/// Variables by which AWS's usual chain finds credentials.
const CHAIN: [&str; 5] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

/// A variable that gives no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoToken {
    NotSet,
    Invalid(InvalidToken),
}

/// Where credentials of AWS come from, or why there are none; never says what a variable holds.
pub(super) fn aws_identity(
    environment: &Environment,
    source: Option<&CredentialSource>,
) -> Result<Identity, String> {
    let secret = |name: &str| {
        token(environment, name).map_err(|why| match why {
            NoToken::NotSet => format!("`{name}` is not set"),
            NoToken::Invalid(why) => format!("`{name}` holds none: {why}"),
        })
    };
    match source {
        Some(CredentialSource::AccessKey { id, secret: key, session }) => {
            let access_key_id = environment.text(id).map(str::trim).unwrap_or_default().to_owned();
            if access_key_id.is_empty() {
                return Err(format!("`{id}` is not set"));
            }
            let mut fields = vec![
                (Field::AccessKeyId, Secret::new(&access_key_id)),
                (Field::SecretAccessKey, secret(key)?),
            ];
            if let Some(name) = session {
                fields.push((Field::SessionToken, secret(name)?));
            }
            Ok(owner(Issuer::Aws, fields))
        }
        Some(CredentialSource::Chain { profile }) => {
            Ok(Identity::Chain { profile: profile.clone() })
        }
        Some(CredentialSource::Variable(_) | CredentialSource::Stored(_)) | None => {
            Ok(Identity::Chain { profile: None })
        }
    }
}

/// The owner of secrets that are all there.
pub(super) fn owner(issuer: Issuer, fields: impl IntoIterator<Item = (Field, Secret)>) -> Identity {
    match Credential::new(issuer, fields) {
        Ok(credential) => Identity::Owner(credential),
        // Whoever asks without a secret is refused, which is told then.
        Err(_) => Identity::Anybody,
    }
}

/// That the parts of a credential can be what they are meant to be: one that somebody gives now, or the
/// entry `stored` of the store.
///
/// # Errors
/// Which part cannot, and why; never says what it is.
pub(crate) fn check_credential(
    credential: &Credential,
    stored: Option<&CredentialName>,
) -> Result<(), Failure> {
    let issuer = credential.issuer();
    let subject = match stored {
        Some(name) => format!("the entry `{name}` of the credential store"),
        None => "what was given".to_owned(),
    };
    let invalid = |message: String, hint: String| {
        let again = stored.map(|name| {
            format!("run `stagecraft credentials add {name} --provider {issuer} --replace`, and ")
        });
        Failure::new(Code::CREDENTIAL_INVALID, message)
            .with_hint(again.unwrap_or_default() + hint.as_str())
    };
    for (field, secret) in credential.fields() {
        Token::new(secret.reveal()).map_err(|why| {
            let part = field.words();
            let message = match stored {
                Some(_) => format!("the {part} of {issuer} in {subject} is none: {why}"),
                None => format!("{subject} as {part} of {issuer} is none: {why}"),
            };
            invalid(message, "copy the whole of it again, and nothing else".to_owned())
        })?;
    }
    let Some(mistake) = credential.mistake() else { return Ok(()) };
    let parts = issuer.fields().iter().filter_map(|field| {
        let looks = field.looks()?;
        Some(format!("the {} ({looks})", field.words()))
    });
    let hint = match mistake {
        Mistake::Swapped | Mistake::Other { .. } => {
            format!("give {}", parts.collect::<Vec<_>>().join(", then "))
        }
        Mistake::NoSession => {
            "give the session token that came with the key, as a third part".to_owned()
        }
    };
    Err(invalid(format!("{subject} is no credential of {issuer}: {mistake}"), hint))
}

/// Whether AWS's usual chain can be expected to find something, by what is seen without asking anybody.
pub(super) fn aws_may_be_there(
    environment: &Environment,
    source: Option<&CredentialSource>,
) -> bool {
    let in_files = || {
        let folder = environment.home().map(|home| home.join(".aws"));
        folder.is_some_and(|folder| {
            ["config", "credentials"].iter().any(|file| folder.join(file).exists())
        })
    };
    match source {
        Some(CredentialSource::Chain { profile: None }) => {
            CHAIN.iter().any(|name| environment.is_set(name)) || in_files()
        }
        _ => true,
    }
}

pub(super) fn token(environment: &Environment, name: &str) -> Result<Secret, NoToken> {
    let text = environment.secret(name).ok_or(NoToken::NotSet)?;
    Token::new(&text).map_err(NoToken::Invalid)?;
    Ok(Secret::new(&text))
}

/// Never says what the variable holds.
pub(super) fn no_token(id: ProviderId, name: &str, why: NoToken) -> Failure {
    let what = match why {
        NoToken::NotSet => format!("the environment variable `{name}` is not set"),
        NoToken::Invalid(InvalidToken::Empty) => {
            format!("the environment variable `{name}` is empty")
        }
        NoToken::Invalid(why @ (InvalidToken::Character(_) | InvalidToken::TooShort(_))) => {
            format!("the environment variable `{name}` holds none: {why}")
        }
    };
    let failure =
        Failure::new(Code::CLOUD_UNAUTHENTICATED, format!("{id} needs an API token, and {what}"));
    match why {
        NoToken::NotSet | NoToken::Invalid(InvalidToken::Empty) => failure.with_hint(format!(
            "make a token {}, and run `export {name}=...` with it",
            where_tokens_are_made(id)
        )),
        NoToken::Invalid(InvalidToken::Character(_) | InvalidToken::TooShort(_)) => failure
            .with_hint(format!(
                "copy the whole token again, and nothing else, into `{name}`; new ones are made {}",
                where_tokens_are_made(id)
            )),
    }
}

fn where_tokens_are_made(id: ProviderId) -> &'static str {
    match id {
        ProviderId::DigitalOcean => "at https://cloud.digitalocean.com/account/api/tokens",
        ProviderId::Hetzner => {
            "at https://console.hetzner.com (the project, Security, API tokens; Read & Write)"
        }
        ProviderId::Aws | ProviderId::Local => "at the provider",
    }
}
