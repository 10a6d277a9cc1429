use std::pin::pin;
use std::time::Duration;

use stagecraft_core::error::{Code, Diagnose as _, Failure, Retry};
use stagecraft_core::event::HostEvent;
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::HostName;
use stagecraft_core::remote::{KeySource, Remote, RemoteError, Target};
use tokio::sync::SemaphorePermit;

use crate::Engine;

/// The pause after the first attempt; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// More than this of one attempt does not count: no attempt takes much longer, unless this process was
/// stopped or its machine slept meanwhile.
const LONGEST_TRY: Duration = Duration::from_secs(30);
/// A limit of one attempt is counted in pieces of this length, of which each counts once: a process that was
/// stopped learns of it when a piece is over.
const PIECE: Duration = Duration::from_secs(1);
/// A host that cannot be reached for this long may have another address by now; looked at again each time
/// it was waited for three times as long.
const MAY_HAVE_MOVED: Duration = Duration::from_secs(10);

/// How long a host is given to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// It may still be booting: silence and refused keys are normal for this long.
    Booting(Duration),
    /// It ran before: it gets a little time, and a refused key is final.
    Up(Duration),
}

/// An open connection, and its place among those that may be open at once.
#[derive(Debug)]
pub(crate) struct Login<'e> {
    pub(crate) remote: Box<dyn Remote>,
    /// Whom it was made to, with the keys that count by now.
    pub(crate) target: Target,
    /// How long it took, without waiting for a turn.
    pub(crate) took: Duration,
    place: Place<'e>,
}

/// A place among the connections that may be open at once.
#[derive(Debug)]
pub(crate) struct Place<'e> {
    _slot: Option<SemaphorePermit<'e>>,
}

/// A login that did not come about.
pub(crate) struct Unfinished {
    pub(crate) failure: Failure,
    /// Whether more time might have helped.
    pub(crate) of_time: bool,
}

impl<'e> Login<'e> {
    /// The instance, where it was reached.
    pub(crate) fn reached(&self, instance: &Instance) -> Instance {
        let endpoint = &self.target.endpoint;
        let address = endpoint.host.parse().ok();
        match &instance.ssh {
            Some(_) => Instance { ssh: Some(endpoint.clone()), ..instance.clone() },
            None => Instance { address: address.or(instance.address), ..instance.clone() },
        }
    }

    /// Closes the connection and keeps its place.
    pub(crate) async fn leave(self) -> Place<'e> {
        self.remote.close().await;
        self.place
    }
}

impl<'e> Place<'e> {
    /// Gives it to a connection.
    pub(crate) fn take(self, remote: Box<dyn Remote>, target: &Target) -> Login<'e> {
        Login { remote, target: target.clone(), took: Duration::ZERO, place: self }
    }
}

impl Engine {
    /// With a host that this run ordered or switched on.
    pub(crate) fn with_new(&self) -> Patience {
        Patience::Booting(self.limits.new_host_login)
    }

    /// With a host that was there before this run.
    pub(crate) fn with_old(&self) -> Patience {
        Patience::Up(self.limits.old_host_login)
    }

    /// With a host that is only looked at.
    pub(crate) fn while_looking(&self) -> Patience {
        Patience::Up(self.limits.look)
    }

