//! Lists that come in pages.

use super::Answer;

/// No more pages are read for one list; no account has as many instances as they could hold.
const MOST_PAGES: u64 = 1000;

/// No more bytes are read for one list; ten thousand instances are half of it.
const LARGEST_LIST: usize = 64 * 1024 * 1024;

/// How much of a list was read. Pages that are as large as may be would fill the memory long before there
/// are too many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Volume(usize);

impl Volume {
    /// Adds a page.
    ///
    /// # Errors
    /// The list is larger than any that makes sense.
    pub(crate) fn add(&mut self, page: &Answer) -> Result<(), String> {
        self.0 = self.0.saturating_add(page.body.len());
        if self.0 > LARGEST_LIST {
            return Err(format!("a list is larger than {} MiB", LARGEST_LIST >> 20));
        }
        Ok(())
    }
}

/// Where a reader of a list is.
///
/// Pages are counted from the front, so an item removed from a page that was read moves one that
/// was not read onto it, out of sight. Whenever the list has become shorter since the page before,
/// the reader therefore goes back as many pages as could have held what is gone, and meets some
/// items again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    per_page: u64,
    page: u64,
    read: u64,
    total: Option<u64>,
}

impl Reader {
    /// A reader before the first page of a list with so many items on each.
    pub(crate) fn new(per_page: u64) -> Self {
        Self { per_page, page: 1, read: 0, total: None }
    }

    /// The number of the page to read now.
    pub(crate) fn page(self) -> u64 {
        self.page
    }

    /// Where to go on after this page, which names the next one and how long the list is, if it
    /// does; `None` at the end.
    ///
    /// # Errors
    /// The pages do not follow each other, or do not come to an end.
    pub(crate) fn turn(
        self,
        next: Option<u64>,
        length: Option<u64>,
    ) -> Result<Option<Self>, String> {
        let Self { per_page, page, read, total } = self;
        let read = read + 1;
        let lost = total.zip(length).map_or(0, |(was, is)| was.saturating_sub(is));
        let total = length.or(total);
        let next = match next {
            _ if page > 1 && lost > 0 => page.saturating_sub(lost.div_ceil(per_page)).max(1),
            None => return Ok(None),
            Some(next) if next == page + 1 => next,
            Some(next) => return Err(format!("page {page} of a list is followed by page {next}")),
        };
        if read == MOST_PAGES {
            return Err(format!("a list has more than {MOST_PAGES} pages"));
        }
        Ok(Some(Self { per_page, page: next, read, total }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PER_PAGE: u64 = 50;

    #[test]
    fn a_list_is_read_page_by_page_up_to_the_last() {
        let pages = [(Some(2), 105), (Some(3), 105), (None, 106)];
        assert_eq!(read(&pages), Ok(vec![1, 2, 3]));
        assert_eq!(read(&[(None, 0)]), Ok(vec![1]));
    }

    #[test]
    fn a_list_that_became_shorter_is_read_again_from_the_page_before() {
        let pages = [(Some(2), 105), (Some(3), 104), (Some(2), 104), (Some(3), 104), (None, 104)];
        assert_eq!(read(&pages), Ok(vec![1, 2, 1, 2, 3]));
        // The second page is no more, and what was on it may be on the first.
        assert_eq!(read(&[(Some(2), 51), (None, 50), (None, 50)]), Ok(vec![1, 2, 1]));
    }

    #[test]
    fn a_list_that_lost_more_than_a_page_is_read_again_from_as_many_pages_before() {
        let pages = [(Some(2), 200), (Some(3), 200), (Some(4), 200), (None, 99), (Some(2), 99)];
        let pages: Vec<_> = pages.into_iter().chain([(None, 99)]).collect();
        assert_eq!(read(&pages), Ok(vec![1, 2, 3, 4, 1, 2]));
    }

    #[test]
    fn pages_must_follow_each_other_and_end() {
        for (page, next) in [(1, 1), (2, 1), (1, 3), (1, u64::MAX)] {
            let reader = Reader { page, ..Reader::new(PER_PAGE) };
            let refused = reader.turn(Some(next), Some(5)).expect_err("not believed");
            assert_eq!(refused, format!("page {page} of a list is followed by page {next}"));
        }
        // The total of every other page is lower, for ever.
        let mut reader = Reader::new(PER_PAGE);
        let refused = loop {
            let page = reader.page();
            match reader.turn(Some(page + 1), Some(200 - page % 2)) {
                Ok(next) => reader = next.expect("more"),
                Err(why) => break why,
            }
        };
        assert_eq!(refused, "a list has more than 1000 pages");
    }

    #[test]
    fn a_list_of_huge_pages_is_given_up_before_it_fills_the_memory() {
        let page = Answer { body: vec![b' '; 16 * 1024 * 1024], ..Answer::default() };
        let mut volume = Volume::default();
        let read = (0..).take_while(|_| volume.add(&page).is_ok()).count();
        assert_eq!(read, 4);
        assert_eq!(volume.add(&page), Err("a list is larger than 64 MiB".to_owned()));
    }

    #[test]
    fn a_list_that_does_not_tell_its_length_is_simply_read_on() {
        let reader = Reader { page: 2, read: 1, total: Some(60), ..Reader::new(PER_PAGE) };
        assert!(reader.turn(None, None).expect("believed").is_none());
    }

    /// The pages that are asked for when these are the answers: the next page, and the total.
    fn read(answers: &[(Option<u64>, u64)]) -> Result<Vec<u64>, String> {
        let mut asked = Vec::new();
        let mut at = Some(Reader::new(PER_PAGE));
        for &(next, total) in answers {
            let reader = at.expect("more is said than was asked for");
            asked.push(reader.page());
            at = reader.turn(next, Some(total))?;
        }
        assert!(at.is_none(), "more is asked for");
        Ok(asked)
    }
}
