//! Judges the key a server presents, before anything is sent to it.

use std::path::PathBuf;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey};
use stagecraft_core::config::HostKeys;
use stagecraft_core::identity::{HostKey, Pins};

use super::name_at;
use super::store::{HostKeyStore, KnownFile, KnownKey, StoreError};
use crate::settings::SshSettings;

/// Signature algorithms accepted of a host, best first; no SHA-1.
pub(crate) const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

/// What is known of one server, read before connecting to it.
#[derive(Debug)]
pub(crate) struct Gate {
    policy: HostKeys,
    users: Vec<KnownKey>,
    /// Keys of the user's files for the bare address of a server at another port than 22. As in
    /// OpenSSH they speak for the server, never against it.
    users_at_any_port: Vec<KnownKey>,
    own: Vec<KnownKey>,
    /// What is written on the instance: nothing else counts then, unless only files shall.
    pins: Pins,
    store: HostKeyStore,
    alias: String,
}

/// Why a server is not let in.
#[derive(Debug)]
pub(crate) enum Denial {
    /// Another key is known.
    Mismatch { presented: String, expected: String, file: PathBuf, line: usize },
    /// Another key is pinned.
    NotPinned { presented: String, expected: HostKey },
    /// No key is known, and none may be learned.
    Unknown { presented: String, policy: HostKeys },
    /// The key could not be remembered.
    Store(StoreError),
}

