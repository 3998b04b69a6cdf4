//! The thread that saves: a slow disk holds it, never the screen.

use super::{Document, NotSaved, Store};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How long after a failure it is tried again.
const RETRY: Duration = Duration::from_secs(3);

/// What became of the newest document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Kept {
    /// The disk has it.
    Saved,
    /// It does not, for this reason; it will be tried again.
    NotSaved(String),
}

enum Order<D> {
    Save(Box<D>),
    Finish(Sender<Kept>),
}

/// Saves a document in the background, until dropped.
pub struct Saver<D> {
    orders: Sender<Order<D>>,
}

impl<D: Document> Saver<D> {
    /// Starts the thread. `tell` is called on it after every attempt.
    ///
    /// # Errors
    /// The kernel refused a thread.
    pub fn start(store: Store<D>, tell: Box<dyn Fn(Kept) + Send>) -> io::Result<Self> {
        let (orders, received) = channel();
        std::thread::Builder::new()
            .name("saver".into())
            .spawn(move || Work { store, tell, due: None }.run(&received))?;
        Ok(Self { orders })
    }

    /// Saves this soon. Of several that wait, the last is saved: each holds all before it.
    pub fn save(&self, document: D) {
        // The thread ends only with this sender.
        self.orders.send(Order::Save(Box::new(document))).ok();
    }

    /// Saves what waits, now, and says what became of it; gives up on a disk that does not answer within `time`.
    pub fn finish(self, time: Duration) -> Kept {
        let (reply, answer) = channel();
        self.orders.send(Order::Finish(reply)).ok();
        answer.recv_timeout(time).unwrap_or_else(|_| Kept::NotSaved("the disk did not answer in time".into()))
    }
}

struct Work<D> {
    store: Store<D>,
    tell: Box<dyn Fn(Kept) + Send>,
    /// What is not saved yet, and when it is to be tried.
    due: Option<(Box<D>, Instant)>,
}

impl<D: Document> Work<D> {
    fn run(mut self, orders: &Receiver<Order<D>>) {
        loop {
            let wait = self.due.as_ref().map_or(Duration::MAX, |(_, at)| at.saturating_duration_since(Instant::now()));
            match orders.recv_timeout(wait) {
                Ok(Order::Save(document)) => self.due = Some((document, Instant::now())),
                Ok(Order::Finish(reply)) => {
                    reply.send(self.try_now()).ok();
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {
                    let kept = self.try_now();
                    (self.tell)(kept);
                }
                Err(RecvTimeoutError::Disconnected) => return drop(self.try_now()),
            }
        }
    }

    fn try_now(&mut self) -> Kept {
        let Some((document, _)) = self.due.take() else { return Kept::Saved };
        match self.store.save(&document) {
            Ok(_) => Kept::Saved,
            Err(NotSaved(why)) => {
                self.due = Some((document, Instant::now() + RETRY));
                Kept::NotSaved(why)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Place, Progress, When};
    use super::*;

    #[test]
    fn what_is_sent_is_saved_and_finish_says_so() {
        let home = tempfile::tempdir().expect("a directory");
        let place = Place::Directory(home.path().into());
        let (tell, told) = channel();
        let saver = Saver::start(Store::open(&place).0, Box::new(move |kept| drop(tell.send(kept)))).expect("a thread");
        let mut progress = Progress::default();
        progress.complete("first", When(1));
        saver.save(progress.clone());
        assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(Kept::Saved));
        for n in 0..100 {
            progress.see("second", n, When(2));
            saver.save(progress.clone());
        }
        assert_eq!(saver.finish(Duration::from_secs(20)), Kept::Saved);
        let (_, kept, notices) = Store::open(&place);
        assert_eq!((kept, notices), (progress, vec![]));
    }

    #[test]
    fn a_failure_is_told_and_tried_again() {
        let home = tempfile::tempdir().expect("a directory");
        let place = Place::Directory(home.path().join("state"));
        let (tell, told) = channel();
        let saver = Saver::start(Store::open(&place).0, Box::new(move |kept| drop(tell.send(kept)))).expect("a thread");
        // A file where the directory was: nothing can be saved, whoever we are.
        std::fs::remove_dir_all(home.path().join("state")).expect("ours");
        std::fs::write(home.path().join("state"), "").expect("ours");
        let mut progress = Progress::default();
        progress.complete("first", When(1));
        saver.save(progress.clone());
        let first = told.recv_timeout(Duration::from_secs(20)).expect("told");
        assert!(matches!(&first, Kept::NotSaved(why) if why.contains("progress.lock")), "{first:?}");
        std::fs::remove_file(home.path().join("state")).expect("ours");
        assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(Kept::Saved));
        assert!(Store::<Progress>::open(&place).1.completed("first"));
    }
}
