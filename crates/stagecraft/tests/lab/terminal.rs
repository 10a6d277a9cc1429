//! Somebody at a terminal, who reads what is asked and types.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::stage::Ran;

/// How long a question, or the end, may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// What somebody does about a question.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer<'a> {
    /// Types this, and Enter; what is typed shows.
    Say(&'a str),
    /// Types this, and Enter; what is typed must not show.
    Type(&'a str),
    /// Ends the program from elsewhere.
    Terminate,
}

/// Runs a command whose terminal this is. Gives each of `answers` when the text before it has been
/// shown anew. All that is shown is standard output of what is returned.
pub(crate) fn talk(command: &Command, answers: &[(&str, Answer<'_>)]) -> Ran {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("a terminal");
    unlockpt(&master).expect("a terminal");
    let name = ptsname(&master, Vec::new()).expect("a name").into_string().expect("a name");
    let slave = File::options().read(true).write(true).open(name).expect("a terminal");
    let size = Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&slave, size).expect("a size");

    // Passphrases are asked for at the terminal that controls the process.
    let mut controlled = Command::new("setsid");
    controlled
        .args(["--ctty", "--wait"])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(command.get_current_dir().expect("the stage's folder"))
        .stdin(slave.try_clone().expect("a terminal"))
        .stdout(slave.try_clone().expect("a terminal"))
        .stderr(slave.try_clone().expect("a terminal"));
    let mut child = controlled.spawn().expect("setsid runs");
    drop(controlled);

    let mut master = File::from(master);
    let (told, heard) = mpsc::channel();
    let mut reading = master.try_clone().expect("a terminal");
    let reader = std::thread::spawn(move || {
        let mut some = [0; 4096];
        while let Ok(length @ 1..) = reading.read(&mut some) {
            if told.send(some[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    let (mut shown, mut read_to) = (String::new(), 0);
    for (question, answer) in answers {
        while !shown[read_to..].contains(question) {
            match heard.recv_timeout(PATIENCE) {
                Ok(bytes) => shown.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("nobody asks for `{question}`:\n{shown}"),
            }
        }
        read_to = shown.len();
        // The question is there before the echo is off, as with every program that asks.
        let echoes =
            || tcgetattr(&slave).expect("a terminal").local_modes.contains(LocalModes::ECHO);
        let since = Instant::now();
        while echoes() && !matches!(answer, Answer::Say(_)) {
            assert!(since.elapsed() < PATIENCE, "what is typed would be shown:\n{shown}");
            std::thread::sleep(Duration::from_millis(5));
        }
        match answer {
            Answer::Say(text) | Answer::Type(text) => {
                master.write_all(format!("{text}\r").as_bytes()).expect("it can be typed");
            }
            Answer::Terminate => {
                // The first signal asks for an end, the second does not ask.
                for _ in 0..2 {
                    kill_process(Pid::from_child(&child), Signal::TERM).expect("it runs");
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
        }
    }
    let since = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("it ends") {
            break status;
        }
        if since.elapsed() > PATIENCE {
            child.kill().expect("it ends");
            child.wait().expect("it ends");
            shown
                .extend(heard.try_iter().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
            panic!("it does not end by itself:\n{shown}");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let modes = tcgetattr(&slave).expect("a terminal").local_modes;
    assert!(modes.contains(LocalModes::ECHO | LocalModes::ICANON), "the terminal is as it was");
    drop(slave);
    reader.join().expect("all was read");
    for bytes in heard.try_iter() {
        shown.push_str(&String::from_utf8_lossy(&bytes));
    }
    Ran { code: status.code().unwrap_or(-1), stdout: shown, stderr: String::new() }
}
