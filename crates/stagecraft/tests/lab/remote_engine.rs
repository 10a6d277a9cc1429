//! An engine behind a TCP address, as `DOCKER_HOST` names one on another machine.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;

use crate::stage::{Ran, Stage};

#[test]
fn hosts_of_a_remote_engine_are_reached_through_its_published_ports() {
    let Some(stage) = Stage::new("{ app-1: { role: app } }") else { return };
    let engine = forward_to_socket().expect("a port");
    let run = |words: &[&str]| {
        let mut command = stage.command(words);
        command.env("DOCKER_HOST", format!("tcp://{engine}"));
        Ran::from(command.output().expect("the binary runs"))
    };
    let up = run(&["infra", "up", "--output", "json"]);
    assert_eq!(up.assert_code(0).host("app-1")["result"], "ready");

    let inventory = run(&["infra", "inventory", "--output", "json"]);
    let ssh = inventory.assert_code(0).host("app-1")["ssh"].clone();
    assert_eq!(ssh["host"], "127.0.0.1", "{ssh}");
    assert_ne!(ssh["port"], 22, "a port of the engine's machine");
    assert_eq!(run(&["ssh", "app-1", "--", "hostname"]).assert_code(0).stdout.trim(), "app-1");

    run(&["infra", "down", "--yes"]).assert_code(0);
    assert_eq!(stage.containers(None).len(), 0);
}

/// Passes connections of a new loopback port on to this machine's engine for as long as the test
/// process lives.
fn forward_to_socket() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            if let Ok(engine) = UnixStream::connect("/var/run/docker.sock") {
                drop(forward(client, engine));
            }
        }
    });
    Ok(address)
}

fn forward(client: TcpStream, engine: UnixStream) -> io::Result<()> {
    let (mut from_client, mut to_engine) = (client.try_clone()?, engine.try_clone()?);
    thread::spawn(move || {
        drop(io::copy(&mut from_client, &mut to_engine));
        to_engine.shutdown(Shutdown::Write)
    });
    let (mut from_engine, mut to_client) = (engine, client);
    thread::spawn(move || {
        drop(io::copy(&mut from_engine, &mut to_client));
        to_client.shutdown(Shutdown::Write)
    });
    Ok(())
}
