//! Names in the order in which people count: `app-2` before `app-10`.

use stagecraft_core::name::HostName;

/// What a name is ordered by: its words and the numbers between them, a longer number being the greater.
type Key = Vec<(String, usize, String)>;

/// These, by the names of their hosts.
pub(super) fn by_name<T>(
    items: impl IntoIterator<Item = T>,
    host: impl Fn(&T) -> &HostName,
) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    // Names that differ only in zeros stay as they are.
    items.sort_by_cached_key(|item| key(host(item).as_str()));
    items
}

fn key(name: &str) -> Key {
    let mut key = Key::new();
    let mut rest = name;
    while !rest.is_empty() {
        let words = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (word, from_number) = rest.split_at(words);
        let digits = from_number.find(|c: char| !c.is_ascii_digit()).unwrap_or(from_number.len());
        let (number, after) = from_number.split_at(digits);
        let number = number.trim_start_matches('0');
        key.push((word.to_owned(), number.len(), number.to_owned()));
        rest = after;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_in_which_people_count() {
        let sorted = |names: &[&str]| {
            let hosts: Vec<HostName> = names.iter().map(|name| name.parse().unwrap()).collect();
            let sorted = by_name(&hosts, |host| host);
            sorted.into_iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            sorted(&["a-1", "a-10", "a-2", "a", "b2c10", "b2c9", "b10c1", "9", "10"]),
            ["9", "10", "a", "a-1", "a-2", "a-10", "b2c9", "b2c10", "b10c1"]
        );
        let long = "1".repeat(63);
        assert_eq!(sorted(&[&long, "2"]), ["2", long.as_str()], "no number is too long");
        assert_eq!(sorted(&["a-01", "a-1", "a-002"]), ["a-01", "a-1", "a-002"]);
    }
}
