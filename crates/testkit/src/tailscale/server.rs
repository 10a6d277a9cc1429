use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::control::{Control, Node, Question, Rules};

/// A tailnet that hosts with the stand-in client can reach, for as long as it is held.
#[derive(Debug)]
pub struct Tailnet {
    address: SocketAddr,
    control: Arc<Mutex<Control>>,
    stopped: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl Tailnet {
    /// Starts its control server on an address of this machine that hosts can reach.
    ///
    /// # Errors
    /// When nothing can listen there.
    pub fn start(listen: IpAddr, rules: Rules) -> io::Result<Self> {
        let listener = TcpListener::bind((listen, 0))?;
        let address = listener.local_addr()?;
        let control = Arc::new(Mutex::new(Control::new(rules)));
        let stopped = Arc::new(AtomicBool::new(false));
        let (shared, ended) = (Arc::clone(&control), Arc::clone(&stopped));
        let listener = thread::spawn(move || {
            let started = Instant::now();
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let shared = Arc::clone(&shared);
                // Who hangs up early has been told nothing, which is all there is to it.
                thread::spawn(move || drop(serve(stream, &shared, started)));
            }
        });
        Ok(Self { address, control, stopped, listener: Some(listener) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The machines in it, by name.
    #[must_use]
    pub fn nodes(&self) -> Vec<Node> {
        self.admin().nodes()
    }

    /// Its admin console.
    pub fn admin(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Tailnet {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the listener.
        drop(TcpStream::connect(self.address));
        if let Some(listener) = self.listener.take() {
            drop(listener.join());
        }
    }
}

/// Answers one question; where there is no answer, keeps the host waiting for as long as it wants to.
fn serve(mut stream: TcpStream, control: &Mutex<Control>, started: Instant) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut question =
        Question { verb: lines.next().transpose()?.unwrap_or_default(), ..Question::default() };
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once('=') else { break };
        question.values.insert(name.to_owned(), value.to_owned());
    }
    let answer =
        control.lock().unwrap_or_else(PoisonError::into_inner).answer(&question, started.elapsed());
    match answer {
        Some(lines) => stream.write_all((lines.join("\n") + "\n").as_bytes()),
        None => stream.read_to_end(&mut Vec::new()).map(drop),
    }
}
