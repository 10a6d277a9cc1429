//! What `kill -9` is aimed at: a pretended process whose calls stop returning once it is dead.
//!
//! ```text
//! Alive --kill()--> Dead        the answer on its way is lost
//! Alive --doom()--> Doomed      the answer arrives, then nothing else happens
//! Doomed --next interaction--> Dead
//! ```

use tokio::sync::watch;

/// One run of the program. Clones are the same process.
#[derive(Clone, Debug)]
pub struct Process {
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Alive,
    Doomed,
    Dead,
}

impl Default for Process {
    fn default() -> Self {
        Self::new()
    }
}

impl Process {
    /// A process that has just started.
    #[must_use]
    pub fn new() -> Self {
        Self { state: watch::Sender::new(State::Alive) }
    }

    /// Kills it now: no call it has under way or makes later ever returns or has an effect.
    pub fn kill(&self) {
        self.state.send_replace(State::Dead);
    }

    /// Kills it at its next interaction with the outside, before that interaction has any effect.
    pub fn doom(&self) {
        self.state.send_if_modified(|state| {
            let alive = *state == State::Alive;
            if alive {
                *state = State::Doomed;
            }
            alive
        });
    }

    /// Whether it was killed.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        *self.state.borrow() == State::Dead
    }

    /// Passed by every interaction with the outside; never returns in a dead process.
    pub async fn interact(&self) {
        if !self.lives_on() {
            std::future::pending::<()>().await;
        }
    }

    /// What [`Process::interact`] decides, for those who notice an interaction from the other end.
    pub fn lives_on(&self) -> bool {
        let state = *self.state.borrow();
        match state {
            State::Alive => true,
            State::Doomed => {
                self.kill();
                false
            }
            State::Dead => false,
        }
    }

    /// Returns when the process is dead.
    pub async fn killed(&self) {
        let mut state = self.state.subscribe();
        // The sender lives as long as `self`, so waiting can only end with the state.
        let _seen = state.wait_for(|state| *state == State::Dead).await.map(|state| *state);
    }

    /// Runs the program in this process: its outcome, or `None` when it was killed, in which case
    /// everything it held is dropped at that instant.
    pub async fn run<F: Future>(&self, program: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            () = self.killed() => None,
            outcome = program => Some(outcome),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_killed_process_stops_where_it_is() {
        let process = Process::new();
        let mut reached = Vec::new();
        let outcome = process
            .run(async {
                process.interact().await;
                reached.push("before");
                process.kill();
                process.interact().await;
                reached.push("after");
            })
            .await;
        assert_eq!((outcome, reached), (None, vec!["before"]));
    }

    #[tokio::test]
    async fn a_doomed_process_gets_as_far_as_its_next_interaction() {
        let process = Process::new();
        let mut reached = Vec::new();
        let outcome = process
            .run(async {
                process.doom();
                reached.push("between");
                process.interact().await;
                reached.push("after");
            })
            .await;
        assert_eq!((outcome, reached), (None, vec!["between"]));
    }

    #[tokio::test]
    async fn a_process_left_alone_finishes() {
        assert_eq!(Process::new().run(async { 7 }).await, Some(7));
    }
}
