//! An open connection: runs commands, one channel each.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use russh::client::{Handle, Msg};
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect, Sig};
use stagecraft_core::identity::HostKey;
use stagecraft_core::remote::{Command, Output, Remote, RemoteError};
use tokio::sync::RwLock;
use tokio::time::timeout;

use crate::client::{Client, Notes};
use crate::failure::{Peer, describe};
use crate::host_keys::gate::host_key;
use crate::output::Tail;
use crate::patience::Patience;

/// How much is kept of each of a command's two outputs: the end.
const OUTPUT_LIMIT: usize = 1024 * 1024;

/// Limit for the last words to a server.
const GOODBYE: Duration = Duration::from_secs(1);

/// The extended data type of standard error.
const STDERR: u32 = 1;

/// A logged-in connection.
pub(crate) struct Session {
    peer: Peer,
    is_root: bool,
    notes: Arc<Notes>,
    /// `None` once closed.
    handles: RwLock<Option<Handles>>,
}

/// The connection itself and those to the jump hosts it runs through, outermost first.
pub(crate) struct Handles {
    pub(crate) host: Handle<Client>,
    pub(crate) jumps: Vec<Handle<Client>>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(peer: Peer, user: &str, notes: Arc<Notes>, handles: Handles) -> Self {
        Self { peer, is_root: user == "root", notes, handles: RwLock::new(Some(handles)) }
    }

    async fn open(&self, command: &Command) -> Result<Channel<Msg>, RemoteError> {
        let handles = self.handles.read().await;
        let Some(handles) = handles.as_ref() else {
            return Err(self.lost(command, "it was closed before".to_owned()));
        };
        handles.host.channel_open_session().await.map_err(|error| self.lost_by(command, &error))
    }

    fn lost(&self, command: &Command, why: String) -> RemoteError {
        let (host, command) = (self.peer.host.clone(), command.display());
        RemoteError::Lost { host, command, why, printed: Vec::new() }
    }

    fn lost_by(&self, command: &Command, error: &russh::Error) -> RemoteError {
        self.lost(command, self.notes.ending().unwrap_or_else(|| describe(error)))
    }

    /// Starts the command and stays with it until the server closes the channel, or more comes than may;
    /// gives its status.
    async fn converse(
        &self,
        command: &Command,
        read: &mut ChannelReadHalf,
        write: &ChannelWriteHalf<Msg>,
        heard: &mut Heard,
    ) -> Result<i32, RemoteError> {
        write
            .exec(true, shell_line(command, self.is_root))
            .await
            .map_err(|error| self.lost_by(command, &error))?;
        let input = async {
            if let Some(bytes) = command.stdin() {
                // A command may end without reading its input; how it ends says the rest.
                if write.data_bytes(bytes.to_vec()).await.is_err() {
                    return;
                }
            }
            let _said_by_the_reading_side = write.eof().await;
        };
        tokio::pin!(input);
        let mut input_done = false;
        let mut status = None;
        loop {
            let message = tokio::select! {
                message = read.wait() => message,
                () = &mut input, if !input_done => {
                    input_done = true;
                    continue;
                }
            };
            match message {
                Some(ChannelMsg::Data { data }) => heard.stdout.push(&data),
                Some(ChannelMsg::ExtendedData { data, ext: STDERR }) => heard.stderr.push(&data),
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    status = Some(i32::try_from(exit_status).unwrap_or(i32::MAX));
                }
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    status = Some(128 + signal_number(&signal_name));
                }
                Some(ChannelMsg::Failure) => {
                    return Err(self.lost(command, "the server refuses to run commands".to_owned()));
                }
                Some(ChannelMsg::Close) => break,
                Some(_) => {}
                None => return Err(self.lost_by(command, &russh::Error::Disconnect)),
            }
            if let Some(limit) = command.most_output().filter(|_| heard.is_cut()) {
                return Err(RemoteError::TooMuchOutput {
                    host: self.peer.host.clone(),
                    command: command.display(),
                    limit,
                });
            }
        }
        status.ok_or_else(|| self.lost(command, "the server did not say how it ended".to_owned()))
    }
}

/// What a command has printed so far.
struct Heard {
    stdout: Tail,
    stderr: Tail,
}

impl Heard {
    /// Keeps up to `room` bytes of each output.
    fn new(room: usize) -> Self {
        Self { stdout: Tail::new(room), stderr: Tail::new(room) }
    }

