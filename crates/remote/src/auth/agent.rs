//! The SSH agent.

use std::path::Path;
use std::time::Duration;

use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use tokio::net::UnixStream;

use super::offer::{Offer, public};

/// How long the agent may take to list its keys.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The agent at `socket` and the keys it holds; `None` when it does not answer.
pub(super) async fn list(socket: &Path) -> Option<(AgentClient<UnixStream>, Vec<AgentIdentity>)> {
    let listing = async {
        let mut agent = AgentClient::connect_uds(socket).await?;
        let identities = agent.request_identities().await?;
        Ok::<_, russh::keys::Error>((agent, identities))
    };
    tokio::time::timeout(TIMEOUT, listing).await.ok()?.ok()
}

/// Whether the agent at `socket` holds the private key of the file at `path`.
pub(crate) async fn holds(socket: &Path, path: &Path) -> bool {
    let Some(wanted) = public(path) else { return false };
    let Some((_, identities)) = list(socket).await else { return false };
    identities.into_iter().any(|identity| Offer::agent(identity).fingerprint == wanted)
}
