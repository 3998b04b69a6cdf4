//! The leader's part: who is to do what, and what was found when it was done.

use super::part::{Act, Count, Part, Share};
use super::{Journey, ROW, STEPS, SUMS};
use crate::demo::channel::{Level, Link, Side, Unit, Way};
use crate::demo::glance::Glance;
use crate::demo::pace::{Cut, Look, Pace};
use crate::demo::script::{row, step};
use crate::fact::{As, Fact, Nanos, Pid, SETTLED, Tid, Unavailable, thousands};
use crate::stage::{Settings, Stage};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long the end stays on stage.
const STAY: Duration = Duration::from_secs(1);

/// Looks in a row at which one that sleeps has got no further, before it is said to wait. A few milliseconds lie between.
const LOOKS: u32 = 5;

/// The story, with all that it knows.
struct Story<'s> {
    stage: &'s mut Stage,
    demo: &'s Journey,
    link: Arc<Link>,
    share: Arc<Share>,
    pace: Pace,
    size: u64,
    messages: u64,
    orders: u64,
    /// How much there was room for, once that was found.
    capacity: Option<u64>,
    /// The numbers of the two workers.
    cast: [usize; 2],
}

/// What is seen at a step.
struct Seen<'a> {
    name: &'a str,
    writer: &'a str,
    reader: &'a str,
    /// Where the message is: "writer", "between", "reader".
    at: &'a str,
    what: String,
}

pub(super) fn play(stage: &mut Stage, demo: &Journey) -> Result<(), Cut> {
    let params = stage.params(demo.spec);
    let (what, size) = (params.workers_as(), params.count("size"));
    let messages = params.int("messages").unsigned_abs();
    let link = Arc::new(demo.tale.way.open(what, size)?);
    let share = Share::new().map_err(|error| Unavailable::new("a page to count in", error.to_string()))?;
    let share = Arc::new(share);
    if what == As::Threads {
        let pid = Pid(std::process::id());
        stage.tell(Fact::Task { tid: Tid(pid.0), pid, parent: 0, name: "the process".to_owned(), slot: None });
    }
    let mut cast = [0; 2];
    for (side, number) in [Side::Left, Side::Right].into_iter().zip(&mut cast) {
        let (link, share) = (Arc::clone(&link), Arc::clone(&share));
        let body = move |worker: &crate::stage::Worker| {
            Part { worker, link: &link, share: &share, side, messages, size }.play();
        };
        *number = stage.enter(what, &Settings::default(), body)?;
    }
    let pace = Pace::new(params.int("pace"));
    let (ours, size) = (Arc::clone(&link), size as u64);
    let mut story = Story { stage, demo, link, share, pace, size, messages, orders: 0, capacity: None, cast };
    let told = story.tell();
    // Nobody must be left asleep in a call: the end is told before the workers are sent off.
    ours.close();
    told
}

