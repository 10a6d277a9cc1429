//! WireGuard on fake hosts: what its scripts do to a disk, and who hears whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64;
use stagecraft_core::remote::Output;

use super::fleet::FakeFleet;
use super::shell::{fails, says, status};
use crate::world::Disk;

const KEY: &str = "/etc/wireguard/stagecraft0.key";
const CONF: &str = "/etc/wireguard/stagecraft0.conf";
const OLD: &str = "/etc/wireguard/stagecraft0.conf.old";
/// The hash of the configuration in use, which stands for the file having it.
const HASH: &str = "/run/stagecraft0.hash";
/// There while a change waits for its confirmation.
const GUARD: &str = "/var/lib/stagecraft/guards/mesh";
const PROGRAM: &str = "/usr/bin/wg";

/// The packets that pass between hosts: whom each lets in, by public key.
///
/// Two hosts hear each other when each has the other as a peer.
#[derive(Clone, Debug, Default)]
pub struct FakeAir(Arc<Mutex<Air>>);

#[derive(Debug, Default)]
struct Air {
    keys: u32,
    peers: BTreeMap<String, BTreeSet<String>>,
    blocked: BTreeSet<String>,
}

impl FakeFleet {
    /// Teaches all hosts the scripts of a WireGuard mesh.
    #[must_use]
    pub fn teach_wireguard(&self) -> FakeAir {
        let air = FakeAir::default();
        self.teach("wireguard-range", |_, _, _| {
            says("route=default via 10.0.0.1 dev eth0\n".into())
        });
        self.teach("wireguard-probe", |disk, _, _| match disk.files.contains_key(PROGRAM) {
            true => says("program=wg\nprogram=wg-quick\nkernel=yes\n".into()),
            false => Output::default(),
        });
        self.teach("wireguard-install", |disk, _, _| write(disk, PROGRAM, ""));
        let of = air.clone();
        self.teach("wireguard-key", move |disk, _, _| {
            let key = of.new_key();
            write(disk, KEY, &key)
        });
        let of = air.clone();
        self.teach("wireguard-look", move |disk, _, _| says(of.look(disk)));
        self.teach("wireguard-stage", |disk, arguments, stdin| match arguments {
            [_, hash] => write(disk, &format!("{CONF}.{hash}"), stdin),
            _ => status(2),
        });
        let of = air.clone();
        self.teach("wireguard-change", move |disk, arguments, _| of.change(disk, arguments));
        let of = air.clone();
        self.teach("wireguard-reach", move |disk, arguments, _| of.reach(disk, arguments));
        air
    }
}

impl FakeAir {
    /// Lets nothing through to or from the host of this disk.
    pub fn block(&self, disk: &Disk) {
        let key = disk.files.get(KEY).cloned().unwrap_or_default();
        self.air().blocked.insert(key);
    }

    fn air(&self) -> MutexGuard<'_, Air> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_key(&self) -> String {
        let mut air = self.air();
        air.keys += 1;
        BASE64.encode(&[air.keys.to_be_bytes(); 8].concat())
    }

    fn hears(&self, key: &str, other: &str) -> bool {
        let air = self.air();
        let has = |one: &str, peer: &str| air.peers.get(one).is_some_and(|all| all.contains(peer));
        let open = |one: &str| !air.blocked.contains(one);
        has(key, other) && has(other, key) && open(key) && open(other)
    }

    fn look(&self, disk: &Disk) -> String {
        let Some(key) = disk.files.get(KEY) else { return String::new() };
        let mut text = format!("public={key}\n");
        let Some(conf) = disk.files.get(CONF) else { return text };
        text.extend(conf.lines().map(|line| format!("conf={line}\n")));
        let waits = disk.files.contains_key(GUARD);
        if !waits && self.air().peers.get(key) == Some(&peers(conf)) {
            text.push_str("right=yes\n");
        }
        let heard = peers(conf).into_iter().filter(|peer| self.hears(key, peer));
        text.extend(heard.map(|peer| format!("heard={peer}\n")));
        text
    }

    fn change(&self, disk: &mut Disk, arguments: &[&str]) -> Output {
        let Some(key) = disk.files.get(KEY).cloned() else { return status(1) };
        let is_staged =
            |disk: &Disk, hash: &str| disk.files.contains_key(&format!("{CONF}.{hash}"));
        match arguments {
            [_, "is", hash] => {
                let there = disk.files.get(HASH).is_some_and(|used| used == hash);
                let right = disk.files.get(CONF).map(|conf| peers(conf));
                status(i32::from(!there || self.air().peers.get(&key) != right.as_ref()))
            }
            [_, "to", hash] if is_staged(disk, hash) => {
                if disk.full {
                    return fails(1, "mv: No space left on device\n".into());
                }
                let new = disk.files.remove(&format!("{CONF}.{hash}")).unwrap_or_default();
                let old = disk.files.get(CONF).cloned().unwrap_or_default();
                disk.files.insert(OLD.into(), old);
                self.use_conf(disk, &key, &new);
                disk.files.insert(HASH.into(), (*hash).to_owned());
                Output::default()
            }
            [_, "to", hash] if disk.files.get(HASH).is_some_and(|used| used == hash) => {
                let conf = disk.files.get(CONF).cloned().unwrap_or_default();
                self.use_conf(disk, &key, &conf);
                Output::default()
            }
            [_, "back", _] => {
                if let Some(old) = disk.files.remove(OLD) {
                    disk.files.remove(HASH);
                    self.use_conf(disk, &key, &old);
                }
                Output::default()
            }
            [_, "forget", _] => {
                let beside = format!("{CONF}.");
                disk.files.retain(|path, _| !path.starts_with(&beside));
                Output::default()
            }
            _ => status(1),
        }
    }

    fn use_conf(&self, disk: &mut Disk, key: &str, conf: &str) {
        let mut air = self.air();
        if conf.is_empty() {
            disk.files.remove(CONF);
            air.peers.remove(key);
        } else {
            disk.files.insert(CONF.into(), conf.to_owned());
            air.peers.insert(key.to_owned(), peers(conf));
        }
    }

    fn reach(&self, disk: &Disk, arguments: &[&str]) -> Output {
        let [_, _, names @ ..] = arguments else { return status(2) };
        let key = disk.files.get(KEY).cloned().unwrap_or_default();
        let conf = disk.files.get(CONF).cloned().unwrap_or_default();
        let silent: Vec<String> = names
            .iter()
            .filter(|name| !key_of(&conf, name).is_some_and(|peer| self.hears(&key, &peer)))
            .map(|name| format!("{name} was not heard from\n"))
            .collect();
        Output {
            status: i32::from(!silent.is_empty()),
            stdout: silent.concat(),
            ..Output::default()
        }
    }
}

fn write(disk: &mut Disk, path: &str, text: &str) -> Output {
    if disk.full {
        return fails(1, format!("cannot write '{path}': No space left on device\n"));
    }
    disk.files.insert(path.to_owned(), text.to_owned());
    Output::default()
}

fn peers(conf: &str) -> BTreeSet<String> {
    conf.lines().filter_map(|line| line.strip_prefix("PublicKey = ")).map(str::to_owned).collect()
}

fn key_of(conf: &str, name: &str) -> Option<String> {
    let (_, section) = conf.split_once(&format!("# {name}\n"))?;
    Some(section.lines().next()?.strip_prefix("PublicKey = ")?.to_owned())
}
