use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

/// How long a member counts as up after it was last heard from.
const PRESENCE: Duration = Duration::from_secs(5);
/// When keys end that have an end, and when one ended that was made to.
const FAR: &str = "2099-01-01T00:00:00Z";
const PAST: &str = "2020-01-01T00:00:00Z";

/// What is said of keys and tags, as recorded in section 4.1 of the facts, of Tailscale's own and of
/// Headscale; `%s` is the id of the key, or the tags.
pub const REFUSALS: [&str; 6] =
    [UNKNOWN_KEY, INVALID_KEY, INVALID_TAGS, NO_SUCH_KEY, EXPIRED_KEY, USED_KEY];
const UNKNOWN_KEY: &str = "invalid key: API key does not exist";
const INVALID_KEY: &str = "invalid key: API key %s not valid";
const INVALID_TAGS: &str = "requested tags [%s] are invalid or not permitted";
const NO_SUCH_KEY: &str = "handling register with auth key: AuthKey not found";
const EXPIRED_KEY: &str = "authkey expired";
const USED_KEY: &str = "authkey already used";

/// What a tailnet lets in.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Its domain, e.g. `example.ts.net`.
    pub domain: String,
    /// URL of the Headscale server it stands for; `None` for Tailscale's own. Hosts that ask by
    /// another are never answered.
    pub login_server: Option<String>,
    /// The keys it knows.
    pub keys: Vec<AuthKey>,
    /// Tags hosts may ask for.
    pub permitted: BTreeSet<String>,
    /// Whether hosts wait for approval.
    pub needs_approval: bool,
    /// Whether anybody is answered at all.
    pub answers: bool,
}

impl Rules {
    /// A tailnet of Tailscale's own.
    #[must_use]
    pub fn tailscale(domain: &str) -> Self {
        Self {
            domain: domain.to_owned(),
            login_server: None,
            keys: Vec::new(),
            permitted: BTreeSet::new(),
            needs_approval: false,
            answers: true,
        }
    }

    /// A tailnet of a Headscale server.
    #[must_use]
    pub fn headscale(domain: &str, login_server: &str) -> Self {
        Self { login_server: Some(login_server.to_owned()), ..Self::tailscale(domain) }
    }

    /// Adds a key it knows.
    #[must_use]
    pub fn with_key(mut self, key: AuthKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds a tag hosts may ask for.
    #[must_use]
    pub fn permitting(mut self, tag: &str) -> Self {
        self.permitted.insert(tag.to_owned());
        self
    }
}

/// A key hosts join by.
#[derive(Clone, Debug, Default)]
pub struct AuthKey {
    text: String,
    once: bool,
    expired: bool,
    ephemeral: bool,
    tags: BTreeSet<String>,
    used: bool,
}

impl AuthKey {
    /// A key that can be used again and again.
    #[must_use]
    pub fn reusable(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// A key that lets one host in.
    #[must_use]
    pub fn once(text: &str) -> Self {
        Self { once: true, ..Self::reusable(text) }
    }

    /// A key whose time is over.
    #[must_use]
    pub fn expired(text: &str) -> Self {
        Self { expired: true, ..Self::reusable(text) }
    }

    /// A key whose hosts are forgotten when they log out.
    #[must_use]
    pub fn ephemeral(text: &str) -> Self {
        Self { ephemeral: true, ..Self::reusable(text) }
    }

    /// Gives its hosts a tag without their asking.
    #[must_use]
    pub fn tagged(mut self, tag: &str) -> Self {
        self.tags.insert(tag.to_owned());
        self
    }
}

/// A machine in the admin console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What others reach it by, without the domain.
    pub name: String,
    /// What it asked to be called.
    pub hostname: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// Whether it is let in.
    pub approved: bool,
    /// Whether it has a key that lets it in: not after it logged out.
    pub logged_in: bool,
    /// Whether that key has ended.
    pub expired: bool,
    /// How often it has logged in.
    pub logins: usize,
    ephemeral: bool,
    heard: Option<Duration>,
}

/// The control server of a tailnet, without I/O and clock.
#[derive(Debug)]
pub struct Control {
    /// What it lets in, which can be changed at any time.
    pub rules: Rules,
    nodes: BTreeMap<String, Node>,
    born: u8,
}

/// What a host asks: a verb, and values by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Question {
    pub(super) verb: String,
    pub(super) values: BTreeMap<String, String>,
}

