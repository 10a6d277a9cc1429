//! Gives a host that was verified by its first key one of its own. What to do is decided in
//! [`stagecraft_core::identity`].

use stagecraft_core::cloud::CloudProvider;
use stagecraft_core::converge::{StepReport, StepResult};
use stagecraft_core::error::{Code, Failure};
use stagecraft_core::event::HostEvent;
use stagecraft_core::guard::Confirmation;
use stagecraft_core::identity::{self, HostKey, Next, Pins};
use stagecraft_core::inventory::Instance;
use stagecraft_core::remote::{Command, OUTPUT_LINES, Output, Target};

use crate::Engine;
use crate::cancel::interrupted;
use crate::login::Login;
use crate::pace::Ask;

/// How often the exchange is begun: a host may have undone the switch before it was confirmed.
const ATTEMPTS: usize = 3;

impl Engine {
    /// Makes the key a host just presented its own, if it is not, and tells how that went.
    pub(crate) async fn identify<'e>(
        &'e self,
        instance: &Instance,
        login: Login<'e>,
    ) -> Result<Login<'e>, Failure> {
        let host = &instance.owner.host;
        let before = login.target.pins;
        let outcome = self.exchange(instance, login).await;
        let result = match &outcome {
            Ok(login) if login.remote.host_key().is_none() => return outcome,
            Ok(login) if login.target.pins == before => StepResult::Satisfied,
            Ok(_) => StepResult::Changed,
            Err(failure) if failure.code == Code::INTERRUPTED => StepResult::Skipped,
            Err(failure) => StepResult::Failed(failure.clone()),
        };
        let step = identity::STEP.to_owned();
        self.tell(host, HostEvent::Step(StepReport { step, result }));
        outcome
    }

    /// Pins the key that its owner believes to be a host's, instead of whatever is pinned.
    ///
    /// # Errors
    /// Why the provider does not take it.
    pub async fn trust(&self, instance: &Instance, key: HostKey) -> Result<(), Failure> {
        self.pin(instance, Pins::of_own(key)).await
    }

    async fn exchange<'e>(
        &'e self,
        instance: &Instance,
        mut login: Login<'e>,
    ) -> Result<Login<'e>, Failure> {
        let (mut begun, mut undone) = (0, 0);
        loop {
            let Some(presented) = login.remote.host_key() else { return Ok(login) };
            match identity::next(&login.target.pins, presented) {
                Next::Settled => return Ok(login),
                Next::Replace { .. } if begun == ATTEMPTS => {
                    let message = "it goes back to the key of its first boot each time";
                    return Err(Failure::new(Code::HOST_IDENTITY_FAILED, message));
                }
                Next::Replace { first } => {
                    begun += 1;
                    self.begin(instance, "making a host key of its own")?;
                    let said = run(&login, &identity::make(&first)).await?;
                    let own = identity::made(said)
                        .map_err(|said| failed("it could not make a host key of its own", &said))?;
                    let both = Pins { first: Some(first), own: Some(own) };
                    self.pin(&known(instance, login.target.pins), both).await?;
                    login.target.pins = both;
                    let doing = "switching to its own host key";
                    self.begin(instance, doing)?;
                    let (guard, change) = identity::switch(&own);
                    // Until sshd has it a new connection is met with the first key.
                    let target = Target { pins: Pins::of_own(own), ..login.target.clone() };
                    let code = Code::HOST_IDENTITY_FAILED;
                    login = self.arm(login, &target, &guard, &change, doing, code).await?;
                    login.target.pins = both;
                }
                Next::Confirm { own } => {
                    let (guard, _) = identity::switch(&own);
                    match self.confirm(&login, &guard).await? {
                        Confirmation::Kept => {
                            let pins = Pins::of_own(own);
                            self.pin(&known(instance, login.target.pins), pins).await?;
                            login.target.pins = pins;
                        }
                        Confirmation::Undone if undone == ATTEMPTS => {
                            let message = "its sshd presents a key that is not in \
                                           `/etc/ssh/ssh_host_ed25519_key` any more";
                            return Err(Failure::new(Code::HOST_IDENTITY_FAILED, message).with_hint(
                                "see on the host what `sshd -t` says, then run `systemctl restart ssh` there",
                            ));
                        }
                        Confirmation::Undone => {
                            undone += 1;
                            let target = login.target.clone();
                            let place = login.leave().await;
                            let fresh = self.connect_anew(&target, self.limits.look).await;
                            let fresh = fresh.map_err(|error| Failure::from(&error))?;
                            login = place.take(fresh, &target);
                        }
                        Confirmation::Failed(said) => {
                            return Err(failed("it did not confirm its own host key", &said));
                        }
                    }
                }
            }
        }
    }

    /// Tells that something is begun, unless the user asked to stop.
    fn begin(&self, instance: &Instance, doing: &str) -> Result<(), Failure> {
        if self.cancel.is_stopping() {
            return Err(interrupted());
        }
        let (step, doing) = (identity::STEP, doing.to_owned());
        self.tell(&instance.owner.host, HostEvent::Doing { step, doing });
        Ok(())
    }

    /// Pins these keys instead of those that are known to be.
    async fn pin(&self, known: &Instance, pins: Pins) -> Result<(), Failure> {
        let request = async |cloud: &dyn CloudProvider| cloud.pin(known, &pins).await;
        let host = &known.owner.host;
        self.change(host, known.provider, "pin the key of", || (), request).await
    }

    /// The keys that are pinned on a target's instance now; `None` when it is not there.
    ///
    /// # Errors
    /// Why the provider does not tell.
    pub async fn pins_of(&self, target: &Target) -> Result<Option<Pins>, Failure> {
        Ok(self.instance_of(target).await?.map(|instance| instance.pins))
    }

    /// A target's instance as it is now; `None` when it is not there.
    pub(crate) async fn instance_of(&self, target: &Target) -> Result<Option<Instance>, Failure> {
        let cloud = self.cloud(target.provider).map_err(|error| Failure::from(&error))?;
        let what = format!("look at host `{}`", target.host);
        let ask = Ask { provider: target.provider, what: &what, slots: None };
        self.repeat(
            &ask,
            async || cloud.get(&target.instance).await,
            |after, code| self.tell(&target.host, HostEvent::Retrying { after, code }),
        )
        .await
        .map_err(|error| Failure::from(&error))
    }
}

/// The instance with the keys that are known to be pinned on it by now.
fn known(instance: &Instance, pins: Pins) -> Instance {
    Instance { pins, ..instance.clone() }
}

async fn run(login: &Login<'_>, command: &Command) -> Result<Output, Failure> {
    login.remote.run(command).await.map_err(|error| Failure::from(&error))
}

fn failed(what: &str, said: &Output) -> Failure {
    let message = format!("{what} (status {})", said.status);
    Failure::new(Code::HOST_IDENTITY_FAILED, message).with_output(said.tail(OUTPUT_LINES))
}
