//! The adapters against answers that nobody made with good intentions.
//!
//! An input is a text: the first line says what is asked for, the rest is the answers, each as HTTP has
//! it, with a line of `~~~` after it:
//!
//! ```text
//! list
//! 429
//! retry-after: 7
//!
//! {"error": {"code": "rate_limit_exceeded"}}
//! ~~~
//! ```
//!
//! When the answers are used up, further ones are lost. Built for `cargo fuzz`, and for the test below.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt as _;
use stagecraft_core::cloud::{Catalogue, CloudError, CloudProvider, CreateInstance};
use stagecraft_core::desired::{Arch, DesiredHost, Places, ProviderId};
use stagecraft_core::error::{Diagnose as _, chain};
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Instance, Inventory, Marks, Owner, Spec};
use stagecraft_core::name::{HostName, InstanceId, Scope};
use stagecraft_core::resolve::resolve;

use crate::aws::{ApiUrls, AwsCredentials, AwsProvider, AwsSettings};
use crate::digitalocean::{DigitalOceanProvider, DigitalOceanSettings};
use crate::hetzner::{HetznerProvider, HetznerSettings};
use crate::http::{Answer, Scripted, Token};

/// Planted: whatever an API says, no message has it.
const SECRET: &str = "dop_v1_0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const KEY: &str = "deploy";

/// Answers of DigitalOcean's API.
pub fn digitalocean(input: &[u8]) {
    judge(&at_digitalocean(), "7", ["nyc3", "s-2vcpu-4gb", "ubuntu-22.04"], input);
}

/// Answers of Hetzner's API.
pub fn hetzner(input: &[u8]) {
    judge(&at_hetzner(), "7", ["fsn1", "cx23", "debian-12"], input);
}

/// Answers of EC2, STS and SSM.
pub fn aws(input: &[u8]) {
    judge(&at_aws(), "i-1234567890abcdef0", ["us-east-1", "t3.small", "debian-12"], input);
}

fn at_digitalocean() -> DigitalOceanProvider {
    let (token, ssh_key_name) = (secret(), Some(KEY.to_owned()));
    DigitalOceanProvider::new(DigitalOceanSettings { api_url: None, token, ssh_key_name })
}

fn at_hetzner() -> HetznerProvider {
    let (token, ssh_key_name) = (secret(), Some(KEY.to_owned()));
    HetznerProvider::new(HetznerSettings { api_url: None, token, ssh_key_name })
}

fn at_aws() -> AwsProvider {
    AwsProvider::new(AwsSettings {
        api_urls: ApiUrls::default(),
        credentials: AwsCredentials::Keys {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: secret(),
            session_token: None,
        },
        default_region: "us-east-1".into(),
        regions: BTreeSet::new(),
        everywhere: true,
        sizes: BTreeSet::new(),
        ssh_key_name: Some(KEY.to_owned()),
        subnet_id: None,
        ssh_port: 22,
        mesh_port: Some(51820),
    })
}

/// Asks an adapter, and checks what holds for every answer.
fn judge(provider: &dyn CloudProvider, id: &str, spec: [&str; 3], input: &[u8]) {
    let (asked, rest) = cut(input, b"\n").unwrap_or((input, b""));
    let _requests_stay_here = Scripted::new(answers(rest));
    let order = order(spec);
    let (id, scope) = (InstanceId(id.to_owned()), &order.owner.scope);
    match asked {
        b"account" => {
            if let Some(account) = kept(now(provider.validate_credentials())) {
                harmless(&account.name);
            }
        }
        b"catalogue" => {
            if let Some(catalogue) = kept(now(provider.catalogue())) {
                ordered(provider.id(), scope, catalogue, spec);
            }
        }
        b"list" => {
            for instance in kept(now(provider.list(scope))).into_iter().flatten() {
                assert_eq!(instance.owner.scope, *scope, "it is not ours");
                shown(&instance);
            }
        }
        b"get" => {
            if let Some(instance) = kept(now(provider.get(&id))).flatten() {
                shown(&instance);
            }
        }
        b"create" => {
            if let Some(instance) = kept(now(provider.create(&order))) {
                assert_eq!(instance.owner, order.owner, "it is somebody else's");
                shown(&instance);
            }
        }
        b"start" => drop(kept(now(provider.start(&id)))),
        b"update" => drop(kept(now(provider.update(&id, &order.marks)))),
        b"pin" => {
            if let Some(instance) = kept(now(provider.get(&id))).flatten() {
                kept(now(provider.pin(&instance, &Pins::default())));
            }
        }
        b"terminate" => drop(kept(now(provider.terminate(&id)))),
        _ => drop(kept(now(provider.tidy(scope)))),
    }
}

/// What a future gives that has nothing to wait for.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("an adapter waits for nothing but answers")
}

/// What was answered; of a failure, only that it can be shown.
fn kept<T>(result: Result<T, CloudError>) -> Option<T> {
    let error = match result {
        Ok(answer) => return Some(answer),
        Err(error) => error,
    };
    for words in error.hints().iter().chain([&chain(&error)]) {
        harmless(words);
        assert!(words.len() < 16 * 1024, "nobody reads {} bytes", words.len());
    }
    let _decided = error.retry();
    None
}

