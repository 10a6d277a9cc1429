//! What only clouds ask of a file: keys, API addresses, names of machines, tags.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use url::Url;

use super::hosts::Declaration;
use super::{Lowering, Provider};
use crate::config::problem::Problem;
use crate::config::source::quoted;
use crate::desired::ProviderId;
use crate::error::Code;
use crate::name::HostName;

/// What clouds allow for the name of a machine.
const LONGEST_NAME: usize = 63;
/// As many tags as an instance of AWS has room for beside Stagecraft's own.
const MOST_AWS_TAGS: usize = 40;

impl Lowering<'_> {
    /// Nobody could log in to a host that was made without a key.
    pub(super) fn ssh_key_name(&mut self, provider: &Provider) {
        let id = provider.id;
        if id == ProviderId::Local
            || provider.raw.ssh_key_name.is_some()
            || self.is_incomplete(&provider.path)
        {
            return;
        }
        self.report(
            Problem::new(
                Code::CONFIG_MISSING_KEY,
                format!("`cloud.providers.{id}` has hosts and no `ssh_key_name`"),
            )
            .at(self.key(&provider.path))
            .with_label("`ssh_key_name` is required here")
            .with_help(format!(
                "add your SSH key to the {id} account, and its name there as `ssh_key_name`"
            )),
        );
    }

    /// Where an API cannot be. A token would go there.
    pub(super) fn api_url(&mut self, provider: &Provider) {
        let Some(url) = &provider.raw.api_url else { return };
        let Err((why, label, help)) = check_url(&url.0) else { return };
        let place = self.value(&provider.below(&["api_url"]));
        if url.0.contains(['@', '?', '#']) {
            // A password or a key may be in it.
            self.hide(place.clone());
        }
        self.report(
            Problem::new(
                Code::CONFIG_INVALID_VALUE,
                format!("`cloud.providers.{}.api_url` {why}", provider.id),
            )
            .at(place)
            .with_label(label)
            .with_help(help),
        );
    }

    /// A name in the cloud, `{environment}-{host}`, that is too long there.
    pub(super) fn cloud_names(&mut self, declaration: &Declaration<'_>, names: &[HostName]) {
        let (id, environment) = (declaration.provider.id, &declaration.environment);
        let Some(longest) = names.iter().max_by_key(|name| name.as_str().len()) else { return };
        let name = format!("{environment}-{longest}");
        if id == ProviderId::Local || name.len() <= LONGEST_NAME {
            return;
        }
        self.report(
            Problem::new(
                Code::CONFIG_INVALID_VALUE,
                format!(
                    "the machine of `{longest}` on {id} would be called {}, which is longer than \
                     {LONGEST_NAME} characters",
                    quoted(&name)
                ),
            )
            .at(declaration.key.clone())
            .with_label(format!("{} characters with the environment", name.len()))
            .with_help("use a shorter name for the host or the environment"),
        );
    }

    /// More tags than an instance of `aws` can have. `places` are those of tags that can be tags there,
    /// of each key one.
    fn too_many_tags(&mut self, declaration: &Declaration<'_>, mut places: Vec<Range<usize>>) {
        places.sort_by_key(|place| place.start);
        let Some(place) = places.get(MOST_AWS_TAGS) else { return };
        self.report(
            Problem::new(
                Code::CONFIG_INVALID_VALUE,
                format!(
                    "`{}` has {} tags, and on aws there is room for {MOST_AWS_TAGS}",
                    declaration.name,
                    places.len()
                ),
            )
            .at(place.clone())
            .with_label("one too many")
            .with_help("an instance has 50 tags at most, and some are stagecraft's own"),
        );
    }

    /// Tags that a cloud does not take as they are.
    pub(super) fn tags(&mut self, declaration: &Declaration<'_>) {
        let id = declaration.provider.id;
        let allowed = match id {
            ProviderId::DigitalOcean => {
                "use a-z, 0-9, `_`, `:` and `-`, and no `stagecraft:` at the beginning"
            }
            ProviderId::Hetzner => {
                "use `KEY` or `KEY:VALUE`, each of letters, digits, `.`, `_` and `-`, with a letter \
                 or digit at both ends; keys do not begin with `stagecraft`"
            }
            ProviderId::Aws => {
                "use `KEY` or `KEY:VALUE`; keys do not begin with `stagecraft`, and are not `Name` or \
                 `aws`"
            }
            ProviderId::Local => return,
        };
        // What is in the list and not here was refused already.
        let mut left: BTreeSet<&str> =
            declaration.raw.tags.iter().flatten().map(|tag| tag.0.as_str()).collect();
        let mut keys: BTreeMap<String, Range<usize>> = BTreeMap::new();
        for (tag, place) in self.items(&declaration.below("tags")) {
            if !left.remove(tag.as_str()) {
                continue;
            }
            let fits = match id {
                ProviderId::DigitalOcean => fits_digitalocean(&tag),
                ProviderId::Hetzner => fits_hetzner(&tag),
                ProviderId::Aws => fits_aws(&tag),
                ProviderId::Local => true,
            };
            if !fits {
                self.report(
                    Problem::new(
                        Code::CONFIG_INVALID_VALUE,
                        format!("{} cannot be a tag on {id}", quoted(&tag)),
                    )
                    .at(place)
                    .with_label(format!("not allowed on {id}"))
                    .with_help(allowed),
                );
                continue;
            }
            let key = tag.split(':').next().unwrap_or_default();
            if id == ProviderId::DigitalOcean {
                continue;
            }
            if let Some(first) = keys.get(key) {
                self.report(
                    Problem::new(
                        Code::CONFIG_INVALID_VALUE,
                        format!("two tags of `{}` have the key `{key}`", declaration.name),
                    )
                    .at(place)
                    .with_label("the second time")
                    .with_also(first.clone(), "the first time")
                    .with_help(if id == ProviderId::Aws {
                        "on aws a tag is a key and a value, and a key has one value: keep one"
                    } else {
                        "on hetzner a tag is a label, and a label has one value: keep one"
                    }),
                );
            } else {
                keys.insert(key.to_owned(), place);
            }
        }
        if id == ProviderId::Aws {
            self.too_many_tags(declaration, keys.into_values().collect());
        }
    }
}

