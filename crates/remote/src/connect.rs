//! One attempt to get from a target to a session, through jump hosts if need be.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use russh::client::{Handle, connect_stream};
use russh::keys::ssh_key::Fingerprint;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::identity::Pins;
use stagecraft_core::remote::{Connector, Remote, RemoteError, Target};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::auth::{AuthFailure, Authentication};
use crate::client::{self, Client, Notes};
use crate::failure::{Peer, describe, describe_io};
use crate::host_keys::gate::Gate;
use crate::host_keys::{alias_of, name_at};
use crate::keyring::{Keyring, Passphrases};
use crate::login::{Identities, Jump, Login, resolve};
use crate::patience::Patience;
use crate::session::{Handles, Session};
use crate::settings::SshSettings;
use crate::ssh_config::SshConfig;

/// Connects to hosts by SSH.
#[derive(Debug)]
pub struct SshConnector {
    settings: Arc<SshSettings>,
    /// The OpenSSH configuration, or why it cannot be used.
    config: Result<SshConfig, String>,
    keyring: Keyring,
    /// The key that last worked, by provider.
    worked: Mutex<BTreeMap<ProviderId, Fingerprint>>,
}

/// A server on the way, the last one included.
pub(crate) struct Stop<'a> {
    pub(crate) peer: Peer,
    host: &'a str,
    port: u16,
    user: &'a str,
    identities: &'a Identities,
    /// What its host key is remembered under.
    alias: String,
    /// The host keys pinned on its instance; a host on the way has none.
    pins: Pins,
    /// Whose hosts a key is known to work for.
    provider: Option<ProviderId>,
}

/// Everything before the last key exchange.
pub(crate) struct Way<'a> {
    pub(crate) stop: Stop<'a>,
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) gate: Gate,
    /// The connections to the hosts it leads through, outermost first.
    pub(crate) jumps: Vec<Handle<Client>>,
}

/// How an attempt to log in ended.
enum Entry {
    In(Handle<Client>, Arc<Notes>),
    /// The passphrase of this key is needed first.
    Locked(PathBuf),
}

/// A stop that let us in.
struct Entered<'a> {
    stop: Stop<'a>,
    handle: Handle<Client>,
    notes: Arc<Notes>,
}

