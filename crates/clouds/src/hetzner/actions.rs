//! What this process knows of the work that its orders started.
//!
//! The API tells of a server that could not be made only in the actions of its order, not in the
//! server itself. Actions are known by their ids to whoever ordered, so only the process that
//! ordered can ask for them; for others such a server never comes up.

use std::collections::{BTreeMap, BTreeSet};

use stagecraft_core::inventory::{Instance, Lifecycle};
use stagecraft_core::name::InstanceId;

use super::wire::{Action, ActionStatus};

/// Orders that have not come to an end, by server.
#[derive(Debug, Default)]
pub(super) struct Orders(BTreeMap<InstanceId, Order>);

#[derive(Debug, Default)]
struct Order {
    /// Actions that were not seen to end; they run in this order.
    open: BTreeSet<u64>,
    /// Why one of them failed.
    trouble: Option<String>,
}

impl Orders {
    /// Remembers what an order started.
    pub(super) fn began(&mut self, server: InstanceId, actions: &[Action]) {
        let open = actions.iter().map(|action| action.id).collect();
        self.0.insert(server, Order { open, trouble: None });
        self.went(actions);
    }

    /// The actions worth asking for: of each server that is not up yet, the one that runs now.
    pub(super) fn open(&self, listed: &[Instance]) -> Vec<u64> {
        let waiting = listed.iter().filter(|instance| is_waiting(instance));
        waiting.filter_map(|instance| self.0.get(&instance.id)?.open.first().copied()).collect()
    }

    /// Takes in how actions went. Those that ended are forgotten, but not why they failed.
    pub(super) fn went(&mut self, actions: &[Action]) {
        for action in actions {
            let failed = match action.status {
                ActionStatus::Success => false,
                ActionStatus::Error => true,
                ActionStatus::Running | ActionStatus::Other => continue,
            };
            for order in self.0.values_mut() {
                if order.open.remove(&action.id) && failed {
                    order.trouble = Some(trouble(action));
                }
            }
        }
    }

    /// Forgets actions that the API no longer knows.
    pub(super) fn forget(&mut self, actions: &[u64]) {
        for order in self.0.values_mut() {
            order.open.retain(|open| !actions.contains(open));
        }
    }

    /// Forgets what a server was ordered with.
    pub(super) fn end(&mut self, server: &InstanceId) {
        self.0.remove(server);
    }

    /// Adds to what is seen of a server what is known of its order.
    ///
    /// Every order brings an IPv4, so a server that has only an IPv6 is not up yet if it was
    /// ordered here, or by anybody `just_now`.
    pub(super) fn add_to(&mut self, instance: &mut Instance, just_now: bool) {
        if (just_now || self.0.contains_key(&instance.id))
            && instance.lifecycle == Lifecycle::Running
            && instance.address.is_some_and(|address| address.is_ipv6())
        {
            (instance.lifecycle, instance.address) = (Lifecycle::Pending, None);
        }
        if !is_waiting(instance) {
            self.end(&instance.id);
            return;
        }
        let trouble = self.0.get(&instance.id).and_then(|order| order.trouble.as_ref());
        if let Some(trouble) = trouble {
            instance.lifecycle = Lifecycle::Failed;
            instance.trouble = Some(trouble.clone());
        }
    }
}

/// Why an action failed, in the provider's words.
pub(super) fn trouble(action: &Action) -> String {
    let error = action.error.as_ref();
    let code = error.and_then(|error| error.code.as_deref()).filter(|code| !code.is_empty());
    let message = error.and_then(|error| error.message.as_deref()).unwrap_or_default();
    match (message, code) {
        ("", None) => "it does not say why".to_owned(),
        ("", Some(code)) => code.to_owned(),
        (message, None) => message.to_owned(),
        (message, Some(code)) => format!("{message} ({code})"),
    }
}