impl Story<'_> {
    fn tell(&mut self) -> Result<(), Cut> {
        let opened = self.demo.tale.opened.to_owned();
        self.seen(&Seen { name: "opened", writer: "rests", reader: "rests", at: "writer", what: opened })?;
        if self.demo.tale.way == Way::Rpc {
            self.call()?;
        } else {
            self.message()?;
            self.fill()?;
        }
        self.at_full_speed()?;
        step(self.stage, SETTLED);
        let begun = std::time::Instant::now();
        self.pace.until(self.stage, "to stay", |_| if begun.elapsed() < STAY { Look::NotYet } else { Look::Seen(()) })
    }

    /// One message: the reader waits, the writer writes, the reader is woken and reads.
    fn message(&mut self) -> Result<(), Cut> {
        let tale = &self.demo.tale;
        let waited = self.reader_waits()?;
        let sent = self.order(Side::Left, Act::Send);
        self.done(Side::Left, sent)?;
        self.done(Side::Right, waited)?;
        let taken = match self.moved(Side::Left) {
            0 => format!("A has put {} into {}; no call had a part in that", self.bytes(self.size), tale.between),
            moved => format!(
                "A's {} took {} out of its memory: a copy is in {}",
                tale.sends,
                self.bytes(moved),
                tale.between
            ),
        };
        let what = format!("{taken}. A goes on: it does not wait for B.");
        self.seen(&Seen { name: "written", writer: "goes on", reader: "woken", at: "between", what })?;
        let what = self.woken();
        self.seen(&Seen { name: "woken", writer: "goes on", reader: "woken", at: "between", what })?;
        let read = self.order(Side::Right, Act::Receive);
        self.done(Side::Right, read)?;
        self.copies();
        let given = match self.moved(Side::Right) {
            0 => format!("B has read {} there, and no call had a part in that either", self.bytes(self.size)),
            moved => format!("B's {} put {} into its memory", tale.receives, self.bytes(moved)),
        };
        let what = format!("{given}: {}. Nothing is left in between.", self.whether_intact());
        self.seen(&Seen { name: "read", writer: "goes on", reader: "has it", at: "reader", what })
    }

    /// The reader sleeps until something is there. It is seen asleep in /proc before the story goes on.
    fn reader_waits(&mut self) -> Result<u64, Cut> {
        let asked = self.order(Side::Right, Act::Wait);
        self.asleep(Side::Right, asked)?;
        let what = format!(
            "B waits in {}. There is nothing: the kernel has put it to sleep, /proc says S. It costs no CPU time.",
            self.demo.tale.waits
        );
        self.seen(&Seen { name: "waits", writer: "rests", reader: "sleeps", at: "writer", what })?;
        Ok(asked)
    }

    /// When the reader ran again, against when the writer's call returned.
    fn woken(&self) -> String {
        let (sent, woke) = (self.at(Side::Left), self.at(Side::Right));
        let when = if woke >= sent {
            format!("{} after A's call had returned", woke.since(sent))
        } else {
            format!("{} before A's call returned", sent.since(woke))
        };
        format!("That woke B: it ran again {when}. The message has not been received: it is still in between.")
    }

    /// A call and its reply: the caller sleeps until the reply is there.
    fn call(&mut self) -> Result<(), Cut> {
        let waited = self.reader_waits()?;
        let called = self.order(Side::Left, Act::Call);
        self.done(Side::Right, waited)?;
        self.asleep(Side::Left, called)?;
        let what = format!(
            "A has called a procedure of B's: a frame with its number and {} of argument went into {}. A sleeps until \
             the reply is there.",
            self.bytes(self.size),
            self.demo.tale.between
        );
        self.seen(&Seen { name: "called", writer: "sleeps", reader: "woken", at: "between", what })?;
        let read = self.order(Side::Right, Act::Receive);
        self.done(Side::Right, read)?;
        let what = format!(
            "B has read the frame: {}. It runs the procedure, which turns the argument round. A sleeps on.",
            self.whether_intact()
        );
        self.seen(&Seen { name: "carried out", writer: "sleeps", reader: "computes", at: "reader", what })?;
        let replied = self.order(Side::Right, Act::Reply);
        self.done(Side::Right, replied)?;
        self.done(Side::Left, called)?;
        self.copies();
        let what = "B's reply went the same way back and woke A. To A it looks as if it had called a function of its \
                    own; two messages travelled."
            .to_owned();
        self.seen(&Seen { name: "returned", writer: "has it", reader: "goes on", at: "writer", what })
    }

    /// The writer goes on while nobody reads, until there is no room.
    fn fill(&mut self) -> Result<(), Cut> {
        let tale = &self.demo.tale;
        let before = self.share.get(Side::Left, Count::Sent);
        let filling = self.order(Side::Left, Act::Fill);
        self.patiently(Side::Left, Count::Sent, |story| story.asleep(Side::Left, filling))?;
        let accepted = self.share.get(Side::Left, Count::Sent) - before;
        let level = self.link.level(Side::Right);
        // TCP keeps some at the writer's end, which the reader's end does not know of.
        let capacity = match level {
            Some(Level { now, unit: Unit::Messages, .. }) => now.max(accepted),
            Some(Level { now, unit: Unit::Bytes, .. }) => now.max(accepted * self.size),
            None => accepted * self.size,
        };
        self.sum("capacity", json!(capacity));
        self.capacity = Some(capacity);
        let what = format!(
            "B reads nothing. After {} more messages there is no room: A {}, and /proc says S. {}",
            thousands(accepted),
            tale.full,
            tale.room
        );
        let what = what.trim_end().to_owned();
        self.seen(&Seen { name: "full", writer: "sleeps", reader: "rests", at: "between", what })?;
        self.share.stop();
        let drained = self.order(Side::Right, Act::Drain);
        self.done_at_last(Side::Right, drained)?;
        self.done(Side::Left, filling)?;
        let what = format!("B has read them all: {}. That made room, and woke A.", self.whether_intact());
        self.seen(&Seen { name: "emptied", writer: "woken", reader: "has them", at: "reader", what })
    }

    /// Many messages without a pause.
    fn at_full_speed(&mut self) -> Result<(), Cut> {
        let rpc = self.demo.tale.way == Way::Rpc;
        let (send, receive) = if rpc { (Act::CallAll, Act::ServeAll) } else { (Act::SendAll, Act::ReceiveAll) };
        let what = format!("Now {} more, without a pause.", thousands(self.messages));
        self.show(&Seen { name: "full speed", writer: "runs", reader: "runs", at: "between", what });
        let received = self.order(Side::Right, receive);
        // It is there before the first message, or a fast writer would have done before it begins.
        self.asleep(Side::Right, received)?;
        let sent = self.order(Side::Left, send);
        self.done_at_last(Side::Right, received)?;
        self.done(Side::Left, sent)?;
        let slept = self.share.get(Side::Right, Count::Slept);
        let took = Nanos(self.share.get(Side::Right, Count::To)).since(Nanos(self.share.get(Side::Left, Count::From)));
        let per_second = u128::from(self.messages) * 1_000_000_000 / u128::from(took.0.max(1));
        let per_second = u64::try_from(per_second).unwrap_or(u64::MAX);
        let intact = [Side::Left, Side::Right].iter().all(|side| self.share.get(*side, Count::Spoilt) == 0);
        for (name, value) in [
            ("bytes", json!(self.messages * self.size)),
            ("wakeups", json!(slept)),
            ("intact", json!(intact)),
            ("per_second", json!(per_second)),
        ] {
            self.sum(name, value);
        }
        let what = format!(
            "{} {} in {took}, watched: {} a second. B slept and was woken {}: {}.",
            thousands(self.messages),
            if rpc { "calls" } else { "messages" },
            thousands(per_second),
            if slept == 1 { "once".to_owned() } else { format!("{} times", thousands(slept)) },
            if rpc { "a caller waits for each reply" } else { "while there is something to read it need not" }
        );
        self.seen(&Seen { name: "full speed", writer: "rests", reader: "has them", at: "reader", what })
    }

    /// Tells a step, and lets it stand for a while.
    fn seen(&mut self, seen: &Seen<'_>) -> Result<(), Cut> {
        self.show(seen);
        step(self.stage, seen.name);
        self.pace.rest(self.stage)
    }

    fn show(&mut self, seen: &Seen<'_>) {
        let level = self.link.level(Side::Right);
        let copies = (self.moved(Side::Left) + self.moved(Side::Right)).checked_div(self.size);
        let mut values = json!({
            "writer": seen.writer, "reader": seen.reader, "at": seen.at, "what": seen.what,
        });
        if let Some(level) = level {
            values["now"] = json!(level.now);
            values["unit"] = json!(level.unit.word());
            // What a socket says of its room is not counted in the bytes of messages.
            let foreign = matches!(self.demo.tale.way, Way::Socket | Way::Tcp | Way::Rpc);
            values["capacity"] = json!(if foreign { self.capacity } else { level.capacity });
        }
        // Of one message: while many are under way there is nothing to be counted for each.
        if self.share.get(Side::Left, Count::Begun) <= 1 {
            values["copies"] = json!(copies);
        }
        self.stage.tell(row(STEPS, seen.name, values));
    }

    /// Says how many copies the one message took: of the bytes that the kernel moved, how often its length.
    fn copies(&mut self) {
        let moved = self.moved(Side::Left) + self.moved(Side::Right);
        self.sum("copies", json!(moved / self.size));
        self.sum("intact", json!(self.share.get(Side::Right, Count::Spoilt) == 0));
    }

    fn sum(&mut self, name: &str, value: Value) {
        let mut values = json!({});
        values[name] = value;
        self.stage.tell(row(SUMS, ROW, values));
    }

    /// Gives an order; which one.
    fn order(&mut self, side: Side, act: Act) -> u64 {
        self.orders += 1;
        let order = act.order(self.orders);
        self.stage.order(self.worker(side), order);
        order
    }

    fn worker(&self, side: Side) -> usize {
        self.cast[usize::from(side == Side::Right)]
    }

    /// Waits until a worker has carried out an order.
    fn done(&mut self, side: Side, order: u64) -> Result<(), Cut> {
        let worker = self.worker(side);
        let look = move |stage: &mut Stage| {
            if stage.work(worker) == order {
                Look::Seen(())
            } else if stage.on().count() < 2 {
                Look::Never
            } else {
                Look::NotYet
            }
        };
        let what = format!("what {} is to do", if side == Side::Left { "A" } else { "B" });
        self.pace.until(self.stage, &what, look)
    }

    /// The same for many messages.
    fn done_at_last(&mut self, side: Side, order: u64) -> Result<(), Cut> {
        self.patiently(side, Count::Received, |story| story.done(side, order))
    }

    /// Waits for something that may take long, as long as `side` gets on.
    fn patiently(
        &mut self,
        side: Side,
        count: Count,
        mut wait: impl FnMut(&mut Self) -> Result<(), Cut>,
    ) -> Result<(), Cut> {
        loop {
            let before = self.share.get(side, count);
            match wait(self) {
                Err(Cut::Refused(_)) if self.share.get(side, count) > before && self.stage.on().count() == 2 => {}
                waited => return waited,
            }
        }
    }

    /// Waits until a worker is seen asleep over an order, and gets no further.
    fn asleep(&mut self, side: Side, order: u64) -> Result<(), Cut> {
        let worker = self.worker(side);
        let Some((pid, tid)) = self.stage.cast().get(worker).map(|entry| (entry.pid, entry.tid)) else { return Ok(()) };
        let share = Arc::clone(&self.share);
        let (mut looks, mut known) = (0, u64::MAX);
        self.pace.until(self.stage, "a worker that sleeps", move |stage| {
            if stage.on().count() < 2 {
                return Look::Never;
            }
            let far = share.get(side, Count::Sent);
            // A worker that has not taken its order yet sleeps too, but over the one before.
            let over_it = share.get(side, Count::Taken) == order && stage.work(worker) != order;
            let sleeps = Glance::at_thread(pid.0, tid.0).is_some_and(|task| task.state == 'S');
            looks = if sleeps && over_it && far == known { looks + 1 } else { 0 };
            known = far;
            if looks >= LOOKS { Look::Seen(()) } else { Look::NotYet }
        })
    }

    fn moved(&self, side: Side) -> u64 {
        self.share.get(side, Count::Moved)
    }

    fn at(&self, side: Side) -> Nanos {
        Nanos(self.share.get(side, Count::At))
    }

    fn bytes(&self, count: u64) -> String {
        format!("{} {}", thousands(count), if count == 1 { "byte" } else { "bytes" })
    }

    fn whether_intact(&self) -> &'static str {
        if self.share.get(Side::Right, Count::Spoilt) == 0 { "byte by byte what was sent" } else { "not what was sent" }
    }
}
