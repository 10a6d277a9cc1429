use std::collections::BTreeMap;
use std::sync::Arc;

use stagecraft_core::cloud::CloudProvider;
use stagecraft_core::desired::ProviderId;
use stagecraft_engine::{Cancel, Engine, Limits, Parts, TokioClock};

use super::{NoLogins, seed};
use crate::ui::Progress;

/// An engine that asks one account of a cloud something: with retries and pauses as always, and without
/// hosts.
pub(crate) fn engine_for(
    provider: ProviderId,
    client: Arc<dyn CloudProvider>,
    progress: &Progress,
) -> Engine {
    Engine::new(Parts {
        providers: BTreeMap::from([(provider, client)]),
        mint: None,
        network: None,
        connector: Arc::new(NoLogins),
        clock: Arc::new(TokioClock::new()),
        reporters: vec![Arc::new(progress.clone())],
        limits: Limits::default(),
        cancel: Cancel::new(),
        seed: seed(),
    })
}
