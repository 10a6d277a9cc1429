//! Looks at the key a server presents, without logging in to it.

use std::path::Path;
use std::sync::Arc;

use russh::Disconnect;
use russh::client::connect_stream;
use stagecraft_core::identity::HostKey;
use stagecraft_core::remote::{RemoteError, Target};

use crate::SshConnector;
use crate::client::{self, Client, Notes};
use crate::connect::Way;
use crate::host_keys::gate::{ALGORITHMS, fingerprint, host_key};
use crate::patience::Patience;

/// The key a server presents and has proved to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Its fingerprint, as OpenSSH shows it.
    pub fingerprint: String,
    /// Its algorithm, e.g. `ssh-ed25519`.
    pub algorithm: String,
    /// The key itself, if it is one that can be pinned.
    pub key: Option<HostKey>,
    /// Where it is known already, e.g. `~/.ssh/known_hosts:12`.
    pub known_in: Vec<String>,
    /// Another key that was remembered on first contact with this instance: its fingerprint, and where
    /// it stands.
    pub remembered: Option<(String, String)>,
    /// Whether the user's known-hosts files say that it must never be believed.
    pub revoked: bool,
}

impl SshConnector {
    /// Connects to `target` as far as its host key, whatever it is. Nobody is logged in, and nothing
    /// is remembered. Hosts on the way are judged as always.
    ///
    /// # Errors
    /// As [`stagecraft_core::remote::Connector::connect`].
    pub async fn scan(&self, target: &Target) -> Result<Presented, RemoteError> {
        let login = self.login(target)?;
        let Way { stop, stream, gate, jumps: _open } = self.way(target, &login).await?;
        let notes: Arc<Notes> = Arc::default();
        let config = Arc::new(client::config(ALGORITHMS.into()));
        let looking = connect_stream(config, stream, Client::new(None, Arc::clone(&notes)));
        let limit = self.settings().login_timeout;
        let handle = Patience::new(limit)
            .wait_for(looking)
            .await
            .ok_or_else(|| stop.peer.unreachable(format!("no key within {} s", limit.as_secs())))?
            .map_err(|error| stop.peer.broken(&error))?;
        let _however_it_ends = handle.disconnect(Disconnect::ByApplication, "done", "").await;
        let key = notes.admitted().ok_or_else(|| stop.peer.unreachable("it presented no key"))?;
        let place = |file: &Path, line| format!("{}:{line}", self.settings().show(file));
        let places = gate.places_of(&key).map_err(|error| stop.peer.store(error))?;
        let other = gate.remembered_another(&key).map_err(|error| stop.peer.store(error))?;
        Ok(Presented {
            fingerprint: fingerprint(&key),
            algorithm: key.algorithm().to_string(),
            key: host_key(&key),
            revoked: host_key(&key).is_some_and(|key| gate.revokes(&key)),
            known_in: places.iter().map(|(file, line)| place(file, *line)).collect(),
            remembered: other
                .map(|known| (fingerprint(&known.key), place(&known.file, known.line))),
        })
    }
}
