//! What the credential store keeps: the secrets of one account, by name.

mod looks;

pub use looks::Mistake;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Secret;
use crate::desired::ProviderId;

/// Who issued a credential, and so who it is good for.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Issuer {
    /// Amazon Web Services.
    Aws,
    /// DigitalOcean.
    DigitalOcean,
    /// Hetzner Cloud.
    Hetzner,
    /// Tailscale or Headscale.
    Tailscale,
}

impl Issuer {
    /// All issuers, in the order they are listed to users.
    pub const ALL: [Self; 4] = [Self::Aws, Self::DigitalOcean, Self::Hetzner, Self::Tailscale];

    /// The key of the provider or network in `stagecraft.yml`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::DigitalOcean => "digitalocean",
            Self::Hetzner => "hetzner",
            Self::Tailscale => "tailscale",
        }
    }

    /// The issuer of a cloud's credentials; `None` where a provider needs none.
    #[must_use]
    pub fn of(provider: ProviderId) -> Option<Self> {
        match provider {
            ProviderId::Aws => Some(Self::Aws),
            ProviderId::DigitalOcean => Some(Self::DigitalOcean),
            ProviderId::Hetzner => Some(Self::Hetzner),
            ProviderId::Local => None,
        }
    }

    /// The cloud whose hosts its credentials are for; `None` for a network.
    #[must_use]
    pub fn cloud(self) -> Option<ProviderId> {
        match self {
            Self::Aws => Some(ProviderId::Aws),
            Self::DigitalOcean => Some(ProviderId::DigitalOcean),
            Self::Hetzner => Some(ProviderId::Hetzner),
            Self::Tailscale => None,
        }
    }

    /// The parts of its credentials, in the order they are asked for.
    #[must_use]
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::Aws => &[Field::AccessKeyId, Field::SecretAccessKey, Field::SessionToken],
            Self::DigitalOcean | Self::Hetzner => &[Field::Token],
            Self::Tailscale => &[Field::AuthKey],
        }
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names nobody whose credentials are kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "credentials of `{0}` are not kept (there are those of aws, digitalocean, hetzner and tailscale)"
)]
pub struct UnknownIssuer(pub String);

impl FromStr for Issuer {
    type Err = UnknownIssuer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|issuer| issuer.as_str() == text)
            .ok_or_else(|| UnknownIssuer(text.to_owned()))
    }
}

/// One part of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The id of an access key of AWS.
    AccessKeyId,
    /// Its secret.
    SecretAccessKey,
    /// What makes a temporary access key valid; others have none.
    SessionToken,
    /// The token of an API.
    Token,
    /// A key by which hosts join a tailnet.
    AuthKey,
}

impl Field {
    const ALL: [Self; 5] =
        [Self::AccessKeyId, Self::SecretAccessKey, Self::SessionToken, Self::Token, Self::AuthKey];

    /// What it is called in sealed records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessKeyId => "access_key_id",
            Self::SecretAccessKey => "secret_access_key",
            Self::SessionToken => "session_token",
            Self::Token => "token",
            Self::AuthKey => "auth_key",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::AccessKeyId => "access key id",
            Self::SecretAccessKey => "secret access key",
            Self::SessionToken => "session token",
            Self::Token => "API token",
            Self::AuthKey => "auth key",
        }
    }

    /// Whether a credential may be without it.
    #[must_use]
    pub fn is_optional(self) -> bool {
        match self {
            Self::SessionToken => true,
            Self::AccessKeyId | Self::SecretAccessKey | Self::Token | Self::AuthKey => false,
        }
    }

    /// The field of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }
}

/// Why secrets do not make a credential. Says nothing of what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A part is missing or empty.
    #[error("the {} is missing", .0.words())]
    Missing(Field),
    /// There is a part that credentials of this issuer do not have.
    #[error("credentials of {issuer} have no {}", .field.words())]
    Foreign {
        /// Whose credentials.
        issuer: Issuer,
        /// What they do not have.
        field: Field,
    },
}

/// Secrets that belong together. Never shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    issuer: Issuer,
    fields: BTreeMap<Field, Secret>,
}

impl Credential {
    /// A credential of these parts; an empty one that is optional is left out.
    ///
    /// # Errors
    /// When a part is missing, or one is not of such credentials.
    pub fn new(
        issuer: Issuer,
        fields: impl IntoIterator<Item = (Field, Secret)>,
    ) -> Result<Self, Misfit> {
        let fields: BTreeMap<Field, Secret> =
            fields.into_iter().filter(|(_, secret)| !secret.is_empty()).collect();
        let known = issuer.fields();
        if let Some(field) = fields.keys().find(|field| !known.contains(field)) {
            return Err(Misfit::Foreign { issuer, field: *field });
        }
        let missing =
            known.iter().find(|field| !field.is_optional() && !fields.contains_key(field));
        match missing {
            Some(field) => Err(Misfit::Missing(*field)),
            None => Ok(Self { issuer, fields }),
        }
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer(&self) -> Issuer {
        self.issuer
    }

    /// Its parts, in order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (Field, &Secret)> {
        self.fields.iter().map(|(field, secret)| (*field, secret))
    }

