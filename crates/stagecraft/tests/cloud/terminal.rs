//! A terminal of some width, as far as results are concerned.

use std::fs::File;
use std::io::Read as _;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::account::TOKEN;
use crate::leak;
use crate::scene::Scene;

/// What `line` writes to standard output where that is a terminal of so many columns.
pub(crate) fn show(scene: &Scene, line: &str, columns: u16) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let slave = File::options().read(true).write(true).open(name).unwrap();
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&slave, size).unwrap();

    let mut command = scene.command(TOKEN, line);
    command.args(["--color", "never"]).stdout(slave).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    // The terminal ends when nobody has it open any more.
    drop(command);
    let (mut master, mut shown, mut some) = (File::from(master), Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = master.read(&mut some) {
        shown.extend_from_slice(&some[..length]);
    }
    let messages = child.wait_with_output().unwrap().stderr;
    assert_eq!([&shown, &messages].map(|bytes| leak::found(bytes)), [None; 2], "a token shows");
    String::from_utf8(shown).unwrap().replace("\r\n", "\n")
}
