//! Whether the only private key to use can be used, found out before anything is made that needs it.

use std::collections::{BTreeMap, BTreeSet};

use stagecraft_core::desired::ProviderId;
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::Endpoint;
use stagecraft_core::name::HostName;
use stagecraft_core::remote::{RemoteError, Target};

use crate::auth::agent;
use crate::connect::SshConnector;
use crate::keyring::Lock;
use crate::keys::{KeyError, check_form, private_key};

impl SshConnector {
    /// Whether the only private key to use, if there is such, is open, is held by the agent of one of
    /// these hosts, or can be asked for.
    ///
    /// # Errors
    /// When it has a passphrase that nobody can give.
    pub async fn check_private_key(
        &self,
        hosts: &BTreeMap<HostName, ProviderId>,
    ) -> Result<(), RemoteError> {
        let Some(path) = &self.settings().private_key else { return Ok(()) };
        let Some(host) = hosts.keys().next() else { return Ok(()) };
        let is_locked = matches!(private_key(path), Err(KeyError::Encrypted { .. }));
        if !is_locked || matches!(self.keyring().lock(path), Lock::Open(_)) {
            return Ok(());
        }
        let targets = hosts.iter().map(|(host, &provider)| Target {
            host: host.clone(),
            provider,
            instance: host.as_str().into(),
            endpoint: Endpoint { host: host.to_string(), port: None },
            user: "root",
            pins: Pins::default(),
        });
        // A login that cannot be made out is told by the host it is for.
        let agents: BTreeSet<_> =
            targets.filter_map(|target| self.login(&target).ok()?.identities.agent).collect();
        for socket in agents {
            if agent::holds(&socket, path).await {
                return Ok(());
            }
        }
        let host = host.clone();
        check_form(path)
            .map_err(|error| RemoteError::Local { host: host.clone(), why: error.to_string() })?;
        match self.keyring().lock(path) {
            Lock::Open(_) | Lock::Closed => Ok(()),
            Lock::Stuck(why) => {
                Err(RemoteError::Locked { host, key: self.settings().show(path), why })
            }
        }
    }
}