/// Why an address cannot be that of an API, in a sentence, under its place, and what to do.
fn check_url(text: &str) -> Result<(), (&'static str, &'static str, &'static str)> {
    let whole = "write the address up to the version, e.g. `https://proxy.example/v2`";
    let url = Url::parse(text).map_err(|_| ("is not a URL", "not a URL", whole))?;
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(("has a user name", "no user name is allowed here", whole));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(("does not end after its path", "`?` and `#` are not allowed here", whole));
    }
    if !["https", "http"].contains(&url.scheme()) {
        return Err(("does not start with `https://`", "not a URL of the web", whole));
    }
    if url.scheme() != "https" && !local {
        return Err((
            "would send the token in the clear",
            "`http://` is for this machine only",
            "use `https://`; `http://` is allowed for `localhost` and loopback addresses",
        ));
    }
    Ok(())
}

fn fits_digitalocean(tag: &str) -> bool {
    !tag.starts_with("stagecraft:")
        && tag.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_:-".contains(&byte)
        })
}

fn fits_hetzner(tag: &str) -> bool {
    let part = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let (key, value) = match tag.split_once(':') {
        Some((key, value)) => (key, Some(value)),
        None => (tag, None),
    };
    part(key) && value.is_none_or(part) && !key.starts_with("stagecraft")
}

fn fits_aws(tag: &str) -> bool {
    let (key, value) = tag.split_once(':').unwrap_or((tag, " "));
    let reserved =
        key.starts_with("stagecraft") || key == "Name" || key.eq_ignore_ascii_case("aws");
    let allowed = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    let lengths = (key.chars().count(), value.chars().count());
    !reserved
        && (1..=128).contains(&lengths.0)
        && (1..=256).contains(&lengths.1)
        && key.trim() == key
        && (value == " " || value.trim() == value)
        && tag.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_reached_by_https_or_on_this_machine() {
        for good in [
            "https://proxy.example/v2",
            "https://10.0.0.1:8443/v1/",
            "http://localhost:8080/v2",
            "http://127.0.0.1:1/v1",
            "http://127.1.2.3/v1",
            "http://[::1]:9/v1",
        ] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for bad in [
            "http://proxy.example/v2",
            "http://localhost.example/",
            "http://0.0.0.0/",
            "http://10.0.0.1/",
            "https://ada@proxy.example/",
            "https://ada:secret@proxy.example/",
            "https://proxy.example/?token=1",
            "https://proxy.example/#v2",
            "https:///",
            "ftp://localhost/",
            "https://:80",
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn digitalocean_takes_small_letters_and_not_our_own_tags() {
        for good in ["team:shop", "a", "0_a-b:", "stagecraft", "stagecraft-x:y"] {
            assert!(fits_digitalocean(good), "{good}");
        }
        for bad in ["Team", "a.b", "stagecraft:host:a", "stagecraft:"] {
            assert!(!fits_digitalocean(bad), "{bad}");
        }
    }

    #[test]
    fn hetzner_takes_what_can_be_a_label_and_not_our_own() {
        for good in ["team:shop", "Team", "a.b_c-d:E.1", "0"] {
            assert!(fits_hetzner(good), "{good}");
        }
        for bad in ["a:b:c", "a:", "a-", "a:b-", "stagecraft", "stagecraft.host:a", "a:_b"] {
            assert!(!fits_hetzner(bad), "{bad}");
        }
    }

    #[test]
    fn aws_takes_keys_and_values_and_not_our_own_or_its_own() {
        for good in ["team:shop", "Team", "a.b_c-d:E.1", "url:https://a/b", "cost center", "0"] {
            assert!(fits_aws(good), "{good}");
        }
        for bad in
            ["", "a:", ":b", "a#b", "stagecraft.host:a", "aws:x", "AWS:x", "Name", "Name:x", "a: b"]
        {
            assert!(!fits_aws(bad), "{bad}");
        }
    }
}
