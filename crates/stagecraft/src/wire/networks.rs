use std::sync::Arc;

use stagecraft_core::config::{Config, NetworkConfig};
use stagecraft_core::network::NetworkProvider;

/// The private network of the file; `None` where there is none.
pub(crate) fn network(config: &Config) -> Option<Arc<dyn NetworkProvider>> {
    match &config.network {
        NetworkConfig::None => None,
        NetworkConfig::WireGuard(network) => Some(Arc::new(network.clone())),
    }
}
