//! The network all hosts of one engine share.
//!
//! One bridge, made on demand and left behind: it is what makes hosts reach each other. Docker lets
//! two networks have one name, so of two runs that make it at once both would succeed, and the
//! name would be ambiguous from then on. It does not let two bridges have one interface, so the
//! interface is named.

use std::collections::HashMap;

use bollard::models::NetworkCreateRequest;
use bollard::query_parameters::ListNetworksOptions;
use stagecraft_core::cloud::{CloudError, CloudErrorKind};

use super::engine::Engine;
use super::exchange::label_filters;
use super::fault::Fault;
use super::host::NETWORK;
use super::{labels, machine};
use crate::Doing;

/// The bridge as the engine's machine sees it; at most 15 characters.
const INTERFACE: &str = "stagecraft0";

/// Makes sure that the network is there.
///
/// # Errors
/// [`CloudErrorKind::Conflict`] when a network of this name, or the interface, is somebody else's.
pub async fn ensure(engine: &Engine, doing: &Doing) -> Result<(), CloudError> {
    let failed = |error: bollard::errors::Error| Fault::from(error).explain(doing, &engine.address);
    if exists(engine).await.map_err(failed)? {
        return Ok(());
    }
    let mtu = if engine.same_machine { machine::uplink_mtu() } else { None };
    let Err(error) = engine.docker.create_network(request(mtu)).await else {
        return Ok(());
    };
    // Whatever the engine objected to, it does not matter if the network is there now.
    if exists(engine).await.map_err(failed)? {
        return Ok(());
    }
    let fault = Fault::from(error);
    Err(match fault.answer() {
        Some((403 | 409, _)) => doing
            .failed(CloudErrorKind::Conflict(format!(
                "the network `{NETWORK}` cannot be made: something else uses its name or the interface `{INTERFACE}`"
            )))
            .with_hint(format!("see `docker network inspect {NETWORK}`, and remove or rename it")),
        Some(_) | None => fault.explain(doing, &engine.address),
    })
}

async fn exists(engine: &Engine) -> Result<bool, bollard::errors::Error> {
    let filters = Some(label_filters(vec![labels::NETWORK.to_owned()]));
    let found = engine.docker.list_networks(Some(ListNetworksOptions { filters })).await?;
    Ok(found.iter().any(|network| network.name.as_deref() == Some(NETWORK)))
}

fn request(mtu: Option<u32>) -> NetworkCreateRequest {
    let mut options =
        HashMap::from([("com.docker.network.bridge.name".to_owned(), INTERFACE.to_owned())]);
    if let Some(mtu) = mtu {
        options.insert("com.docker.network.driver.mtu".to_owned(), mtu.to_string());
    }
    NetworkCreateRequest {
        name: NETWORK.to_owned(),
        driver: Some("bridge".to_owned()),
        options: Some(options),
        labels: Some(labels::labels_from([(labels::NETWORK, "hosts".to_owned())])),
        ..NetworkCreateRequest::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interface_is_named_so_that_two_networks_cannot_both_be_made() {
        let options = request(Some(1400)).options.unwrap();
        assert_eq!(options["com.docker.network.bridge.name"], INTERFACE);
        assert_eq!(options["com.docker.network.driver.mtu"], "1400");
        assert!(INTERFACE.len() <= 15);
        assert_eq!(request(None).options.unwrap().len(), 1);
    }
}
