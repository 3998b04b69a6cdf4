//! What the two workers do: one thing at a time, as the leader orders, and keep count of it where the leader can read.

use crate::demo::area::Area;
use crate::demo::channel::{Link, Side};
use crate::fact::{Fact, Unavailable};
use crate::stage::{Worker, now};
use nix::sys::resource::{UsageWho, getrusage};
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::Duration;

/// One thing to do. An order is a number that has not been used before, and this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Send one message.
    Send = 1,
    /// Sleep until something is there.
    Wait,
    /// Receive one message.
    Receive,
    /// Send on and on, until [`Share::stop`].
    Fill,
    /// Receive whatever that brings.
    Drain,
    /// Send so many.
    SendAll,
    /// Receive so many.
    ReceiveAll,
    /// Send a call, and sleep until the reply is there.
    Call,
    /// Send the reply to what was received.
    Reply,
    /// So many calls.
    CallAll,
    /// So many calls, from the other side.
    ServeAll,
}

const ACTS: [Act; 11] = [
    Act::Send,
    Act::Wait,
    Act::Receive,
    Act::Fill,
    Act::Drain,
    Act::SendAll,
    Act::ReceiveAll,
    Act::Call,
    Act::Reply,
    Act::CallAll,
    Act::ServeAll,
];

impl Act {
    /// The order of this number to do it.
    pub(super) fn order(self, number: u64) -> u64 {
        number * 16 + self as u64
    }

    pub(super) fn of(order: u64) -> Option<Self> {
        ACTS.into_iter().find(|act| *act as u64 == order % 16)
    }
}

/// What the workers count, in a page that all have.
#[derive(Debug)]
pub(super) struct Share {
    area: Area,
}

/// What is counted for a side.
#[derive(Debug, Clone, Copy)]
pub(super) enum Count {
    /// Messages that it began to send.
    Begun,
    /// Messages that it has sent.
    Sent,
    /// Messages that it has received.
    Received,
    /// Those of them that were not what had been sent.
    Spoilt,
    /// Bytes that the kernel moved for it.
    Moved,
    /// When its last call returned (CLOCK_MONOTONIC).
    At,
    /// When its part at full speed began (CLOCK_MONOTONIC).
    From,
    /// When that had ended.
    To,
    /// How often it slept meanwhile.
    Slept,
    /// It sends no more for now.
    Filled,
    /// The last order that it has begun to carry out.
    Taken,
}

impl Share {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { area: Area::shared(1)? })
    }

    fn word(&self, side: Side, count: Count) -> &AtomicU64 {
        self.area.word_of(0, 32 * usize::from(side == Side::Right) + count as usize)
    }

    pub(super) fn get(&self, side: Side, count: Count) -> u64 {
        self.word(side, count).load(Acquire)
    }

    pub(super) fn set(&self, side: Side, count: Count, value: u64) {
        self.word(side, count).store(value, Release);
    }

    fn add(&self, side: Side, count: Count) {
        self.word(side, count).fetch_add(1, Release);
    }

    /// Whoever fills is to stop after the message that it is at.
    pub(super) fn stop(&self) {
        self.area.word_of(0, 64).store(1, Release);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.area.word_of(0, 64).load(Acquire) != 0
    }
}

/// Message `number`: no two that follow each other are alike, and none is like itself some bytes further.
pub(super) fn message(number: u64, into: &mut [u8]) {
    // A linear congruential generator (Knuth, MMIX): eight bytes a step, so that making a message is no more than a copy.
    let mut state = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for piece in into.chunks_mut(8) {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The highest bytes are the least regular.
        piece.copy_from_slice(&state.to_be_bytes()[..piece.len()]);
    }
}

/// What the procedure makes of its argument: the bytes in the opposite order.
fn procedure(argument: &mut [u8]) {
    argument.reverse();
}

/// A worker's part.
pub(super) struct Part<'w> {
    pub(super) worker: &'w Worker,
    pub(super) link: &'w Link,
    pub(super) share: &'w Share,
    pub(super) side: Side,
    pub(super) messages: u64,
    pub(super) size: usize,
}