/// What carries a connection: TCP, or a channel of another connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl SshConnector {
    /// A connector with these settings; reads the OpenSSH configuration file they name.
    ///
    /// That the file cannot be used is reported by each [`Connector::connect`].
    #[must_use]
    pub fn new(settings: SshSettings) -> Self {
        let config = match &settings.ssh_config {
            Some(path) => {
                SshConfig::load(path, settings.home.as_deref()).map_err(|error| error.to_string())
            }
            None => Ok(SshConfig::default()),
        };
        let settings = Arc::new(settings);
        let keyring = Keyring::new(Arc::clone(&settings), None);
        Self { settings, config, keyring, worked: Mutex::default() }
    }

    /// The same with somebody who can be asked for passphrases.
    #[must_use]
    pub fn asking(mut self, passphrases: Arc<dyn Passphrases>) -> Self {
        self.keyring = Keyring::new(Arc::clone(&self.settings), Some(passphrases));
        self
    }

    pub(crate) fn settings(&self) -> &SshSettings {
        &self.settings
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// How to log in to a target.
    pub(crate) fn login(&self, target: &Target) -> Result<Login, RemoteError> {
        let local = |why: String| RemoteError::Local { host: target.host.clone(), why };
        let config = self.config.as_ref().map_err(|why| local(why.clone()))?;
        resolve(target, &self.settings, config).map_err(|error| local(error.to_string()))
    }

    /// Goes all the way to a target but the last step: by TCP to the first stop, and from each to the
    /// next.
    pub(crate) async fn way<'l>(
        &self,
        target: &Target,
        login: &'l Login,
    ) -> Result<Way<'l>, RemoteError> {
        let mut jumps: Vec<Handle<Client>> = Vec::new();
        for jump in &login.jumps {
            let (stop, stream, gate) = self.approach(Stop::jump(target, jump), &jumps).await?;
            let entered = self.get_in(stop, stream, gate, &jumps).await?;
            jumps.push(entered.handle);
        }
        let (stop, stream, gate) = self.approach(Stop::last(target, login), &jumps).await?;
        Ok(Way { stop, stream, gate, jumps })
    }

    async fn approach<'l>(
        &self,
        stop: Stop<'l>,
        jumps: &[Handle<Client>],
    ) -> Result<(Stop<'l>, Box<dyn Stream>, Gate), RemoteError> {
        let (stream, gate) = tokio::join!(self.reach(&stop, jumps.last()), self.gate(&stop));
        Ok((stop, stream?, gate?))
    }

    async fn travel(&self, target: &Target, login: &Login) -> Result<Session, RemoteError> {
        let Way { stop, stream, gate, jumps } = self.way(target, login).await?;
        let Entered { stop, handle, notes } = self.get_in(stop, stream, gate, &jumps).await?;
        Ok(Session::new(stop.peer, stop.user, notes, Handles { host: handle, jumps }))
    }

    /// Logs in; when that takes the passphrase of a key, asks for it and comes again. Meanwhile no
    /// connection waits, which the server would end.
    async fn get_in<'l>(
        &self,
        mut stop: Stop<'l>,
        mut stream: Box<dyn Stream>,
        mut gate: Gate,
        jumps: &[Handle<Client>],
    ) -> Result<Entered<'l>, RemoteError> {
        loop {
            match self.enter(&stop, stream, gate).await? {
                Entry::In(handle, notes) => return Ok(Entered { stop, handle, notes }),
                Entry::Locked(key) => {
                    self.keyring.unlock(&key).await;
                    (stop, stream, gate) = self.approach(stop, jumps).await?;
                }
            }
        }
    }

    /// What is known of a stop's host key.
    async fn gate(&self, stop: &Stop<'_>) -> Result<Gate, RemoteError> {
        let settings = Arc::clone(&self.settings);
        let (host, port, alias, pins) =
            (stop.host.to_owned(), stop.port, stop.alias.clone(), stop.pins);
        let opening =
            tokio::task::spawn_blocking(move || Gate::open(&settings, &host, port, &alias, pins));
        let opened = opening.await.map_err(|error| stop.peer.local(error))?;
        opened.map_err(|error| stop.peer.store(error))
    }

    /// Gets a stream to a stop.
    async fn reach(
        &self,
        stop: &Stop<'_>,
        through: Option<&Handle<Client>>,
    ) -> Result<Box<dyn Stream>, RemoteError> {
        let limit = self.settings.connect_timeout;
        let no_answer = || stop.peer.unreachable(format!("no answer within {} s", limit.as_secs()));
        let mut patience = Patience::new(limit);
        let Some(through) = through else {
            let stream = patience
                .wait_for(TcpStream::connect((stop.host, stop.port)))
                .await
                .ok_or_else(no_answer)?
                .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
                .map_err(|error| stop.peer.unreachable(describe_io(&error)))?;
            return Ok(Box::new(stream));
        };
        let opening =
            through.channel_open_direct_tcpip(stop.host, u32::from(stop.port), "127.0.0.1", 0);
        let channel = patience.wait_for(opening).await.ok_or_else(no_answer)?.map_err(|error| {
            let why = format!("the jump host before it could not connect: {}", describe(&error));
            stop.peer.unreachable(why)
        })?;
        Ok(Box::new(channel.into_stream()))
    }

    /// Key exchange, the decision about the host key, and logging in.
    async fn enter(
        &self,
        stop: &Stop<'_>,
        stream: Box<dyn Stream>,
        gate: Gate,
    ) -> Result<Entry, RemoteError> {
        let peer = &stop.peer;
        let config = Arc::new(client::config(gate.algorithms()));
        let notes: Arc<Notes> = Arc::default();
        let client = Client::new(Some(Arc::new(gate)), Arc::clone(&notes));
        let limit = self.settings.login_timeout;
        let entering = async {
            let mut handle = connect_stream(config, stream, client).await.map_err(|error| {
                match notes.denial() {
                    Some(denial) => peer.denied(denial, &self.settings),
                    None => peer.broken(&error),
                }
            })?;
            let auth = Authentication::new(&mut handle, stop.user, &self.settings, &self.keyring);
            match auth.run(stop.identities, self.worked(stop.provider)).await {
                Ok(key) => {
                    self.remember(stop.provider, key);
                    Ok(Entry::In(handle, Arc::clone(&notes)))
                }
                Err(failure) => explain(stop, failure, notes.ending()),
            }
        };
        Patience::new(limit)
            .wait_for(entering)
            .await
            .ok_or_else(|| peer.unreachable(format!("no SSH login within {} s", limit.as_secs())))?
    }

    fn worked(&self, provider: Option<ProviderId>) -> Option<Fingerprint> {
        let worked = self.worked.lock().unwrap_or_else(PoisonError::into_inner);
        worked.get(&provider?).copied()
    }

    fn remember(&self, provider: Option<ProviderId>, key: Fingerprint) {
        if let Some(provider) = provider {
            let mut worked = self.worked.lock().unwrap_or_else(PoisonError::into_inner);
            worked.insert(provider, key);
        }
    }
}

