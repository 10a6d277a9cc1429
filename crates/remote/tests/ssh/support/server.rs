//! An SSH server inside the test. It runs nothing: what a command does is decided by its text.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::keys::{PrivateKey, PublicKey};
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, PublicKeyOffer, Session,
    VerifiedPublicKey, run_stream,
};
use russh::{Channel, ChannelId, Disconnect, MethodKind, MethodSet, Sig};
use tokio::net::TcpListener;

/// What a server has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    pub(crate) users: Vec<String>,
    pub(crate) offers: usize,
    pub(crate) logins: usize,
    pub(crate) commands: Vec<String>,
    pub(crate) input: Vec<u8>,
    pub(crate) signals: usize,
}

/// A running server; stops when dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) host_key: PublicKey,
    seen: Arc<Mutex<Seen>>,
    accepting: tokio::task::JoinHandle<()>,
}

/// How a server treats who logs in.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) authorized: Vec<PublicKey>,
    /// Keys after which the server wants something else besides.
    pub(crate) second_factor: bool,
    pub(crate) max_attempts: usize,
}

impl Rules {
    pub(crate) fn allow(keys: &[&PrivateKey]) -> Self {
        let authorized = keys.iter().map(|key| key.public_key().clone()).collect();
        Self { authorized, second_factor: false, max_attempts: 10 }
    }
}

impl Server {
    pub(crate) async fn start(rules: Rules) -> Self {
        Self::start_with(super::new_key(), rules).await
    }

    pub(crate) async fn start_with(host_key: PrivateKey, rules: Rules) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        Self::serve(listener, host_key, rules)
    }

    /// Another server in the place of this one, with another host key.
    pub(crate) async fn replaced(mut self, rules: Rules) -> Self {
        self.accepting.abort();
        assert!((&mut self.accepting).await.unwrap_err().is_cancelled());
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        Self::serve(listener, super::new_key(), rules)
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    fn serve(listener: TcpListener, host_key: PrivateKey, rules: Rules) -> Self {
        let public = host_key.public_key().clone();
        let config = Arc::new(Config {
            keys: vec![host_key],
            auth_rejection_time: Duration::ZERO,
            max_auth_attempts: rules.max_attempts,
            methods: MethodSet::from(&[MethodKind::PublicKey, MethodKind::Password][..]),
            nodelay: true,
            ..Config::default()
        });
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let (port, log) = (listener.local_addr().unwrap().port(), Arc::clone(&seen));
        let accepting = tokio::spawn(async move {
            let mut sessions = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                log.lock().unwrap().connections += 1;
                let connection = Connection { rules: rules.clone(), seen: Arc::clone(&log) };
                let config = Arc::clone(&config);
                sessions.spawn(async move {
                    if let Ok(session) = run_stream(config, stream, connection).await {
                        drop(session.await);
                    }
                });
            }
        });
        Self { port, host_key: public, seen, accepting }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Connection {
    rules: Rules,
    seen: Arc<Mutex<Seen>>,
}

impl Connection {
    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap());
    }

    fn knows(&self, key: &PublicKey) -> bool {
        self.rules.authorized.iter().any(|known| known.key_data() == key.key_data())
    }
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        self.note(|seen| {
            seen.offers += 1;
            seen.users.push(user.to_owned());
        });
        Ok(if self.knows(offer.public_key) { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(
        &mut self,
        _user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        if !self.knows(key.public_key) {
            return Ok(Auth::reject());
        }
        if self.rules.second_factor {
            let proceed_with_methods = Some(MethodSet::from(&[MethodKind::Password][..]));
            return Ok(Auth::Reject { proceed_with_methods, partial_success: true });
        }
        self.note(|seen| seen.logins += 1);
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let command = String::from_utf8(command.to_vec()).unwrap();
        self.note(|seen| seen.commands.push(command.clone()));
        if command == "refused" {
            return session.channel_failure(channel);
        }
        session.channel_success(channel)?;
        tokio::spawn(act(command, channel, session.handle()));
        Ok(())
    }

    async fn data(
        &mut self,
        _channel: ChannelId,
        data: &[u8],
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.note(|seen| seen.input.extend_from_slice(data));
        Ok(())
    }

    async fn channel_eof(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let (command, input) = {
            let seen = self.seen.lock().unwrap();
            (seen.commands.last().cloned(), seen.input.clone())
        };
        if command.is_some_and(|command| command.contains("cat")) {
            let handle = session.handle();
            tokio::spawn(async move {
                handle.data(channel, input).await.unwrap();
                end(&handle, channel, 0).await;
            });
        }
        Ok(())
    }

    async fn signal(
        &mut self,
        _channel: ChannelId,
        _signal: Sig,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.note(|seen| seen.signals += 1);
        Ok(())
    }
}

/// Plays the command.
async fn act(command: String, channel: ChannelId, session: Handle) {
    match command.as_str() {
        "both" => {
            session.data(channel, "out\n").await.unwrap();
            session.extended_data(channel, 1, "err\n").await.unwrap();
            end(&session, channel, 3).await;
        }
        "half" => {
            session.data(channel, "out\n").await.unwrap();
            session.extended_data(channel, 1, "err\n").await.unwrap();
        }
        "half mute" => {
            session.data(channel, "out\n").await.unwrap();
            session.close(channel).await.unwrap();
        }
        "flood" => {
            let block = vec![b'x'; 32 * 1024];
            for _ in 0..160 {
                session.data(channel, block.clone()).await.unwrap();
            }
            session.data(channel, "the end").await.unwrap();
            end(&session, channel, 0).await;
        }
        "endless" => {
            let block = vec![b'x'; 32 * 1024];
            while session.data(channel, block.clone()).await.is_ok() {}
        }
        "killed" => {
            let (signal, none) = (Sig::KILL, String::new());
            let told = session.exit_signal_request(channel, signal, false, none.clone(), none);
            told.await.unwrap();
            session.close(channel).await.unwrap();
        }
        "drop" => {
            let reason = Disconnect::ByApplication;
            session.disconnect(reason, "going down".to_owned(), String::new()).await.unwrap();
        }
        "mute" => session.close(channel).await.unwrap(),
        "true" | "sudo -n -- sh -c true" => end(&session, channel, 0).await,
        // Stays silent, or waits for the end of its input.
        _ => {}
    }
}

async fn end(session: &Handle, channel: ChannelId, status: u32) {
    session.exit_status_request(channel, status).await.unwrap();
    session.eof(channel).await.unwrap();
    session.close(channel).await.unwrap();
}