impl Part<'_> {
    /// Does what it is told until it is to leave, or the other has gone.
    pub(super) fn play(&self) {
        let mut message = vec![0; self.size];
        let mut spare = vec![0; self.size];
        let mut known = 0;
        let mut played = self.link.take(self.side);
        while played.is_ok() {
            let order = self.worker.wait(known, Duration::MAX);
            if order == Worker::HALT {
                break;
            }
            known = order;
            self.share.set(self.side, Count::Taken, order);
            if let Some(act) = Act::of(order) {
                played = self.act(act, &mut message, &mut spare);
            }
            if played.is_ok() {
                self.worker.set_work(order);
            }
        }
        self.link.hang_up(self.side);
        let over = [io::ErrorKind::BrokenPipe, io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
        if let Err(error) = played
            && !over.contains(&error.kind())
        {
            let what = format!("what {} was to do", self.worker.name());
            self.worker.tell(Fact::Refused(Unavailable::new(what, error.to_string())));
        }
    }

    fn act(&self, act: Act, message: &mut [u8], spare: &mut [u8]) -> io::Result<()> {
        match act {
            Act::Send => self.send(message),
            Act::Wait => {
                self.link.wait(self.side)?;
                self.share.set(self.side, Count::At, now().0);
                Ok(())
            }
            Act::Receive => self.receive(message, spare),
            Act::Fill => {
                while !self.share.is_stopped() {
                    self.send(message)?;
                }
                self.share.set(self.side, Count::Filled, 1);
                Ok(())
            }
            Act::Drain => self.drain(message, spare),
            Act::SendAll => self.at_full_speed(|part| part.send(message)),
            Act::ReceiveAll => self.at_full_speed(|part| part.receive(message, spare)),
            Act::Call => self.call(message, spare),
            Act::Reply => self.reply(message),
            Act::CallAll => self.at_full_speed(|part| part.call(message, spare)),
            Act::ServeAll => self.at_full_speed(|part| {
                part.receive(message, spare)?;
                part.reply(message)
            }),
        }
    }

    fn send(&self, message_: &mut [u8]) -> io::Result<()> {
        message(self.share.get(self.side, Count::Begun), message_);
        self.share.add(self.side, Count::Begun);
        self.link.send(self.side, message_)?;
        self.returned();
        self.share.add(self.side, Count::Sent);
        Ok(())
    }

    fn receive(&self, message_: &mut [u8], spare: &mut [u8]) -> io::Result<()> {
        self.link.receive(self.side, message_)?;
        self.returned();
        message(self.share.get(self.side, Count::Received), spare);
        if message_ != spare {
            self.share.add(self.side, Count::Spoilt);
        }
        self.share.add(self.side, Count::Received);
        Ok(())
    }

    /// Receives until the other has stopped and nothing of it is left: what it has begun to send will come.
    fn drain(&self, message: &mut [u8], spare: &mut [u8]) -> io::Result<()> {
        let other = self.side.other();
        loop {
            let filled = self.share.get(other, Count::Filled) != 0;
            if self.share.get(self.side, Count::Received) < self.share.get(other, Count::Begun) {
                self.receive(message, spare)?;
            } else if filled {
                return Ok(());
            } else {
                // It is between two messages, or has ended and will never say more: then there is an order to leave.
                let order = self.worker.order();
                if self.worker.wait(order, Duration::from_millis(1)) != order {
                    return Ok(());
                }
            }
        }
    }

    fn call(&self, message: &mut [u8], spare: &mut [u8]) -> io::Result<()> {
        self.send(message)?;
        self.link.receive(self.side, spare)?;
        self.returned();
        procedure(message);
        if message != spare {
            self.share.add(self.side, Count::Spoilt);
        }
        Ok(())
    }

    fn reply(&self, message: &mut [u8]) -> io::Result<()> {
        procedure(message);
        self.link.send(self.side, message)?;
        self.returned();
        Ok(())
    }

    /// A call has returned: what it moved, and when.
    fn returned(&self) {
        self.share.set(self.side, Count::At, now().0);
        self.share.set(self.side, Count::Moved, self.link.moved(self.side));
    }

    /// Does something once for each message; from when to when, and how often this task slept meanwhile.
    fn at_full_speed(&self, mut once: impl FnMut(&Self) -> io::Result<()>) -> io::Result<()> {
        self.share.set(self.side, Count::From, now().0);
        let slept = switches();
        (0..self.messages).try_for_each(|_| once(self))?;
        self.share.set(self.side, Count::To, now().0);
        self.share.set(self.side, Count::Slept, switches().saturating_sub(slept));
        Ok(())
    }
}

/// How often this task has left its CPU of its own accord: to sleep (`ru_nvcsw`, getrusage(2)).
fn switches() -> u64 {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).ok();
    usage.and_then(|usage| u64::try_from(usage.voluntary_context_switches()).ok()).unwrap_or(0)
}