    /// One part.
    #[must_use]
    pub fn field(&self, field: Field) -> Option<&Secret> {
        self.fields.get(&field)
    }

    /// What tells it from every other, and tells nothing of it.
    #[must_use]
    pub fn digest(&self) -> CredentialDigest {
        let mut hasher = Sha256::new();
        hasher.update(self.issuer.as_str());
        for (field, secret) in &self.fields {
            // Lengths, so that no two credentials give the same bytes.
            hasher.update([0, *field as u8]);
            hasher.update((secret.reveal().len() as u64).to_be_bytes());
            hasher.update(secret.reveal());
        }
        CredentialDigest(hasher.finalize().into())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({}, ***)", self.issuer)
    }
}

/// See [`Credential::digest`]. Lives in memory only, and does not show itself: a short secret could be
/// guessed from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CredentialDigest([u8; 32]);

impl fmt::Debug for CredentialDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialDigest(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aws(fields: &[(Field, &str)]) -> Result<Credential, Misfit> {
        Credential::new(Issuer::Aws, fields.iter().map(|(field, text)| (*field, Secret::new(text))))
    }

    const ID: (Field, &str) = (Field::AccessKeyId, "AKIDPLANTED");
    const KEY: (Field, &str) = (Field::SecretAccessKey, "planted-key");

    #[test]
    fn a_credential_has_all_its_parts_and_no_other() {
        let whole = aws(&[ID, KEY, (Field::SessionToken, " ")]).unwrap();
        assert_eq!(whole.fields().len(), 2, "what is empty and optional is left out");
        assert_eq!(aws(&[ID]), Err(Misfit::Missing(Field::SecretAccessKey)));
        assert_eq!(aws(&[ID, (KEY.0, "")]), Err(Misfit::Missing(Field::SecretAccessKey)));
        let foreign = aws(&[ID, KEY, (Field::Token, "planted")]).unwrap_err();
        assert_eq!(foreign.to_string(), "credentials of aws have no API token");
        for issuer in Issuer::ALL {
            assert_eq!(issuer.as_str().parse(), Ok(issuer));
            assert!(issuer.fields().iter().any(|field| !field.is_optional()));
        }
        assert!("local".parse::<Issuer>().is_err());
        for field in Field::ALL {
            assert_eq!(Field::named(field.as_str()), Some(field));
        }
    }

    #[test]
    fn every_cloud_but_the_own_machine_has_an_issuer_and_a_network_is_no_cloud() {
        for provider in ProviderId::ALL {
            let issuer = Issuer::of(provider);
            assert_eq!(issuer.is_none(), provider == ProviderId::Local);
            assert!(issuer.is_none_or(|issuer| issuer.cloud() == Some(provider)), "{provider}");
        }
        assert_eq!(Issuer::Tailscale.cloud(), None);
    }

    #[test]
    fn a_part_is_found_by_its_field() {
        let whole = aws(&[ID, KEY]).unwrap();
        assert_eq!(whole.field(KEY.0).map(Secret::reveal), Some(KEY.1));
        assert_eq!(whole.field(Field::SessionToken), None);
    }

    #[test]
    fn a_credential_and_its_digest_do_not_show_it() {
        let whole = aws(&[ID, KEY]).unwrap();
        assert_eq!(format!("{whole:?}"), "Credential(aws, ***)");
        assert_eq!(format!("{:?}", whole.digest()), "CredentialDigest(***)");
        let shown = format!("{whole:?} {:?} {:?}", whole.digest(), whole.field(Field::AccessKeyId));
        assert!(!shown.contains("PLANTED") && !shown.contains("planted"), "{shown}");
    }

    #[test]
    fn a_digest_changes_with_every_part() {
        let all = [
            aws(&[ID, KEY]).unwrap(),
            aws(&[(Field::AccessKeyId, "AKIDPLANTEDp"), (KEY.0, "lanted-key")]).unwrap(),
            aws(&[ID, KEY, (Field::SessionToken, "s")]).unwrap(),
            Credential::new(Issuer::Hetzner, [(Field::Token, Secret::new("t"))]).unwrap(),
            Credential::new(Issuer::DigitalOcean, [(Field::Token, Secret::new("t"))]).unwrap(),
        ];
        let digests: std::collections::BTreeSet<_> = all.iter().map(Credential::digest).collect();
        assert_eq!(digests.len(), all.len());
        assert_eq!(all[0].digest(), aws(&[KEY, ID]).unwrap().digest());
    }
}
