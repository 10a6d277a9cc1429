//! Lists that come in pages.

use super::wire::Turn;

/// Items per page: as many as the API gives.
pub(super) const PER_PAGE: u64 = 200;

/// The page that is said to follow this one, if one does.
///
/// # Errors
/// It is not said which.
pub(super) fn next(turn: &Turn) -> Result<Option<u64>, String> {
    let Some(url) = &turn.next else { return Ok(None) };
    number(url).map(Some).ok_or_else(|| "it does not say which page is the next".to_owned())
}

/// The page a URL asks for. The rest of the URL names a host that a proxy may stand before.
fn number(url: &str) -> Option<u64> {
    let (_, query) = url.split_once('?')?;
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == "page")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Reader;

    #[test]
    fn a_list_is_read_page_by_page_up_to_the_last() {
        let pages = [turn(Some(2), 5), turn(Some(3), 5), turn(None, 5)];
        assert_eq!(read(&pages), Ok(vec![1, 2, 3]));
        assert_eq!(read(&[turn(None, 0)]), Ok(vec![1]));
    }

    #[test]
    fn a_list_that_grows_is_simply_read_on() {
        let pages = [turn(Some(2), 5), turn(Some(3), 6), turn(None, 7)];
        assert_eq!(read(&pages), Ok(vec![1, 2, 3]));
    }

    #[test]
    fn a_list_that_became_shorter_is_read_again_from_the_page_before() {
        let pages = [turn(Some(2), 5), turn(Some(3), 4), turn(Some(2), 4), turn(None, 4)];
        assert_eq!(read(&pages), Ok(vec![1, 2, 1, 2]));
        // The second page is no more, and what was on it may be on the first.
        assert_eq!(read(&[turn(Some(2), 3), turn(None, 2), turn(None, 1)]), Ok(vec![1, 2, 1]));
    }

    #[test]
    fn a_list_that_lost_more_than_a_page_is_read_again_from_as_many_pages_before() {
        // Of the 600 that were read 401 are gone, so the next unread one is on the first page.
        let before = [turn(Some(2), 1000), turn(Some(3), 1000), turn(Some(4), 1000)];
        let after = [turn(None, 599), turn(Some(2), 599), turn(Some(3), 599), turn(None, 599)];
        let pages: Vec<Turn> = before.into_iter().chain(after).collect();
        assert_eq!(read(&pages), Ok(vec![1, 2, 3, 4, 1, 2, 3]));
        assert_eq!(read(&[turn(Some(2), 999), turn(None, 0), turn(None, 0)]), Ok(vec![1, 2, 1]));
    }

    #[test]
    fn a_next_page_that_is_not_the_next_is_not_believed() {
        for wrong in [1, 3, 0] {
            let refused = read(&[turn(Some(wrong), 5)]).expect_err("not believed");
            assert_eq!(refused, format!("page 1 of a list is followed by page {wrong}"));
        }
        let without = Turn { next: Some("https://api.example/v2/sizes".to_owned()), total: None };
        assert!(read(&[without]).is_err());
    }

    #[test]
    fn a_list_without_end_is_given_up() {
        let mut reader = Reader::new(PER_PAGE);
        let refused = loop {
            match reader.turn(Some(reader.page() + 1), Some(5)) {
                Ok(next) => reader = next.expect("more"),
                Err(why) => break why,
            }
        };
        assert_eq!(refused, "a list has more than 1000 pages");
    }

    #[test]
    fn the_page_is_found_wherever_it_is_in_the_url() {
        assert_eq!(number("https://api.digitalocean.com/v2/x?page=2&per_page=200"), Some(2));
        assert_eq!(number("/v2/x?tag_name=a%3Ab&page=17#top"), Some(17));
        assert_eq!(number("/v2/x?page=many"), None);
    }

    fn turn(next: Option<u64>, total: u64) -> Turn {
        let url = |page: u64| format!("https://api.digitalocean.com/v2/droplets?page={page}");
        Turn { next: next.map(url), total: Some(total) }
    }

    /// The pages that are asked for when these are the answers.
    fn read(answers: &[Turn]) -> Result<Vec<u64>, String> {
        let mut asked = Vec::new();
        let mut at = Some(Reader::new(PER_PAGE));
        for answer in answers {
            let reader = at.expect("more is said than was asked for");
            asked.push(reader.page());
            at = reader.turn(next(answer)?, answer.total)?;
        }
        assert!(at.is_none(), "more is asked for");
        Ok(asked)
    }
}
