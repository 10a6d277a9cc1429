//! Lists in pages.

use serde_json::{Map, Value, json};

use super::problem::Problem;
use crate::emulators::Call;

/// The host that links name, wherever the request went.
pub(super) const PRODUCTION: &str = "https://api.digitalocean.com/v2";

/// The page that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Page {
    number: usize,
    size: usize,
}

impl Page {
    fn asked(call: &Call) -> Result<Self, Problem> {
        let number = |name: &str, usual: usize, most: usize| match call.value(name) {
            None => Ok(usual),
            Some(text) => text
                .parse()
                .ok()
                .filter(|number| (1..=most).contains(number))
                .ok_or_else(|| Problem::unprocessable(format!("{name} is out of range"))),
        };
        Ok(Self { number: number("page", 1, 1 << 20)?, size: number("per_page", 20, 200)? })
    }

    fn last(self, total: usize) -> usize {
        total.div_ceil(self.size).max(1)
    }
}

/// The page of `items` that `call` asks for, under `name`, with its links and the total.
///
/// # Errors
/// There can be no such page.
pub(super) fn paged<T>(
    call: &Call,
    name: &str,
    items: Vec<T>,
    show: impl FnMut(T) -> Value,
) -> Result<Value, Problem> {
    let page = Page::asked(call)?;
    let total = items.len();
    let skipped = (page.number - 1).saturating_mul(page.size);
    let shown: Vec<Value> = items.into_iter().skip(skipped).take(page.size).map(show).collect();
    Ok(json!({ name: shown, "links": links(call, page, total), "meta": { "total": total } }))
}

/// `{}` on the only page; elsewhere only the links that lead to another page.
fn links(call: &Call, page: Page, total: usize) -> Value {
    let last = page.last(total);
    let mut pages = Map::new();
    let mut add = |name: &str, number: usize| {
        pages.insert(name.to_owned(), url(call, page.size, number).into());
    };
    if page.number > 1 {
        add("first", 1);
        add("prev", (page.number - 1).min(last));
    }
    if page.number < last {
        add("next", page.number + 1);
        add("last", last);
    }
    if pages.is_empty() { json!({}) } else { json!({ "pages": pages }) }
}

fn url(call: &Call, size: usize, number: usize) -> String {
    let kept = call.query.iter().filter(|(name, _)| name != "page" && name != "per_page");
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("page", &number.to_string())
        .append_pair("per_page", &size.to_string())
        .finish();
    format!("{PRODUCTION}/{}?{query}", call.path.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_that_exist_are_linked_and_by_the_name_of_the_production_host() {
        let links = |query: &str| shown(query, 45).unwrap()["links"].clone();
        assert_eq!(links("per_page=200"), json!({}));
        let at = |number: usize| {
            format!(
                "https://api.digitalocean.com/v2/droplets?tag_name=a%3Ab&page={number}&per_page=20"
            )
        };
        let first = json!({ "pages": { "next": at(2), "last": at(3) } });
        assert_eq!(links("tag_name=a:b"), first);
        let middle =
            json!({ "pages": { "first": at(1), "prev": at(1), "next": at(3), "last": at(3) } });
        assert_eq!(links("tag_name=a:b&page=2"), middle);
        let last = json!({ "pages": { "first": at(1), "prev": at(2) } });
        assert_eq!(links("tag_name=a:b&page=3"), last);
    }

    #[test]
    fn a_page_holds_its_items_and_the_total() {
        let page = shown("page=3&per_page=20", 45).unwrap();
        assert_eq!(
            (page["droplets"].clone(), page["meta"]["total"].clone()),
            (json!([40, 41, 42, 43, 44]), json!(45))
        );
        assert_eq!(shown("page=9", 45).unwrap()["droplets"], json!([]));
    }

    #[test]
    fn pages_that_cannot_be_are_refused() {
        for query in ["per_page=0", "per_page=201", "page=0", "page=x", "per_page=-1"] {
            assert_eq!(shown(query, 1).unwrap_err().status, 422, "{query}");
        }
    }

    fn shown(query: &str, total: usize) -> Result<Value, Problem> {
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let call = Call { path: vec!["droplets".to_owned()], query, ..Call::default() };
        paged(&call, "droplets", (0..total).collect(), |number| json!(number))
    }
}
