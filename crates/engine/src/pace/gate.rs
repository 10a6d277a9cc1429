use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// The first pause is at least this long. Those that follow soon are twice as long each, up to
/// [`LONGEST_FLOOR`], while that lets more requests through: a limit may free so little at a time that
/// only a long pause is worth it, and another may hold so few at once that a long one wastes most.
const FIRST_FLOOR: Duration = Duration::from_secs(1);
/// Pauses are longer only when the provider says so.
const LONGEST_FLOOR: Duration = Duration::from_secs(30);
/// The first pause that is as long as that.
const LONGEST_STEP: u32 = 6;
/// What is added at most, so that two programs that were told the same do not return at once.
const SPREAD: Duration = Duration::from_secs(1);
/// After this long without a pause the next one is a first one again.
const CALM: Duration = Duration::from_secs(60);

/// What stands before one provider.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Notify,
}

/// Whether a request may be sent.
#[derive(Debug)]
pub(super) enum Admission<'g> {
    /// Now.
    Now(Pass<'g>),
    /// Not before this long has passed.
    Later(Duration),
    /// When one that is under way is over.
    AfterAnother,
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct Pass<'g> {
    gate: &'g Gate,
    sent: Duration,
}

impl Gate {
    pub(super) fn admit(&self, now: Duration) -> Admission<'_> {
        let mut state = self.state();
        match state.admit(now) {
            Verdict::Now => Admission::Now(Pass { gate: self, sent: now }),
            Verdict::Later(rest) => Admission::Later(rest),
            Verdict::AfterAnother => Admission::AfterAnother,
        }
    }

    /// Resolves when a request that was under way is over.
    pub(super) fn changes(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// What the provider said when it asked to slow down.
    pub(super) fn words(&self) -> String {
        self.state().words.clone()
    }

    /// How long the gate was open, of the time until now.
    pub(super) fn open_time(&self, now: Duration) -> Duration {
        self.state().open_time(now)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The provider dealt with the request, well or badly.
    pub(super) fn answered(self, now: Duration) {
        self.gate.state().answered(now);
    }

    /// The provider asked to slow down, for at least `hint`. Gives the length of the pause that
    /// begins with that, if one does; `fraction`, from 0 to 1, spreads its end.
    pub(super) fn refused(
        self,
        now: Duration,
        hint: Duration,
        fraction: f64,
        words: &str,
    ) -> Option<Duration> {
        let mut state = self.gate.state();
        words.clone_into(&mut state.words);
        state.refused(self.sent, now, hint, SPREAD.mul_f64(fraction))
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.gate.state().under_way -= 1;
        self.gate.changed.notify_waiters();
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Now,
    Later(Duration),
    AfterAnother,
}

/// What a gate knows. Pure.
#[derive(Debug)]
struct State {
    /// When the latest pause began ...
    since: Duration,
    /// ... and when it ends or ended.
    until: Duration,
    /// How long the pauses before it were, all together.
    earlier: Duration,
    /// The latest pause was the `step`-th of a row, as far as its length goes; 0 before the first.
    step: u32,
    /// Pauses become shorter.
    shortens: bool,
    /// How many requests were answered since the latest pause.
    passed: u32,
    /// How many a second passed with the pause before it.
    rate: f64,
    under_way: usize,
    /// How many may be under way.
    room: usize,
    words: String,
}

impl Default for State {
    fn default() -> Self {
        let zero = Duration::ZERO;
        let (since, until, earlier) = (zero, zero, zero);
        let (step, shortens, passed, rate) = (0, false, 0, 0.0);
        let (under_way, room, words) = (0, usize::MAX, String::new());
        Self { since, until, earlier, step, shortens, passed, rate, under_way, room, words }
    }
}

impl State {
    fn admit(&mut self, now: Duration) -> Verdict {
        if now < self.until {
            Verdict::Later(self.until - now)
        } else if self.under_way >= self.room {
            Verdict::AfterAnother
        } else {
            self.under_way += 1;
            Verdict::Now
        }
    }

    fn answered(&mut self, now: Duration) {
        // While the gate is closed, answers are to requests from before, and prove nothing.
        if now >= self.until {
            self.room = self.room.saturating_mul(2);
            self.passed = self.passed.saturating_add(1);
        }
    }

    fn refused(
        &mut self,
        sent: Duration,
        now: Duration,
        hint: Duration,
        spread: Duration,
    ) -> Option<Duration> {
        // Whoever was sent before the latest pause and is refused during or after it says nothing
        // new, unless the provider wants a longer one.
        let until = if sent < self.until {
            now.saturating_add(hint)
        } else {
            self.take_step(now);
            let pause = hint.max(floor(self.step)).saturating_add(spread);
            now.saturating_add(pause)
        };
        if now < self.until {
            self.until = self.until.max(until);
            return None;
        }
        if until == now {
            return None;
        }
        self.earlier += self.until - self.since;
        (self.since, self.until, self.room, self.passed) = (now, until, 1, 0);
        Some(until - now)
    }

    /// Chooses how long the next pause is, by what came through with the latest.
    fn take_step(&mut self, now: Duration) {
        if self.step == 0 || now.saturating_sub(self.until) > CALM {
            (self.step, self.shortens, self.rate) = (1, false, 0.0);
            return;
        }
        let rate = f64::from(self.passed) / now.saturating_sub(self.since).as_secs_f64();
        // Where it makes no difference, long pauses are better: they cost fewer refusals.
        self.shortens = match self.shortens {
            false => self.passed > 0 && rate < self.rate * 0.8,
            true => rate > self.rate * 1.25,
        };
        self.rate = rate;
        self.step = if self.shortens {
            self.step.saturating_sub(1).max(1)
        } else {
            self.step.saturating_add(1).min(LONGEST_STEP)
        };
    }

    fn open_time(&self, now: Duration) -> Duration {
        now - self.earlier - (self.until.min(now) - self.since)
    }
}

/// How long the pause is at least that is the `nth` in a row, from 1.
fn floor(nth: u32) -> Duration {
    FIRST_FLOOR.saturating_mul(2u32.saturating_pow(nth.saturating_sub(1))).min(LONGEST_FLOOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Duration = Duration::ZERO;

    #[test]
    fn whoever_comes_while_the_gate_is_closed_waits_for_the_rest_of_the_time() {
        let mut gate = State::default();
        assert_eq!(gate.admit(secs(5)), Verdict::Now);
        assert_eq!(gate.refused(secs(5), secs(6), secs(32), NONE), Some(secs(32)));
        assert_eq!(gate.admit(secs(7)), Verdict::Later(secs(31)));
        gate.under_way = 0;
        assert_eq!(gate.admit(secs(38)), Verdict::Now);
    }

    #[test]
    fn many_refusals_make_one_pause_as_long_as_the_longest() {
        let mut gate = State::default();
        assert_eq!(gate.refused(NONE, secs(1), secs(30), NONE), Some(secs(30)));
        assert_eq!(gate.refused(NONE, secs(2), secs(30), NONE), None);
        assert_eq!(gate.refused(NONE, secs(3), secs(2), NONE), None);
        assert_eq!(gate.admit(secs(4)), Verdict::Later(secs(28)));
        assert_eq!(gate.step, 1);
    }

    #[test]
    fn an_old_refusal_that_comes_after_the_pause_begins_no_other() {
        let mut gate = State::default();
        assert_eq!(gate.refused(NONE, secs(1), NONE, NONE), Some(secs(1)));
        assert_eq!(gate.refused(NONE, secs(3), NONE, NONE), None);
        assert_eq!((gate.admit(secs(3)), gate.step), (Verdict::Now, 1));
        // What it was told counts all the same.
        assert_eq!(gate.refused(secs(1), secs(4), secs(9), NONE), Some(secs(9)));
    }

    #[test]
    fn pauses_soon_after_each_other_grow_until_there_was_calm() {
        let mut gate = State::default();
        let mut now = NONE;
        let pauses: Vec<u64> = (0..7)
            .map(|_| {
                let pause = gate.refused(now, now, NONE, NONE).expect("a pause");
                now += pause;
                pause.as_secs()
            })
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        now += CALM + secs(1);
        assert_eq!(gate.refused(now, now, NONE, NONE), Some(secs(1)));
        assert_eq!(floor(u32::MAX), LONGEST_FLOOR);
        assert!(floor(LONGEST_STEP - 1) < LONGEST_FLOOR && floor(LONGEST_STEP) == LONGEST_FLOOR);
    }

    #[test]
    fn a_limit_that_holds_few_at_once_is_used_nearly_as_fast_as_it_frees_them() {
        // Room for 5, and 2 more a second: 300 take 148 s at best, and 28 minutes where pauses only grow.
        assert!(seconds_for(300, 5, 2.0) < 200.0);
        // Where most is freed over a long time, long pauses stay: few are refused.
        assert!(seconds_for(300, 250, 0.5) < 130.0);
    }

    /// How long so many requests take, each of which takes a tenth of a second and up to ten of which
    /// are made at once, at a provider that has room for some and frees it at a rate.
    fn seconds_for(requests: u32, room: u32, rate: f64) -> f64 {
        const TICK: Duration = Duration::from_millis(100);
        let (mut gate, mut now, mut left, mut free) =
            (State::default(), NONE, requests, f64::from(room));
        while left > 0 {
            now += TICK;
            free = (free + rate * TICK.as_secs_f64()).min(f64::from(room));
            let sent = (0..10.min(left)).filter(|_| gate.admit(now) == Verdict::Now).count();
            gate.under_way = 0;
            for _ in 0..sent {
                if free >= 1.0 {
                    (free, left) = (free - 1.0, left - 1);
                    gate.answered(now + TICK);
                } else {
                    gate.refused(now, now + TICK, NONE, NONE);
                }
            }
        }
        now.as_secs_f64()
    }

    #[test]
    fn a_pause_is_never_shorter_than_the_provider_wants_and_its_end_is_spread() {
        let mut gate = State::default();
        assert_eq!(gate.refused(NONE, NONE, secs(40), secs(1)), Some(secs(41)));
    }

    #[test]
    fn after_a_pause_one_goes_first_and_each_answer_lets_in_more() {
        let mut gate = State::default();
        let admitted = |gate: &mut State, now| {
            std::iter::repeat_with(|| gate.admit(now))
                .take(100)
                .filter(|verdict| *verdict == Verdict::Now)
                .count()
        };
        assert_eq!(admitted(&mut gate, NONE), 100);
        gate.refused(NONE, secs(1), secs(9), NONE);
        // Answers to what was sent before the pause widen nothing.
        gate.answered(secs(2));
        gate.under_way = 0;
        for expected in [1, 2, 4] {
            assert_eq!(admitted(&mut gate, secs(10)), expected);
            gate.under_way = 0;
            gate.answered(secs(10));
        }
        gate.refused(secs(10), secs(11), NONE, NONE);
        assert_eq!(admitted(&mut gate, secs(60)), 1);
        assert_eq!(gate.admit(secs(60)), Verdict::AfterAnother);
    }

    #[test]
    fn a_pause_without_end_is_a_pause_like_any_other() {
        let mut gate = State::default();
        assert!(gate.refused(secs(1), secs(1), Duration::MAX, secs(1)).is_some());
        assert_eq!(gate.admit(secs(5)), Verdict::Later(Duration::MAX - secs(5)));
        assert_eq!(gate.refused(NONE, secs(6), Duration::MAX, NONE), None);
        assert_eq!(gate.open_time(secs(6)), secs(1));
    }

    #[test]
    fn time_in_which_the_gate_was_closed_is_not_counted() {
        let mut gate = State::default();
        assert_eq!(gate.open_time(secs(7)), secs(7));
        gate.refused(secs(10), secs(10), secs(100), NONE);
        for (now, open) in [(10, 10), (60, 10), (110, 10), (115, 15)] {
            assert_eq!(gate.open_time(secs(now)), secs(open), "at {now}");
        }
        gate.refused(secs(120), secs(120), secs(50), NONE);
        // A longer pause is asked for while it lasts.
        gate.refused(secs(120), secs(130), secs(70), NONE);
        for (now, open) in [(120, 20), (199, 20), (210, 30)] {
            assert_eq!(gate.open_time(secs(now)), secs(open), "at {now}");
        }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }
}
