use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts what is under way. Clones are the same gauge.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<Mutex<Reading>>);

/// What a [`Gauge`] shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// How many were begun.
    pub begun: u64,
    /// How many of them are under way.
    pub now: u64,
    /// How many were under way at once, at most.
    pub most: u64,
}

impl Gauge {
    /// What it shows now.
    #[must_use]
    pub fn read(&self) -> Reading {
        *self.reading()
    }

    /// Counts one more until it is dropped.
    pub(crate) fn enter(&self) -> Inside {
        let mut reading = self.reading();
        reading.begun += 1;
        reading.now += 1;
        reading.most = reading.most.max(reading.now);
        Inside(self.clone())
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that is under way.
#[derive(Debug)]
pub(crate) struct Inside(Gauge);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.reading().now -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_remembers_the_most() {
        let gauge = Gauge::default();
        let both = (gauge.enter(), gauge.enter());
        drop(both);
        let one = gauge.enter();
        assert_eq!(gauge.read(), Reading { begun: 3, now: 1, most: 2 });
        drop(one);
        assert_eq!(gauge.read().now, 0);
    }
}
