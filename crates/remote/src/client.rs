//! Our side of the protocol: algorithms, keepalive, and the decision about the server's key.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client::{Config, DisconnectReason, Handler};
use russh::keys::{Algorithm, PublicKey, PublicKeyOrCertificate};
use russh::{Preferred, cipher, compression, kex, mac};

use crate::failure::{describe, short};
use crate::host_keys::gate::{Denial, Gate};

/// After this long without a packet the server is asked for a sign of life.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// So many questions may stay without answer: a dead peer is noticed within half a minute.
const KEEPALIVE_UNANSWERED: usize = 2;

/// A connection without any packet for this long is dropped. Signs of life are asked for only once
/// logged in; this ends one that was given up before, when nobody waits for it any more. Time in which
/// this process was stopped or its machine slept counts as well, so it is not short.
const SILENCE_LIMIT: Duration = Duration::from_secs(5 * 60);

/// The configuration of a connection that asks for these host keys, best first.
///
/// Everything offered is in OpenSSH since 6.7; key exchange over finite fields, CBC, and SHA-1 in
/// any place are not.
pub(crate) fn config(host_keys: Vec<Algorithm>) -> Config {
    Config {
        preferred: Preferred {
            kex: Cow::Borrowed(&[
                kex::MLKEM768X25519_SHA256,
                kex::CURVE25519,
                kex::CURVE25519_PRE_RFC_8731,
                kex::ECDH_SHA2_NISTP256,
                kex::ECDH_SHA2_NISTP384,
                kex::ECDH_SHA2_NISTP521,
                kex::EXTENSION_SUPPORT_AS_CLIENT,
                kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
            ]),
            key: Cow::Owned(host_keys),
            host_key_certificates: Cow::Borrowed(&[]),
            cipher: Cow::Borrowed(&[
                cipher::CHACHA20_POLY1305,
                cipher::AES_256_GCM,
                cipher::AES_128_GCM,
                cipher::AES_256_CTR,
                cipher::AES_128_CTR,
            ]),
            mac: Cow::Borrowed(&[
                mac::HMAC_SHA256_ETM,
                mac::HMAC_SHA512_ETM,
                mac::HMAC_SHA256,
                mac::HMAC_SHA512,
            ]),
            compression: Cow::Borrowed(&[compression::NONE]),
        },
        keepalive_interval: Some(KEEPALIVE_INTERVAL),
        keepalive_max: KEEPALIVE_UNANSWERED,
        inactivity_timeout: Some(SILENCE_LIMIT),
        nodelay: true,
        ..Config::default()
    }
}

/// What a connection leaves behind for whoever waits on it.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    admitted: Mutex<Option<PublicKey>>,
    denial: Mutex<Option<Denial>>,
    ending: Mutex<Option<String>>,
}

impl Notes {
    /// The host key that was looked at, or let in because it is pinned.
    pub(crate) fn admitted(&self) -> Option<PublicKey> {
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why the server was not let in.
    pub(crate) fn denial(&self) -> Option<Denial> {
        self.denial.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn admit(&self, key: &PublicKey) {
        *self.admitted.lock().unwrap_or_else(PoisonError::into_inner) = Some(key.clone());
    }

    /// Why the connection ended, once it has.
    pub(crate) fn ending(&self) -> Option<String> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Listens to one server.
#[derive(Debug)]
pub(crate) struct Client {
    /// Who is let in; `None` where a key is only looked at.
    gate: Option<Arc<Gate>>,
    notes: Arc<Notes>,
}

impl Client {
    pub(crate) fn new(gate: Option<Arc<Gate>>, notes: Arc<Notes>) -> Self {
        Self { gate, notes }
    }
}

impl Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        presented: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = presented else {
            return Ok(false);
        };
        let Some(gate) = self.gate.clone() else {
            self.notes.admit(key);
            return Ok(true);
        };
        let by_pin = gate.pins().is_some();
        let presented = key.clone();
        let admitted = tokio::task::spawn_blocking(move || gate.admit(&presented)).await;
        match admitted {
            Ok(Ok(())) => {
                if by_pin {
                    self.notes.admit(key);
                }
                Ok(true)
            }
            Ok(Err(denial)) => {
                *self.notes.denial.lock().unwrap_or_else(PoisonError::into_inner) = Some(denial);
                Ok(false)
            }
            Err(_) => Ok(false),
        }
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<Self::Error>,
    ) -> Result<(), Self::Error> {
        let (ending, result) = match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                (format!("the server said `{}`", short(&info.message)), Ok(()))
            }
            DisconnectReason::Error(error) => (describe(&error), Err(error)),
        };
        *self.notes.ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(ending);
        result
    }
}
