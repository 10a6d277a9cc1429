//! One attempt to get from a target to a session, through jump hosts if need be.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use russh::client::{Handle, connect_stream};
use russh::keys::ssh_key::Fingerprint;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::remote::{Connector, Remote, RemoteError, Target};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::auth::{AuthFailure, Authentication};
use crate::client::{self, Client, Notes};
use crate::failure::{Peer, describe, describe_io};
use crate::host_keys::gate::Gate;
use crate::host_keys::{alias_of, name_at};
use crate::login::{Identities, Login, resolve};
use crate::session::{Handles, Session};
use crate::settings::SshSettings;
use crate::ssh_config::SshConfig;

/// Connects to hosts by SSH.
#[derive(Debug)]
pub struct SshConnector {
    settings: Arc<SshSettings>,
    /// The OpenSSH configuration, or why it cannot be used.
    config: Result<SshConfig, String>,
    /// The key that last worked, by provider.
    worked: Mutex<BTreeMap<ProviderId, Fingerprint>>,
}

/// A server on the way, the last one included.
struct Stop<'a> {
    peer: Peer,
    host: &'a str,
    port: u16,
    user: &'a str,
    identities: &'a Identities,
    /// What its host key is remembered under.
    alias: String,
    /// Whose hosts a key is known to work for.
    provider: Option<ProviderId>,
}

/// What carries a connection: TCP, or a channel of another connection.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
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
        Self { settings: Arc::new(settings), config, worked: Mutex::default() }
    }

    /// Connects to the first stop by TCP, and from each to the next.
    async fn travel(&self, target: &Target, login: &Login) -> Result<Session, RemoteError> {
        let stops = stops(target, login);
        let mut handles: Vec<Handle<Client>> = Vec::new();
        let mut notes = Arc::default();
        for stop in &stops {
            let settings = Arc::clone(&self.settings);
            let (host, port, alias) = (stop.host.to_owned(), stop.port, stop.alias.clone());
            let gate =
                tokio::task::spawn_blocking(move || Gate::open(&settings, &host, port, &alias));
            let (stream, gate) = tokio::join!(self.reach(stop, handles.last()), gate);
            let gate = gate
                .map_err(|error| stop.peer.local(error))?
                .map_err(|error| stop.peer.local(error))?;
            let (handle, its_notes) = self.enter(stop, stream?, gate).await?;
            handles.push(handle);
            notes = its_notes;
        }
        let (Some(host), Some(last)) = (handles.pop(), stops.into_iter().next_back()) else {
            unreachable!("the target itself is always a stop");
        };
        Ok(Session::new(last.peer, last.user, notes, Handles { host, jumps: handles }))
    }

    /// Gets a stream to a stop.
    async fn reach(
        &self,
        stop: &Stop<'_>,
        through: Option<&Handle<Client>>,
    ) -> Result<Box<dyn Stream>, RemoteError> {
        let limit = self.settings.connect_timeout;
        let no_answer =
            |_| stop.peer.unreachable(format!("no answer within {} s", limit.as_secs()));
        let Some(through) = through else {
            let stream = timeout(limit, TcpStream::connect((stop.host, stop.port)))
                .await
                .map_err(no_answer)?
                .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
                .map_err(|error| stop.peer.unreachable(describe_io(&error)))?;
            return Ok(Box::new(stream));
        };
        let opening =
            through.channel_open_direct_tcpip(stop.host, u32::from(stop.port), "127.0.0.1", 0);
        let channel = timeout(limit, opening).await.map_err(no_answer)?.map_err(|error| {
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
    ) -> Result<(Handle<Client>, Arc<Notes>), RemoteError> {
        let peer = &stop.peer;
        let config = Arc::new(client::config(gate.algorithms()));
        let notes: Arc<Notes> = Arc::default();
        let client = Client::new(Arc::new(gate), Arc::clone(&notes));
        let limit = self.settings.login_timeout;
        let entering = async {
            let mut handle = connect_stream(config, stream, client).await.map_err(|error| {
                match notes.denial() {
                    Some(denial) => peer.denied(denial, &self.settings),
                    None => peer.broken(&error),
                }
            })?;
            let auth = Authentication::new(&mut handle, stop.user, &self.settings);
            match auth.run(stop.identities, self.worked(stop.provider)).await {
                Ok(key) => {
                    self.remember(stop.provider, key);
                    Ok(handle)
                }
                Err(failure) => Err(explain(stop, failure, notes.ending())),
            }
        };
        let handle = timeout(limit, entering).await.map_err(|_| {
            peer.unreachable(format!("no SSH login within {} s", limit.as_secs()))
        })??;
        Ok((handle, notes))
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
        let local = |why: String| RemoteError::Local { host: target.host.clone(), why };
        let config = self.config.as_ref().map_err(|why| local(why.clone()))?;
        let login =
            resolve(target, &self.settings, config).map_err(|error| local(error.to_string()))?;
        match self.travel(target, &login).await {
            Ok(session) => Ok(Box::new(session)),
            Err(RemoteError::Unreachable { host, address, why }) if login.ignores_proxy_command => {
                let why = format!(
                    "{why} (the `ProxyCommand` of the SSH configuration is not run; use `ProxyJump`)"
                );
                Err(RemoteError::Unreachable { host, address, why })
            }
            Err(error) => Err(error),
        }
    }
}

/// The servers to log in to, the target last.
fn stops<'a>(target: &Target, login: &'a Login) -> Vec<Stop<'a>> {
    let mut stops: Vec<Stop<'a>> = login
        .jumps
        .iter()
        .map(|jump| Stop {
            peer: Peer::new(&target.host, &jump.host, jump.port, Some(&jump.name)),
            host: &jump.host,
            port: jump.port,
            user: &jump.user,
            identities: &jump.identities,
            alias: name_at(&jump.host, jump.port),
            provider: None,
        })
        .collect();
    stops.push(Stop {
        peer: Peer::new(&target.host, &login.host, login.port, None),
        host: &login.host,
        port: login.port,
        user: &login.user,
        identities: &login.identities,
        alias: alias_of(target.provider, &target.instance),
        provider: Some(target.provider),
    });
    stops
}

/// A failed login in the terms of the contract; `ending` is why the connection ended, if it did.
fn explain(stop: &Stop<'_>, failure: AuthFailure, ending: Option<String>) -> RemoteError {
    let because = ending.as_deref().map(|ending| format!(" ({ending})")).unwrap_or_default();
    match failure {
        AuthFailure::Refused(why) => stop.peer.refused(stop.user, why + &because),
        AuthFailure::Local(why) => stop.peer.local(why),
        AuthFailure::Closed => {
            stop.peer.unreachable(format!("the connection ended while logging in{because}"))
        }
    }
}
