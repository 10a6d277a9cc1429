use stagecraft_core::error::{Code, Failure};
use stagecraft_core::event::HostEvent;
use stagecraft_core::inventory::{Instance, Lifecycle};
use stagecraft_core::remote::{OUTPUT_LINES, Target};

use crate::Engine;

impl Engine {
    /// Lets the network forget a host whose machine is about to be removed. Best effort: what fails is
    /// told, and holds nothing up.
    pub(crate) async fn sign_off(&self, instance: &Instance) {
        let Some(farewell) = self.network.as_ref().and_then(|network| network.farewell()) else {
            return;
        };
        if instance.lifecycle != Lifecycle::Running || self.cancel.is_stopping() {
            return;
        }
        let host = &instance.owner.host;
        let outcome = async {
            let target = Target::of(instance)
                .ok_or_else(|| Failure::new(Code::SSH_FAILED, "it has no address"))?;
            let Some(login) = self.login(&target, self.while_looking()).await? else {
                return Ok(());
            };
            let (step, doing) = ("network", farewell.doing.clone());
            self.tell(host, HostEvent::Doing { step, doing });
            let said = login.remote.run(&farewell.command).await;
            login.remote.close().await;
            let output = said.map_err(|error| Failure::from(&error))?;
            if output.success() {
                return Ok(());
            }
            let message = format!("{} failed with status {}", farewell.doing, output.status);
            let failure = Failure::new(Code::NETWORK_JOIN_FAILED, message);
            Err(failure.with_output(output.tail(OUTPUT_LINES)))
        };
        if let Err(mut failure) = outcome.await {
            failure.hints = farewell.hint.into_iter().collect();
            self.tell(host, HostEvent::NotSignedOff(failure));
        }
    }
}
