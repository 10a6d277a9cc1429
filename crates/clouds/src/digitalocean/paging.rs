//! Lists that come in pages.

use super::wire::Turn;

/// Items per page: as many as the API gives.
pub(super) const PER_PAGE: u64 = 200;

/// No list is read further; an account has a tenth of this many droplets.
const MOST_PAGES: u32 = 1000;

/// Where a reader of a list is.
///
/// Pages are counted from the front, so an item removed from a page that was read moves one that
/// was not read onto it, out of sight. Whenever the list has become shorter since the page before,
/// the reader therefore goes back as many pages as could have held what is gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    page: u32,
    read: u32,
    total: Option<u64>,
}

impl Reader {
    /// A reader before the first page.
    pub(super) fn new() -> Self {
        Self { page: 1, read: 0, total: None }
    }

    /// The number of the page to read now.
    pub(super) fn page(self) -> u32 {
        self.page
    }

    /// Where to go on after this page; `None` at the end.
    ///
    /// # Errors
    /// What cannot be right about what the page says.
    pub(super) fn turn(self, turn: &Turn) -> Result<Option<Self>, String> {
        let Self { page, read, total } = self;
        let read = read + 1;
        let lost = total.zip(turn.total).map_or(0, |(was, is)| was.saturating_sub(is));
        let back = u32::try_from(lost.div_ceil(PER_PAGE)).unwrap_or(u32::MAX);
        let total = turn.total.or(total);
        let next = match &turn.next {
            _ if page > 1 && back > 0 => page.saturating_sub(back).max(1),
            None => return Ok(None),
            Some(url) => match number(url) {
                Some(number) if number == page + 1 => number,
                Some(number) => return Err(format!("page {number} is said to follow page {page}")),
                None => return Err(format!("it does not say which page follows page {page}")),
            },
        };
        if read == MOST_PAGES {
            return Err(format!("there are more than {MOST_PAGES} pages"));
        }
        Ok(Some(Self { page: next, read, total }))
    }
}

/// The page a URL asks for. The rest of the URL names a host that a proxy may stand before.
fn number(url: &str) -> Option<u32> {
    let (_, query) = url.split_once('?')?;
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == "page")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(refused, format!("page {wrong} is said to follow page 1"));
        }
        let without = Turn { next: Some("https://api.example/v2/sizes".to_owned()), total: None };
        assert!(read(&[without]).is_err());
    }

    #[test]
    fn a_list_without_end_is_given_up() {
        let mut reader = Reader::new();
        let refused = loop {
            match reader.turn(&turn(Some(reader.page() + 1), 5)) {
                Ok(next) => reader = next.expect("more"),
                Err(why) => break why,
            }
        };
        assert_eq!(refused, "there are more than 1000 pages");
    }

    #[test]
    fn the_page_is_found_wherever_it_is_in_the_url() {
        assert_eq!(number("https://api.digitalocean.com/v2/x?page=2&per_page=200"), Some(2));
        assert_eq!(number("/v2/x?tag_name=a%3Ab&page=17#top"), Some(17));
        assert_eq!(number("/v2/x?page=many"), None);
    }

    fn turn(next: Option<u32>, total: u64) -> Turn {
        let url = |page| format!("https://api.digitalocean.com/v2/droplets?page={page}");
        Turn { next: next.map(url), total: Some(total) }
    }

    /// The pages that are asked for when these are the answers.
    fn read(answers: &[Turn]) -> Result<Vec<u32>, String> {
        let mut asked = Vec::new();
        let mut at = Some(Reader::new());
        for answer in answers {
            let reader = at.expect("more is said than was asked for");
            asked.push(reader.page());
            at = reader.turn(answer)?;
        }
        assert!(at.is_none(), "more is asked for");
        Ok(asked)
    }
}