impl Question {
    fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }
}

impl Control {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, nodes: BTreeMap::new(), born: 0 }
    }

    /// The machines there are, by name.
    #[must_use]
    pub fn nodes(&self) -> Vec<Node> {
        let mut nodes: Vec<Node> = self.nodes.values().cloned().collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        nodes
    }

    /// Lets a machine in that waits for it.
    pub fn approve(&mut self, name: &str) {
        self.named(name).approved = true;
    }

    /// Ends the key of a machine.
    pub fn expire(&mut self, name: &str) {
        self.named(name).expired = true;
    }

    /// Gives a machine another name, as an admin can.
    pub fn rename(&mut self, name: &str, to: &str) {
        to.clone_into(&mut self.named(name).name);
    }

    /// Removes a machine; it notices when it asks next.
    pub fn remove(&mut self, name: &str) {
        self.nodes.retain(|_, node| node.name != name);
    }

    fn named(&mut self, name: &str) -> &mut Node {
        let found = self.nodes.values_mut().find(|node| node.name == name);
        found.unwrap_or_else(|| panic!("no machine is called `{name}`"))
    }

    /// The answer by lines; `None` when there never is one.
    pub(super) fn answer(&mut self, question: &Question, now: Duration) -> Option<Vec<String>> {
        let is_mine = self.rules.login_server.as_deref().unwrap_or_default();
        if !self.rules.answers || question.verb == "register" && question.get("server") != is_mine {
            return None;
        }
        let machine = question.get("machine");
        Some(match question.verb.as_str() {
            "register" => match self.register(question, now) {
                Ok(()) => vec!["ok".to_owned()],
                Err(why) => vec![format!("error {why}")],
            },
            "look" => self.look(machine, now).unwrap_or_else(|| vec!["gone".to_owned()]),
            verb => {
                self.note(verb, machine, question.get("hostname"), now);
                vec!["ok".to_owned()]
            }
        })
    }

    fn note(&mut self, verb: &str, machine: &str, hostname: &str, now: Duration) {
        let Some(node) = self.nodes.get_mut(machine) else { return };
        match verb {
            "alive" => node.heard = Some(now),
            "down" => node.heard = None,
            "logout" if node.ephemeral => drop(self.nodes.remove(machine)),
            "logout" => {
                node.heard = None;
                node.logged_in = false;
            }
            // Who asks for the same again keeps the name it was given.
            "rename" if node.hostname != hostname => {
                hostname.clone_into(&mut node.hostname);
                let name = self.free_name(hostname, machine);
                self.nodes.entry(machine.to_owned()).and_modify(|node| node.name = name);
            }
            _ => {}
        }
    }

    fn register(&mut self, question: &Question, now: Duration) -> Result<(), String> {
        let (machine, hostname) = (question.get("machine"), question.get("hostname"));
        let asked = question.get("tags").split(',').filter(|tag| !tag.is_empty());
        let asked: BTreeSet<String> = asked.map(str::to_owned).collect();
        let key = self.usable_key(question.get("key"))?;
        let may_have = |tag: &String| self.rules.permitted.contains(tag) || key.tags.contains(tag);
        let refused: Vec<&str> =
            asked.iter().filter(|tag| !may_have(tag)).map(String::as_str).collect();
        // Headscale leaves them out without a word.
        if !refused.is_empty() && self.rules.login_server.is_none() {
            return Err(INVALID_TAGS.replace("%s", &refused.join(" ")));
        }
        let tags = asked.iter().filter(|tag| may_have(tag)).chain(&key.tags).cloned().collect();
        let name = match self.nodes.get(machine) {
            Some(node) if node.hostname == hostname => node.name.clone(),
            _ => self.free_name(hostname, machine),
        };
        self.born += u8::from(!self.nodes.contains_key(machine));
        let (born, approved) = (self.born, !self.rules.needs_approval);
        let node = self.nodes.entry(machine.to_owned()).or_insert_with(|| Node {
            name: String::new(),
            hostname: String::new(),
            address: Ipv4Addr::new(100, 64, 0, born),
            tags: BTreeSet::new(),
            approved,
            logged_in: false,
            expired: false,
            logins: 0,
            ephemeral: key.ephemeral,
            heard: None,
        });
        node.name = name;
        hostname.clone_into(&mut node.hostname);
        node.tags = tags;
        node.logged_in = true;
        node.expired = false;
        node.logins += 1;
        node.heard = Some(now);
        for known in &mut self.rules.keys {
            known.used |= known.text == key.text;
        }
        Ok(())
    }

    /// The key of this text, or what is wrong with it in the words of the server this one stands for.
    fn usable_key(&self, text: &str) -> Result<AuthKey, String> {
        let is_headscale = self.rules.login_server.is_some();
        let id = text.split('-').nth(2).unwrap_or_default();
        let Some(key) = self.rules.keys.iter().find(|key| key.text == text) else {
            return Err(if is_headscale { NO_SUCH_KEY } else { UNKNOWN_KEY }.to_owned());
        };
        match (key.expired, key.once && key.used, is_headscale) {
            (false, false, _) => Ok(key.clone()),
            (true, _, true) => Err(EXPIRED_KEY.to_owned()),
            (false, true, true) => Err(USED_KEY.to_owned()),
            (_, _, false) => Err(INVALID_KEY.replace("%s", id)),
        }
    }

    /// A name nobody else has, dead or alive.
    fn free_name(&self, hostname: &str, machine: &str) -> String {
        let is_free = |name: &String| {
            self.nodes.iter().all(|(other, node)| other == machine || node.name != *name)
        };
        let numbered = (1..).map(|number| format!("{hostname}-{number}"));
        let mut names = std::iter::once(hostname.to_owned()).chain(numbered);
        names.find(is_free).unwrap_or_default()
    }

    /// How a member and its peers stand; `None` when it is not one.
    fn look(&self, machine: &str, now: Duration) -> Option<Vec<String>> {
        let node = self.nodes.get(machine).filter(|node| node.logged_in)?;
        let joined =
            |tags: &BTreeSet<String>| tags.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let tailnet = match &self.rules.login_server {
            Some(url) => url.split("://").nth(1).and_then(|rest| rest.split([':', '/']).next()),
            None => Some("organisation.example"),
        };
        let expiry = match (node.expired, node.tags.is_empty()) {
            (true, _) => PAST,
            (false, true) => FAR,
            (false, false) => "",
        };
        let mut lines = vec![
            "ok".to_owned(),
            format!("name={}", node.name),
            format!("hostname={}", node.hostname),
            format!("ip={}", node.address),
            format!("tags={}", joined(&node.tags)),
            format!("approved={}", u8::from(node.approved)),
            format!("expired={}", u8::from(node.expired)),
            format!("expiry={expiry}"),
            format!("suffix={}", self.rules.domain),
            format!("tailnet={}", tailnet.unwrap_or_default()),
        ];
        let peers = self.nodes.iter().filter(|(other, node)| *other != machine && node.approved);
        lines.extend(peers.map(|(_, peer)| {
            let online = peer.heard.is_some_and(|heard| now < heard + PRESENCE);
            let online = u8::from(online);
            let (tags, address) = (joined(&peer.tags), peer.address);
            format!("peer={}\t{}\t{address}\t{online}\t{tags}", peer.name, peer.hostname)
        }));
        Some(lines)
    }
}