    /// Whether more came than is kept.
    fn is_cut(&self) -> bool {
        self.stdout.is_cut() || self.stderr.is_cut()
    }

    fn into_output(self, status: i32) -> Output {
        Output { status, stdout: self.stdout.into_text(), stderr: self.stderr.into_text() }
    }

    fn into_lines(self) -> Vec<String> {
        let Output { stdout, stderr, .. } = self.into_output(0);
        stdout.lines().chain(stderr.lines()).map(str::to_owned).collect()
    }
}

#[async_trait]
impl Remote for Session {
    async fn run(&self, command: &Command) -> Result<Output, RemoteError> {
        let mut patience = Patience::new(command.timeout());
        let timed_out = |printed: Vec<String>| RemoteError::TimedOut {
            host: self.peer.host.clone(),
            command: command.display(),
            limit: command.timeout(),
            printed,
        };
        let Some(channel) = patience.wait_for(self.open(command)).await else {
            return Err(timed_out(Vec::new()));
        };
        let (mut read, write) = channel?.split();
        let mut heard = Heard::new(command.most_output().unwrap_or(OUTPUT_LIMIT));
        let conversation = self.converse(command, &mut read, &write, &mut heard);
        let result = patience.wait_for(conversation).await;
        if let None | Some(Err(RemoteError::TooMuchOutput { .. })) = result {
            let stop = async {
                let _best_effort = write.signal(Sig::KILL).await;
                let _best_effort = write.close().await;
            };
            let _best_effort = timeout(GOODBYE, stop).await;
        }
        match result {
            Some(Ok(status)) => Ok(heard.into_output(status)),
            Some(Err(mut error)) => {
                if let RemoteError::Lost { printed, .. } = &mut error {
                    *printed = heard.into_lines();
                }
                Err(error)
            }
            None => Err(timed_out(heard.into_lines())),
        }
    }

    fn host_key(&self) -> Option<HostKey> {
        self.notes.admitted().as_ref().and_then(host_key)
    }

    async fn close(&self) {
        let Some(Handles { host, jumps }) = self.handles.write().await.take() else {
            return;
        };
        for handle in std::iter::once(host).chain(jumps.into_iter().rev()) {
            let goodbye = async {
                let said = handle.disconnect(Disconnect::ByApplication, "done", "").await;
                if said.is_ok() {
                    // Ends when the message is on its way.
                    let _however_it_ended = handle.await;
                }
            };
            let _best_effort = timeout(GOODBYE, goodbye).await;
        }
    }
}

/// The line for the login shell. Without root `sudo` makes it so; the inner shell keeps words such
/// as `command` and `cd` working, and standard input goes through.
fn shell_line(command: &Command, is_root: bool) -> String {
    if is_root {
        return command.to_shell();
    }
    Command::new("sudo").args(["-n", "--", "sh", "-c"]).arg(command.to_shell()).to_shell()
}

/// The number of a signal on Linux; 0 for one that has no name in the protocol.
fn signal_number(signal: &Sig) -> i32 {
    match signal {
        Sig::HUP => 1,
        Sig::INT => 2,
        Sig::QUIT => 3,
        Sig::ILL => 4,
        Sig::ABRT => 6,
        Sig::FPE => 8,
        Sig::KILL => 9,
        Sig::USR1 => 10,
        Sig::SEGV => 11,
        Sig::PIPE => 13,
        Sig::ALRM => 14,
        Sig::TERM => 15,
        Sig::Custom(name) => match name.as_str() {
            "TRAP" => 5,
            "BUS" => 7,
            "USR2" => 12,
            "XCPU" => 24,
            "XFSZ" => 25,
            "SYS" => 31,
            _ => 0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_who_is_not_root_gets_there_by_sudo() {
        let command = Command::new("echo").arg("it's").with_stdin("x");
        assert_eq!(shell_line(&command, true), r"echo 'it'\''s'");
        assert_eq!(
            shell_line(&command, false),
            r"sudo -n -- sh -c 'echo '\''it'\''\'\'''\''s'\'''"
        );
    }

    #[test]
    fn signals_become_the_status_a_shell_would_give() {
        assert_eq!(128 + signal_number(&Sig::KILL), 137);
        assert_eq!(128 + signal_number(&Sig::Custom("BUS".to_owned())), 135);
    }
}
