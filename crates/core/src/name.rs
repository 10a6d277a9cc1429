//! Names that are checked once, where they enter, and trusted from there on.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What every name of ours must look like: a DNS label.
pub const DNS_LABEL_PATTERN: &str = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";

/// A text that is no DNS label was used where a name is needed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a valid name (use a-z, 0-9 and `-`, 1 to 63 characters, not starting or ending with `-`)"
)]
pub struct InvalidName(pub String);

/// Whether `text` is a DNS label as RFC 1123 has it, in lower case.
#[must_use]
pub fn is_dns_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The same for entries of the credential store, written apart: what is put there by mistake may be a
/// secret.
pub(crate) const CREDENTIAL_NAME_PATTERN: &str = "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$";

/// The same for items of a keyring.
pub(crate) const KEYRING_NAME_PATTERN: &str = "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9]){0,1}$";

macro_rules! dns_label {
    ($pattern:expr; $($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        ///
        /// Always a DNS label, so it can become a cloud resource name, a label value, a hostname
        /// and a mesh name without further checks.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if is_dns_label(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidName(text.to_owned()))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": $pattern,
                })
            }
        }
    )* }
}

dns_label! {
    DNS_LABEL_PATTERN;
    /// Name of a project, e.g. `shop`.
    ProjectName,
    /// Name of an environment of a project, e.g. `staging`.
    EnvironmentName,
    /// Name of a host inside one environment, e.g. `db-1`.
    HostName,
    /// What a host is for, e.g. `app`.
    RoleName,
}

dns_label! {
    CREDENTIAL_NAME_PATTERN;
    /// Name of an entry in the credential store, e.g. `prod-do`.
    CredentialName,
}

dns_label! {
    KEYRING_NAME_PATTERN;
    /// Name of the item of a keyring that holds the key of a credential store, e.g. `team`.
    KeyringName,
}

macro_rules! opaque {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            Serialize, Deserialize, schemars::JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The text as the provider or the user wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )* }
}

opaque! {
    /// The provider's own identifier of an instance. Compared and passed back, never parsed.
    InstanceId,
    /// A place where a provider rents machines, in the provider's words, e.g. `nyc3`.
    Region,
    /// A kind of machine: one of the portable `small`, `medium`, `large` until it is resolved, the
    /// provider's own slug from then on.
    Size,
    /// An operating system image by its portable name, e.g. `debian-12`.
    Image,
    /// Digest of everything in an inventory that a plan depends on.
    InventoryDigest,
}

/// The one project and environment a command works on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The project of the file.
    pub project: ProjectName,
    /// The environment chosen with `--env`.
    pub environment: EnvironmentName,
}

impl Scope {
    /// The name a host's instance gets in the cloud: `{environment}-{host}`.
    #[must_use]
    pub fn cloud_name(&self, host: &HostName) -> String {
        format!("{}-{}", self.environment, host)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.project, self.environment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_dns_label() {
        for good in ["a", "app-1", "0", &"x".repeat(63)] {
            assert!(good.parse::<HostName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "App", "a_b", "a.b", "é", &"x".repeat(64)] {
            assert_eq!(bad.parse::<HostName>(), Err(InvalidName(bad.to_owned())));
        }
    }
}
