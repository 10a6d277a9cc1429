//! What parts of a credential look like, so that one in the place of another is noticed before it is kept.

use super::{Credential, Field, Issuer};
use crate::Secret;

/// What was given in the place of something else. Says nothing more of what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// Two parts stand in each other's place.
    #[error("the access key id and the secret access key are swapped")]
    Swapped,
    /// A part looks like another one.
    #[error("what was given as {} looks like {} {}", .given.words(), .looks_like.article(), .looks_like.words())]
    Other {
        /// As what it was given.
        given: Field,
        /// What it looks like.
        looks_like: Field,
    },
    /// A temporary access key without what makes it valid.
    #[error(
        "an access key whose id begins with ASIA is temporary, and its session token is missing"
    )]
    NoSession,
}

impl Field {
    /// How it is told from others, where it can be.
    #[must_use]
    pub fn looks(self) -> Option<&'static str> {
        match self {
            Self::AccessKeyId => Some("begins with AKIA or ASIA"),
            Self::SecretAccessKey => Some("40 characters"),
            Self::SessionToken | Self::Token | Self::AuthKey => None,
        }
    }

    /// Which part of an access key of AWS a text looks like.
    fn of_access_key(text: &str) -> Option<Self> {
        let is_id = ["AKIA", "ASIA"].iter().any(|start| text.starts_with(start))
            && (16..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let is_secret = text.len() == 40
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/+=".contains(&byte));
        match (is_id, is_secret) {
            (true, _) => Some(Self::AccessKeyId),
            (false, true) => Some(Self::SecretAccessKey),
            (false, false) => None,
        }
    }

    fn article(self) -> &'static str {
        match self {
            Self::AccessKeyId | Self::Token | Self::AuthKey => "an",
            Self::SecretAccessKey | Self::SessionToken => "a",
        }
    }
}

impl Credential {
    /// A part in the place of another, as far as their looks tell.
    #[must_use]
    pub fn mistake(&self) -> Option<Mistake> {
        let (id, secret) = match self.issuer {
            Issuer::Aws => (Field::AccessKeyId, Field::SecretAccessKey),
            Issuer::DigitalOcean | Issuer::Hetzner | Issuer::Tailscale => return None,
        };
        let text = |field| self.field(field).map(Secret::reveal).unwrap_or_default();
        let looks = |field| Field::of_access_key(text(field)).filter(|looks| *looks != field);
        let other = |given: Field, looks_like: Field| Some(Mistake::Other { given, looks_like });
        match (looks(id), looks(secret)) {
            (Some(_), Some(_)) => Some(Mistake::Swapped),
            (Some(like), None) => other(id, like),
            (None, Some(like)) => other(secret, like),
            (None, None)
                if text(id).starts_with("ASIA") && text(Field::SessionToken).is_empty() =>
            {
                Some(Mistake::NoSession)
            }
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_in_each_others_place_are_noticed_by_their_looks() {
        let id = "AKIAIOSFODNN7EXAMPLE";
        let temporary = "ASIAIOSFODNN7EXAMPLE";
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let of = |first: &str, second: &str, session: &str| {
            let parts = [first, second, session].map(Secret::new);
            let fields = [Field::AccessKeyId, Field::SecretAccessKey, Field::SessionToken];
            Credential::new(Issuer::Aws, fields.into_iter().zip(parts)).unwrap().mistake()
        };
        let other = |given, looks_like| Some(Mistake::Other { given, looks_like });
        assert_eq!(of(id, secret, ""), None);
        assert_eq!(of(temporary, secret, "s"), None);
        assert_eq!(of(secret, id, ""), Some(Mistake::Swapped));
        assert_eq!(of(id, temporary, ""), other(Field::SecretAccessKey, Field::AccessKeyId));
        assert_eq!(of(secret, "short", ""), other(Field::AccessKeyId, Field::SecretAccessKey));
        assert_eq!(of(temporary, secret, ""), Some(Mistake::NoSession));
        assert_eq!(of("any", "thing else", ""), None, "other clouds speak EC2 too");
        let told = other(Field::SecretAccessKey, Field::AccessKeyId).unwrap().to_string();
        assert_eq!(told, "what was given as secret access key looks like an access key id");
    }
}
