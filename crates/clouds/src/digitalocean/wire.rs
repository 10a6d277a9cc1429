//! Answers as the API describes them, as far as they are used.
//!
//! Fields that may be missing or null are optional, unknown fields are ignored, and words that are
//! not known yet become `Unknown`, so that a newer API is read as well as this one.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use crate::http::since_1970;

/// A page of a list.
pub(super) trait Page: DeserializeOwned {
    /// What is listed.
    type Item;

    /// What is on the page, and where the list goes on.
    fn open(self) -> (Vec<Self::Item>, Turn);
}

/// Where a list goes on after a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    /// The URL of the next page.
    pub(super) next: Option<String>,
    /// How many items all pages have.
    pub(super) total: Option<u64>,
}

macro_rules! pages {
    ($($name:ident { $items:ident: $item:ty })*) => { $(
        #[derive(Debug, Deserialize)]
        pub(super) struct $name {
            $items: Vec<$item>,
            links: Option<Links>,
            meta: Option<Meta>,
        }

        impl Page for $name {
            type Item = $item;

            fn open(self) -> (Vec<$item>, Turn) {
                let next = self.links.and_then(|links| links.pages).and_then(|pages| pages.next);
                (self.$items, Turn { next, total: self.meta.and_then(|meta| meta.total) })
            }
        }
    )* };
}

pages! {
    Droplets { droplets: Droplet }
    Sizes { sizes: Size }
    Regions { regions: Region }
    Images { images: Image }
    Keys { ssh_keys: Key }
}

#[derive(Debug, Deserialize)]
struct Links {
    pages: Option<Pages>,
}

#[derive(Debug, Deserialize)]
struct Pages {
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Meta {
    pub(super) total: Option<u64>,
}

/// The answer about one droplet, existing or just ordered.
#[derive(Debug, Deserialize)]
pub(super) struct OneDroplet {
    pub(super) droplet: Droplet,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Droplet {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) status: Status,
    /// In milliseconds since 1970.
    #[serde(deserialize_with = "millis")]
    pub(super) created_at: u64,
    pub(super) size_slug: Option<String>,
    pub(super) region: Option<Slug>,
    pub(super) image: Option<Slug>,
    pub(super) networks: Option<Networks>,
    pub(super) tags: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    New,
    Active,
    Off,
    Archive,
    #[serde(other)]
    Unknown,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Slug {
    pub(super) slug: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Networks {
    pub(super) v4: Option<Vec<Network>>,
    pub(super) v6: Option<Vec<Network>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Network {
    pub(super) ip_address: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<NetworkKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NetworkKind {
    Public,
    Private,
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Deserialize)]
pub(super) struct Size {
    pub(super) slug: String,
    pub(super) available: Option<bool>,
    pub(super) regions: Option<Vec<String>>,
    /// In US dollars, with the noise of a float.
    pub(super) price_monthly: Option<f64>,
    /// Only sizes with a graphics card have it.
    pub(super) gpu_info: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Region {
    pub(super) slug: String,
    pub(super) available: Option<bool>,
    pub(super) sizes: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Image {
    pub(super) slug: Option<String>,
    pub(super) status: Option<ImageStatus>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum ImageStatus {
    #[serde(rename = "available")]
    Available,
    #[serde(other)]
    Unavailable,
}

#[derive(Debug, Deserialize)]
pub(super) struct Key {
    pub(super) id: u64,
    pub(super) name: String,
}

/// The answer about the account.
#[derive(Debug, Deserialize)]
pub(super) struct OneAccount {
    pub(super) account: Account,
}

#[derive(Debug, Deserialize)]
pub(super) struct Account {
    pub(super) email: Option<String>,
    pub(super) team: Option<Team>,
    pub(super) status: Option<AccountStatus>,
    pub(super) status_message: Option<String>,
    /// Not told to tokens that may not read droplets.
    pub(super) droplet_limit: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Team {
    pub(super) name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AccountStatus {
    Active,
    Warning,
    Locked,
    #[serde(other)]
    Unknown,
}

/// How many droplets there are, of a list that is not read itself.
#[derive(Debug, Deserialize)]
pub(super) struct Counted {
    pub(super) meta: Meta,
}

/// The answer about a tag.
#[derive(Debug, Deserialize)]
pub(super) struct OneTag {
    pub(super) tag: Tag,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tag {
    pub(super) name: String,
}

fn millis<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let text = String::deserialize(from)?;
    since_1970(&text)
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .ok_or_else(|| D::Error::custom("a time of creation that is no time"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::digitalocean::fixtures::droplet;

    #[test]
    fn a_page_says_where_the_list_goes_on() {
        let open = |links: serde_json::Value| {
            let page = json!({ "droplets": [droplet(7)], "links": links, "meta": { "total": 3 } });
            let page: Droplets = serde_json::from_value(page).unwrap();
            let (droplets, turn) = page.open();
            assert_eq!((droplets.len(), turn.total), (1, Some(3)));
            turn.next
        };
        let next = "https://api.digitalocean.com/v2/droplets?page=2&per_page=200";
        assert_eq!(open(json!({ "pages": { "next": next, "last": next } })), Some(next.to_owned()));
        assert_eq!(open(json!({ "pages": { "prev": next, "first": next } })), None);
        for last in [json!({}), json!({ "pages": {} }), json!({ "pages": null }), json!(null)] {
            assert_eq!(open(last), None);
        }
    }

    #[test]
    fn a_page_may_say_nothing_but_its_items() {
        let page: Keys = serde_json::from_str(r#"{"ssh_keys": []}"#).unwrap();
        assert_eq!(page.open().1, Turn::default());
        let missing = serde_json::from_str::<Keys>(r#"{"links": {}}"#).unwrap_err();
        assert!(missing.to_string().contains("`ssh_keys`"), "{missing}");
    }

    #[test]
    fn words_that_are_not_known_yet_are_read() {
        let account = json!({ "status": "suspended", "team": null, "droplet_limit": null });
        let account: Account = serde_json::from_value(account).unwrap();
        assert_eq!(account.status, Some(AccountStatus::Unknown));
        let image: Image = serde_json::from_str(r#"{"slug": null, "status": "NEW"}"#).unwrap();
        assert_eq!(image.status, Some(ImageStatus::Unavailable));
    }

    #[test]
    fn a_time_of_creation_that_is_no_time_is_refused() {
        let mut shown = droplet(7);
        shown["created_at"] = "yesterday".into();
        assert!(serde_json::from_value::<Droplet>(shown).is_err());
    }
}
