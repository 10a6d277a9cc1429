//! Answers that are given instead of a server's, on one thread.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::Answer;

thread_local! {
    static ANSWERS: RefCell<Option<VecDeque<Answer>>> = const { RefCell::new(None) };
}

/// As long as it lives, no request of this thread leaves the process.
#[derive(Debug)]
pub(crate) struct Scripted(());

impl Scripted {
    /// The answers to the next requests, in order.
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        ANSWERS.set(Some(answers.into_iter().collect()));
        Self(())
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        ANSWERS.set(None);
    }
}

/// The next answer, or that there is none any more; `None` where requests go to their servers.
pub(super) fn next() -> Option<Option<Answer>> {
    ANSWERS.with_borrow_mut(|answers| Some(answers.as_mut()?.pop_front()))
}