/// One line, and without the secret.
fn harmless(words: &str) {
    assert!(!words.chars().any(char::is_control), "{words:?}");
    assert!(!words.contains(SECRET), "the secret is in {words:?}");
}

/// What becomes of an instance later.
fn shown(instance: &Instance) {
    assert!(!instance.id.as_str().is_empty());
    harmless(instance.trouble.as_deref().unwrap_or_default());
    let _endpoint = instance.endpoint();
    let _digest = Inventory::new([instance.clone()]).digest();
}

/// Orders a host of every kind from what is offered.
fn ordered(provider: ProviderId, scope: &Scope, catalogue: Catalogue, spec: [&str; 3]) {
    let [region, size, image] = spec;
    let host = |number: usize, size: &str, arch| {
        let name: HostName = format!("h{number}").parse().expect("a name");
        let host = DesiredHost {
            name: name.clone(),
            provider,
            role: "app".parse().expect("a name"),
            region: region.into(),
            size: size.into(),
            image: image.into(),
            arch,
            spot: number % 2 == 1,
            protected: false,
            tags: BTreeSet::new(),
            places: Places::default(),
        };
        (name, host)
    };
    let sizes = [size, "small", "medium", "large"].into_iter().enumerate();
    let arches = [None, Some(Arch::Amd64), Some(Arch::Arm64)].into_iter().enumerate();
    let hosts = sizes.flat_map(|(i, size)| {
        arches.clone().map(move |(j, arch)| host(3 * i + j, size, arch)).collect::<Vec<_>>()
    });
    let catalogues = BTreeMap::from([(provider, catalogue)]);
    let keys = BTreeMap::from([(provider, KEY.to_owned())]);
    for (name, host) in hosts {
        let one = BTreeMap::from([(name, host)]);
        let resolved =
            resolve(scope, &one, &catalogues, &keys, &Inventory::default(), &BTreeSet::new());
        for host in resolved.into_iter().flat_map(BTreeMap::into_values) {
            let _price = host.monthly.map(|price| price.to_string());
        }
    }
}

fn order([region, size, image]: [&str; 3]) -> CreateInstance {
    let scope = Scope {
        project: "shop".parse().expect("a name"),
        environment: "staging".parse().expect("a name"),
    };
    let host: HostName = "db-1".parse().expect("a name");
    CreateInstance {
        marks: Marks {
            name: scope.cloud_name(&host),
            role: "app".parse().expect("a name"),
            protected: false,
            tags: ["blue".to_owned()].into(),
        },
        owner: Owner { scope, host },
        spec: Spec {
            region: region.into(),
            size: size.into(),
            image: image.into(),
            arch: Arch::Amd64,
            spot: false,
        },
        pins: Pins::default(),
        user_data: None,
    }
}

fn secret() -> Token {
    Token::new(SECRET).expect("a token")
}

fn answers(mut text: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some((one, rest)) = cut(text, b"\n~~~\n") {
        answers.push(answer(one));
        text = rest;
    }
    answers
}

fn answer(text: &[u8]) -> Answer {
    let (head, body) = cut(text, b"\n\n").unwrap_or((text, b""));
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.parse().ok()).unwrap_or(200);
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .filter(|(_, value)| {
            value.bytes().all(|byte| byte == b'\t' || (0x20..0x7f).contains(&byte))
        })
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    Answer { status, headers: headers.collect(), body: body.to_vec() }
}

fn cut<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let found = text.windows(at.len()).position(|window| window == at)?;
    Some((&text[..found], &text[found + at.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_tried_once_holds_for_ever() {
        for (name, target) in
            [("digitalocean", digitalocean as fn(&[u8])), ("hetzner", hetzner), ("aws", aws)]
        {
            let folder = format!("{}/../../fuzz/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
            let mut files = 0;
            for file in std::fs::read_dir(folder).unwrap() {
                target(&std::fs::read(file.unwrap().path()).unwrap());
                files += 1;
            }
            assert!(files > 0, "{name} has no inputs");
        }
    }

    #[test]
    fn a_list_of_huge_pages_is_given_up_before_it_fills_the_memory() {
        let scope = order(["nyc3", "s-2vcpu-4gb", "ubuntu-22.04"]).owner.scope;
        let page = |number: usize, text: &str| {
            let mut body = text.replace('N', &number.to_string()).into_bytes();
            // White space is the cheapest to read.
            body.resize(13 << 20, b' ');
            Answer { status: 200, body, ..Answer::default() }
        };
        let turn = r#""links": {"pages": {"next": "https://a.example/?page=N"}}"#;
        for (provider, text) in [
            (&at_digitalocean() as &dyn CloudProvider, &*format!(r#"{{"droplets": [], {turn}}}"#)),
            (&at_hetzner(), r#"{"servers": [], "meta": {"pagination": {"next_page": N}}}"#),
            (&at_aws(), "<a><nextToken>N</nextToken></a>"),
        ] {
            let _pages = Scripted::new((2..8).map(|number| page(number, text)));
            let error = now(provider.list(&scope)).unwrap_err().to_string();
            assert!(error.contains("a list is larger than 64 MiB"), "{error}");
        }
    }
}