/// Whether a server may still be on its way up. One that could not be made may be left switched off.
fn is_waiting(instance: &Instance) -> bool {
    match instance.lifecycle {
        Lifecycle::Pending | Lifecycle::Stopped => true,
        Lifecycle::Running | Lifecycle::Terminating | Lifecycle::Terminated | Lifecycle::Failed => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hetzner::exchange;
    use crate::hetzner::fixtures::{action, server};

    #[test]
    fn only_actions_of_servers_that_are_not_up_are_asked_for_one_at_a_time() {
        let mut orders = Orders::default();
        orders.began("1".into(), &[read(10, "running"), read(11, "running")]);
        orders.began("2".into(), &[read(20, "running")]);
        let listed = [seen(1, "initializing"), seen(2, "running"), seen(3, "initializing")];
        assert_eq!(orders.open(&listed), [10]);
        orders.went(&[read(10, "success")]);
        assert_eq!(orders.open(&listed), [11]);
        orders.went(&[read(11, "success")]);
        assert_eq!(orders.open(&listed), Vec::<u64>::new());
    }

    #[test]
    fn a_failed_action_fails_the_server_for_as_long_as_it_is_not_up() {
        let mut orders = Orders::default();
        orders.began("1".into(), &[read(10, "running"), read(11, "running")]);
        orders.went(&[read(10, "error")]);
        for status in ["initializing", "off", "initializing"] {
            let mut instance = seen(1, status);
            orders.add_to(&mut instance, false);
            assert_eq!(instance.lifecycle, Lifecycle::Failed, "{status}");
            assert_eq!(instance.trouble.as_deref(), Some("Action failed (action_failed)"));
        }
        let mut instance = seen(1, "running");
        orders.add_to(&mut instance, false);
        assert_eq!((instance.lifecycle, instance.trouble), (Lifecycle::Running, None));
        let mut later = seen(1, "off");
        orders.add_to(&mut later, false);
        assert_eq!(later.lifecycle, Lifecycle::Stopped, "what came up did not fail to");
    }

    #[test]
    fn a_status_nobody_knows_is_not_an_end() {
        let mut orders = Orders::default();
        orders.began("1".into(), &[read(10, "queued")]);
        orders.went(&[read(10, "paused")]);
        assert_eq!(orders.open(&[seen(1, "initializing")]), [10]);
    }

    #[test]
    fn an_order_that_failed_at_once_needs_no_question() {
        let mut orders = Orders::default();
        orders.began("1".into(), &[read(10, "error")]);
        let mut instance = seen(1, "initializing");
        assert_eq!(orders.open(std::slice::from_ref(&instance)), Vec::<u64>::new());
        orders.add_to(&mut instance, false);
        assert_eq!(instance.lifecycle, Lifecycle::Failed);
    }

    #[test]
    fn actions_the_api_no_longer_knows_are_forgotten() {
        let mut orders = Orders::default();
        orders.began("1".into(), &[read(10, "running"), read(11, "running")]);
        orders.forget(&[10, 11]);
        let mut instance = seen(1, "initializing");
        assert_eq!(orders.open(std::slice::from_ref(&instance)), Vec::<u64>::new());
        orders.add_to(&mut instance, false);
        assert_eq!(instance.lifecycle, Lifecycle::Pending);
    }

    #[test]
    fn a_server_that_was_ordered_here_is_not_up_before_it_has_its_ipv4() {
        let mut orders = Orders::default();
        orders.began("1".into(), &[read(10, "success")]);
        let mut bare = server(1, "db-1");
        bare["public_net"]["ipv4"] = serde_json::Value::Null;
        let bare = exchange::instance(&serde_json::from_value(bare).unwrap()).unwrap();
        assert_eq!(bare.lifecycle, Lifecycle::Running, "others go by what they see");
        let mut instance = bare.clone();
        orders.add_to(&mut instance, false);
        assert_eq!((instance.lifecycle, instance.address), (Lifecycle::Pending, None));
        let mut complete = seen(1, "running");
        orders.add_to(&mut complete, false);
        assert_eq!(complete, seen(1, "running"));
        let mut later = bare.clone();
        orders.add_to(&mut later, false);
        assert_eq!(later, bare, "once it was up, an IPv4 that is gone was taken away");
        orders.add_to(&mut later, true);
        assert_eq!(later.lifecycle, Lifecycle::Pending, "somebody else ordered it just now");
    }

    #[test]
    fn trouble_is_told_even_if_the_provider_says_little() {
        let told = |error| {
            let mut action = read(1, "error");
            action.error = serde_json::from_value(error).unwrap();
            trouble(&action)
        };
        assert_eq!(told(serde_json::json!({ "code": "c", "message": "m" })), "m (c)");
        assert_eq!(told(serde_json::json!({ "message": "m" })), "m");
        assert_eq!(told(serde_json::json!({ "code": "c", "message": "" })), "c");
        assert_eq!(told(serde_json::Value::Null), "it does not say why");
    }

    fn read(id: u64, status: &str) -> Action {
        serde_json::from_value(action(id, status)).unwrap()
    }

    fn seen(id: u64, status: &str) -> Instance {
        let mut server = server(id, "db-1");
        server["status"] = status.into();
        exchange::instance(&serde_json::from_value(server).unwrap()).unwrap()
    }
}