    /// Connects to a host, waiting while it may still be booting. `None` when the user asked to
    /// stop meanwhile.
    pub(crate) async fn login(
        &self,
        target: &Target,
        patience: Patience,
    ) -> Result<Option<Login<'_>>, Failure> {
        let tell = |what| self.tell(&target.host, what);
        self.login_telling(target, patience, None, tell).await.map_err(|of| of.failure)
    }

    /// The same with a limit that ends an attempt that is under way, too.
    pub(crate) async fn login_within(
        &self,
        target: &Target,
        patience: Patience,
        limit: Duration,
    ) -> Result<Option<Login<'_>>, Unfinished> {
        let tell = |what| self.tell(&target.host, what);
        self.login_telling(target, patience, Some(limit), tell).await
    }

    /// The same for a host that nobody asked about.
    pub(crate) async fn login_quietly(
        &self,
        target: &Target,
        patience: Patience,
    ) -> Result<Option<Login<'_>>, Failure> {
        self.login_telling(target, patience, None, drop).await.map_err(|of| of.failure)
    }

    /// Does what connects to a host that is only looked at, again while nobody answers.
    ///
    /// # Errors
    /// When it fails in another way, or for longer than such a host is given.
    pub async fn until_reached<T>(
        &self,
        host: &HostName,
        attempt: impl AsyncFn() -> Result<T, RemoteError>,
    ) -> Result<T, Failure> {
        let patience = self.while_looking();
        let limit = self.limits.look;
        let (mut waited, mut pause) = (Duration::ZERO, FIRST_PAUSE);
        loop {
            let began = self.clock.now();
            let error = match attempt().await {
                Ok(reached) => return Ok(reached),
                Err(error) => error,
            };
            waited += self.clock.now().saturating_sub(began).min(LONGEST_TRY);
            if !may_come_up(&error, patience) {
                return Err(Failure::from(&error));
            }
            if waited >= limit {
                return Err(gave_up(&error, patience, waited));
            }
            self.tell(host, HostEvent::WaitingForSsh);
            let rest = pause.min(limit - waited);
            self.pause(rest).await;
            waited += rest;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn login_telling(
        &self,
        target: &Target,
        patience: Patience,
        most: Option<Duration>,
        tell: impl Fn(HostEvent),
    ) -> Result<Option<Login<'_>>, Unfinished> {
        let mut target = target.clone();
        let mut looked = false;
        let mut look = MAY_HAVE_MOVED;
        let (Patience::Booting(limit) | Patience::Up(limit)) = patience;
        // Waiting for a turn does not count.
        let mut waited = Duration::ZERO;
        let mut pause = FIRST_PAUSE;
        let mut told = false;
        let mut last: Option<RemoteError> = None;
        loop {
            // Held while trying and while connected, not between tries.
            let slot = match self.login_slots.get(&target.provider) {
                Some(slots) => slots.acquire().await.ok(),
                None => None,
            };
            if self.cancel.is_stopping() {
                return Ok(None);
            }
            if !std::mem::replace(&mut told, true) {
                tell(HostEvent::WaitingForSsh);
            }
            let left = most.map(|most| most.saturating_sub(waited));
            let (attempt, took) = self.at_most(left, self.connector.connect(&target)).await;
            let error = match attempt {
                Some(Ok(remote)) => {
                    tell(HostEvent::Connected);
                    let login = Place { _slot: slot }.take(remote, &target);
                    return Ok(Some(Login { took: waited + took, ..login }));
                }
                Some(Err(error)) => error,
                // What an attempt to its end came to says more than that there was no time for another.
                None => {
                    let spent = waited + took;
                    let failure = match last {
                        Some(error) => gave_up(&error, patience, spent),
                        None => unfinished(&target.host, spent),
                    };
                    return Err(Unfinished { failure, of_time: true });
                }
            };
            drop(slot);
            if is_not_pinned(&error) && !std::mem::replace(&mut looked, true) {
                // Another run may have given it a key of its own since its instance was listed.
                let pins = self.pins_of(&target).await.ok().flatten();
                if let Some(pins) = pins.filter(|pins| *pins != target.pins) {
                    target.pins = pins;
                    continue;
                }
            }
            waited += took;
            if !may_come_up(&error, patience) {
                return Err(Unfinished { failure: Failure::from(&error), of_time: false });
            }
            if waited >= limit {
                let of_time = most.is_some_and(|most| waited >= most);
                return Err(Unfinished { failure: gave_up(&error, patience, waited), of_time });
            }
            if waited >= look && matches!(error, RemoteError::Unreachable { .. }) {
                look = waited * 3;
                // It was listed when its cloud had not given it the address it is to have.
                let now = self.instance_of(&target).await.ok().flatten();
                if let Some(instance) = now
                    && let Some(endpoint) =
                        instance.endpoint().filter(|now| *now != target.endpoint)
                {
                    target.endpoint = endpoint;
                    tell(HostEvent::Running(Box::new(instance)));
                    continue;
                }
            }
            last = Some(error);
            // The last attempt is made when the time is up.
            let rest = pause.min(limit - waited);
            self.pause(rest).await;
            waited += rest;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// What comes of an attempt, and how long it took; nothing when the limit is reached first. Time in which
    /// the user is asked for something does not count towards it.
    async fn at_most<T>(
        &self,
        limit: Option<Duration>,
        attempt: impl Future<Output = T>,
    ) -> (Option<T>, Duration) {
        let Some(limit) = limit else {
            let began = self.clock.now();
            let outcome = attempt.await;
            return (Some(outcome), self.clock.now().saturating_sub(began).min(LONGEST_TRY));
        };
        let mut attempt = pin!(attempt);
        let mut spent = Duration::ZERO;
        while spent < limit {
            let (piece, began) = (PIECE.min(limit - spent), self.clock.now());
            let was_asking = self.connector.is_asking();
            let outcome = tokio::select! {
                biased;
                outcome = attempt.as_mut() => Some(outcome),
                () = self.clock.sleep(piece) => None,
            };
            if !was_asking && !self.connector.is_asking() {
                spent += self.clock.now().saturating_sub(began).min(piece);
            }
            if outcome.is_some() {
                return (outcome, spent);
            }
        }
        (None, limit)
    }
}

impl Engine {
    /// Connects to a host in the place of a connection that was closed. For so long whatever is wrong
    /// may pass: what serves SSH there is being changed.
    pub(crate) async fn connect_anew(
        &self,
        target: &Target,
        limit: Duration,
    ) -> Result<Box<dyn Remote>, RemoteError> {
        let began = self.clock.now();
        let mut pause = FIRST_PAUSE;
        loop {
            match self.connector.connect(target).await {
                Ok(remote) => return Ok(remote),
                Err(error) if self.clock.now().saturating_sub(began) > limit => return Err(error),
                Err(_) => self.clock.sleep(pause).await,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Whether another key was presented than those of the instance.
fn is_not_pinned(error: &RemoteError) -> bool {
    matches!(error, RemoteError::HostKeyMismatch { known_in: KeySource::Instance, .. })
}

/// Whether the failure is one that passes when a host has booted.
fn may_come_up(error: &RemoteError, patience: Patience) -> bool {
    match (error, error.retry()) {
        (RemoteError::Refused { .. }, _) => matches!(patience, Patience::Booting(_)),
        (_, Retry::After(_)) => true,
        (_, Retry::Never | Retry::Observe) => false,
    }
}

/// What is said when there was no time for any attempt to end. Who is silent, the host or another on the way
/// to it, nobody knows then.
fn unfinished(host: &HostName, spent: Duration) -> Failure {
    let message = format!("could not log in to `{host}` within {} s", spent.as_secs());
    Failure::new(Code::SSH_FAILED, message)
}

fn gave_up(error: &RemoteError, patience: Patience, waited: Duration) -> Failure {
    let mut failure = Failure::from(error);
    failure.code = Code::SSH_FAILED;
    failure.message = format!("{error}; gave up after {} s", waited.as_secs());
    let host_is_silent = !matches!(error, RemoteError::Unreachable { on_the_way: true, .. });
    match patience {
        Patience::Up(_) if host_is_silent => {
            failure.hints.push(
                "see whether the machine runs, `infra.bootstrap.ssh.port` is where SSH answers, and \
                 no firewall is in the way"
                    .to_owned(),
            );
            failure.hints.push(format!(
                "if the machine is broken, `stagecraft infra up --replace {}` makes a new, empty one, \
                 unless it is protected",
                error.host()
            ));
        }
        Patience::Up(_) | Patience::Booting(_) => {}
    }
    failure
}