/// What the known keys say of a presented one.
#[derive(Debug)]
enum Judgement<'a> {
    Believed,
    New,
    Unknown,
    Revoked(&'a KnownKey),
    Other(&'a KnownKey),
    NotPinned(HostKey),
}

/// All known-hosts files as they are at one time.
#[derive(Debug)]
pub(crate) struct KnownHosts {
    users: Vec<KnownFile>,
    /// Our own, where what was accepted on first contact counts.
    own: Option<KnownFile>,
}

impl KnownHosts {
    /// Reads the files.
    pub(crate) fn read(settings: &SshSettings) -> Result<Self, StoreError> {
        let users = settings.user_known_hosts.iter().map(|path| KnownFile::read(path));
        Ok(Self {
            users: users.collect::<Result<_, _>>()?,
            // Without a key to pin, `Pinned` is as strict as `KnownHosts`: what was accepted on first
            // contact counts for nothing.
            own: match settings.host_keys {
                HostKeys::AcceptNew => Some(HostKeyStore::new(&settings.known_hosts).file()?),
                HostKeys::KnownHosts | HostKeys::Pinned => None,
            },
        })
    }
}

impl Gate {
    /// Reads what is known of the server at `host` and `port`, called `alias` in our own file; `pins`
    /// are those of its instance.
    pub(crate) fn open(
        settings: &SshSettings,
        host: &str,
        port: u16,
        alias: &str,
        pins: Pins,
    ) -> Result<Self, StoreError> {
        Ok(Self::by(&KnownHosts::read(settings)?, settings, host, port, alias, pins))
    }

    /// The same by files that were read already.
    pub(crate) fn by(
        known: &KnownHosts,
        settings: &SshSettings,
        host: &str,
        port: u16,
        alias: &str,
        pins: Pins,
    ) -> Self {
        let (name, bare) = (name_at(host, port), name_at(host, 22));
        let of_users = |name: &str| -> Vec<KnownKey> {
            known.users.iter().flat_map(|file| file.keys(|line| line.is_for(name))).collect()
        };
        let own = known.own.as_ref().map(|file| file.keys(|line| line.is_for(alias)));
        Self {
            policy: settings.host_keys,
            users: of_users(&name),
            users_at_any_port: if port == 22 { Vec::new() } else { of_users(&bare) },
            own: own.unwrap_or_default(),
            pins: match settings.host_keys {
                HostKeys::Pinned | HostKeys::AcceptNew => pins,
                HostKeys::KnownHosts => Pins::default(),
            },
            store: HostKeyStore::new(&settings.known_hosts),
            alias: alias.to_owned(),
        }
    }

    /// Whether the user's files say that this key must never be believed.
    pub(crate) fn revokes(&self, key: &HostKey) -> bool {
        self.all().any(|known| known.revoked && host_key(&known.key).as_ref() == Some(key))
    }

    /// The keys pinned on the instance, where only they count.
    pub(crate) fn pins(&self) -> Option<&Pins> {
        (!self.pins.is_empty()).then_some(&self.pins)
    }

    /// Where this very key stands, for people; also in files that are not believed.
    pub(crate) fn places_of(
        &self,
        presented: &PublicKey,
    ) -> Result<Vec<(PathBuf, usize)>, StoreError> {
        let own = self.told_by_store()?;
        let users = self.users.iter().chain(&self.users_at_any_port);
        let known = users.chain(&own).filter(|known| is(known, presented));
        Ok(known.map(|known| (known.file.clone(), known.line)).collect())
    }

    /// The key that was remembered on first contact with this very instance, where it is another one;
    /// also where what was accepted so is not believed.
    pub(crate) fn remembered_another(
        &self,
        presented: &PublicKey,
    ) -> Result<Option<KnownKey>, StoreError> {
        let own = self.told_by_store()?;
        let is_remembered = own.iter().any(|known| is(known, presented));
        Ok(nearest(&own, presented).filter(|_| !is_remembered).cloned())
    }

    /// What our own file says to who only wants to be told: nothing, where it is not believed.
    fn told_by_store(&self) -> Result<Vec<KnownKey>, StoreError> {
        match self.store.keys_of(&self.alias) {
            Err(StoreError::Unsafe { .. }) => Ok(Vec::new()),
            told => told,
        }
    }

    /// Whether the user's files speak of this server, so that our own is not asked.
    pub(crate) fn is_the_users(&self) -> bool {
        self.users.iter().any(|known| !known.revoked)
    }

    /// Algorithms to ask the server for: first those of known keys, or it would present another
    /// key than the one that is known.
    pub(crate) fn algorithms(&self) -> Vec<Algorithm> {
        if !self.pins.is_empty() {
            // Pinned keys are of the kind that comes first.
            return ALGORITHMS.into();
        }
        let known = |algorithm: &Algorithm| {
            self.all().any(|known| !known.revoked && same_kind(&known.key.algorithm(), algorithm))
        };
        let (mut first, rest): (Vec<_>, Vec<_>) = ALGORITHMS.into_iter().partition(known);
        first.extend(rest);
        first
    }

    /// Lets the server in or not; a new key is remembered before it counts.
    pub(crate) fn admit(&self, presented: &PublicKey) -> Result<(), Denial> {
        match self.judge(presented) {
            Judgement::Believed => Ok(()),
            Judgement::New => {
                let known = self.store.remember(&self.alias, presented).map_err(Denial::Store)?;
                match known.iter().find(|known| known.key.key_data() != presented.key_data()) {
                    // Somebody else remembered another key since this gate was opened.
                    Some(other) if !known.iter().any(|known| is(known, presented)) => {
                        Err(mismatch(presented, other, fingerprint(&other.key)))
                    }
                    Some(_) | None => Ok(()),
                }
            }
            Judgement::Unknown => {
                Err(Denial::Unknown { presented: fingerprint(presented), policy: self.policy })
            }
            Judgement::NotPinned(expected) => {
                Err(Denial::NotPinned { presented: fingerprint(presented), expected })
            }
            Judgement::Revoked(known) => {
                Err(mismatch(presented, known, "its revocation".to_owned()))
            }
            Judgement::Other(known) => Err(mismatch(presented, known, fingerprint(&known.key))),
        }
    }

    fn judge(&self, presented: &PublicKey) -> Judgement<'_> {
        if let Some(known) =
            self.all().find(|known| known.revoked && known.key.key_data() == presented.key_data())
        {
            return Judgement::Revoked(known);
        }
        if let Some(expected) = self.pins.expected() {
            // Addresses are used again, so what files say of this one is no reason to believe another.
            return match host_key(presented).and_then(|key| self.pins.standing(&key)) {
                Some(_) => Judgement::Believed,
                None => Judgement::NotPinned(expected),
            };
        }
        if self.users.iter().chain(&self.users_at_any_port).any(|known| is(known, presented)) {
            return Judgement::Believed;
        }
        if let Some(other) = nearest(&self.users, presented) {
            return Judgement::Other(other);
        }
        match self.policy {
            HostKeys::KnownHosts | HostKeys::Pinned => Judgement::Unknown,
            HostKeys::AcceptNew if self.own.iter().any(|known| is(known, presented)) => {
                Judgement::Believed
            }
            HostKeys::AcceptNew => match nearest(&self.own, presented) {
                Some(other) => Judgement::Other(other),
                None => Judgement::New,
            },
        }
    }

    fn all(&self) -> impl Iterator<Item = &KnownKey> {
        self.users.iter().chain(&self.users_at_any_port).chain(&self.own)
    }
}

/// Whether `known` speaks for `presented`.
fn is(known: &KnownKey, presented: &PublicKey) -> bool {
    !known.revoked && known.key.key_data() == presented.key_data()
}

/// The key to name as the expected one: of the same kind if there is one.
fn nearest<'a>(known: &'a [KnownKey], presented: &PublicKey) -> Option<&'a KnownKey> {
    let mut valid = known.iter().filter(|known| !known.revoked);
    let same =
        valid.clone().find(|known| same_kind(&known.key.algorithm(), &presented.algorithm()));
    same.or_else(|| valid.next())
}

fn same_kind(a: &Algorithm, b: &Algorithm) -> bool {
    let is_rsa = |algorithm: &Algorithm| matches!(algorithm, Algorithm::Rsa { .. });
    a == b || (is_rsa(a) && is_rsa(b))
}

fn mismatch(presented: &PublicKey, known: &KnownKey, expected: String) -> Denial {
    Denial::Mismatch {
        presented: fingerprint(presented),
        expected,
        file: known.file.clone(),
        line: known.line,
    }
}

/// A key as pins know it; `None` for one of another kind.
pub(crate) fn host_key(key: &PublicKey) -> Option<HostKey> {
    key.key_data().ed25519().map(|key| HostKey::new(key.0))
}

pub(crate) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

#[cfg(test)]
mod tests;
