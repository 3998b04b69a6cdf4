//! How long a test waits for what must come: a generous while, since the machine may be busy, and never for a time.

use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at what cannot wake us, such as /proc.
const LOOK: Duration = Duration::from_millis(10);

/// How long to wait before giving up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience(pub(crate) Duration);

impl Default for Patience {
    /// 30 s, or as many as `FORKLORE_TEST_PATIENCE` says.
    fn default() -> Self {
        let seconds = std::env::var("FORKLORE_TEST_PATIENCE").ok().and_then(|s| s.parse().ok());
        Self(Duration::from_secs(seconds.unwrap_or(30)))
    }
}

impl Patience {
    /// The moment at which it ends.
    pub(crate) fn ends(self) -> Instant {
        Instant::now() + self.0
    }

    /// Looks until `look` finds something, and at least once; nothing when patience ends.
    pub(crate) fn wait<T>(self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let ends = self.ends();
        loop {
            match look() {
                None if Instant::now() < ends => thread::sleep(LOOK),
                seen => return seen,
            }
        }
    }
}
