//! How a run comes to its end: asked to finish, and after a while made to.

use super::Message;
use crate::fact::Steer;
use crate::stage::Production;
use std::time::{Duration, Instant};

/// How long a demo has to finish by itself when it is asked to.
const FINISH: Duration = Duration::from_secs(4);

/// How far the ending of a run has come.
pub(super) struct Ending {
    finish_at: Option<Instant>,
    stop_at: Option<Instant>,
    stopped: bool,
}

impl Ending {
    pub(super) fn new(finish_at: Option<Instant>) -> Self {
        Self { finish_at, stop_at: None, stopped: false }
    }

    pub(super) fn hear(&mut self, message: Message, production: &mut Production) {
        match message {
            Message::Steer(steer) => production.steer(&steer),
            Message::Finish => self.finish_at = Some(Instant::now()),
            Message::Stop => self.stop_at = Some(Instant::now()),
            Message::Freeze(frozen, done) => {
                production.freeze(frozen);
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
            }
        }
    }

    /// The end was ordered: what ends now ends by our hand.
    pub(super) fn ordered(&self) -> bool {
        self.stopped
    }

    /// Does what is due.
    pub(super) fn keep(&mut self, production: &mut Production) {
        let now = Instant::now();
        if self.finish_at.is_some_and(|at| now >= at) {
            self.finish_at = None;
            self.stop_at.get_or_insert(now + FINISH);
            production.steer(&Steer::plain(Steer::FINISH));
        }
        if !self.stopped && self.stop_at.is_some_and(|at| now >= at) {
            self.stopped = true;
            production.stop();
        }
    }

    pub(super) fn patience(&self) -> Duration {
        let next = [self.finish_at, self.stop_at.filter(|_| !self.stopped)].into_iter().flatten().min();
        next.map_or(Duration::from_secs(1), |at| at.saturating_duration_since(Instant::now()))
    }
}