#[async_trait]
impl Connector for SshConnector {
    async fn connect(&self, target: &Target) -> Result<Box<dyn Remote>, RemoteError> {
        let login = self.login(target)?;
        match self.travel(target, &login).await {
            Ok(session) => Ok(Box::new(session)),
            Err(mut error) => {
                if let RemoteError::Unreachable { why, .. } = &mut error
                    && login.ignores_proxy_command
                {
                    why.push_str(
                        " (the `ProxyCommand` of the SSH configuration is not run; use `ProxyJump`)",
                    );
                }
                Err(error)
            }
        }
    }

    fn is_asking(&self) -> bool {
        self.keyring.is_asking()
    }
}

impl<'l> Stop<'l> {
    /// A host to go through.
    fn jump(target: &Target, jump: &'l Jump) -> Self {
        Self {
            peer: Peer::new(&target.host, &jump.host, jump.port, Some(&jump.name)),
            host: &jump.host,
            port: jump.port,
            user: &jump.user,
            identities: &jump.identities,
            alias: name_at(&jump.host, jump.port),
            pins: Pins::default(),
            provider: None,
        }
    }

    /// The target itself.
    fn last(target: &Target, login: &'l Login) -> Self {
        Self {
            peer: Peer::new(&target.host, &login.host, login.port, None),
            host: &login.host,
            port: login.port,
            user: &login.user,
            identities: &login.identities,
            alias: alias_of(target.provider, &target.instance),
            pins: target.pins,
            provider: Some(target.provider),
        }
    }
}

/// A failed login in the terms of the contract; `ending` is why the connection ended, if it did.
fn explain(
    stop: &Stop<'_>,
    failure: AuthFailure,
    ending: Option<String>,
) -> Result<Entry, RemoteError> {
    let because = ending.as_deref().map(|ending| format!(" ({ending})")).unwrap_or_default();
    Err(match failure {
        AuthFailure::Refused(why) => stop.peer.refused(stop.user, why + &because),
        AuthFailure::Local(why) => stop.peer.local(why),
        AuthFailure::Stuck { key, why } => stop.peer.locked(key, why),
        AuthFailure::Locked(key) => return Ok(Entry::Locked(key)),
        AuthFailure::Closed => {
            stop.peer.unreachable(format!("the connection ended while logging in{because}"))
        }
    })
}
