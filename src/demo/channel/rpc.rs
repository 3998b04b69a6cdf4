//! Calls of a procedure that runs elsewhere: the left side calls, the right side replies. What goes over the socket is a frame
//! of four-byte numbers, the highest byte first, as XDR has them (RFC 4506), and then the argument or the result.

use super::stream::Stream;
use super::{Level, Line, Side};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes before the argument: its length, which call it is, and the procedure or how the call went.
pub(super) const HEAD: usize = 12;

/// The procedure that is called, the only one here.
const PROCEDURE: u32 = 1;

/// In a reply in its place: it was carried out.
const SUCCESS: u32 = 0;

#[derive(Debug)]
pub(super) struct Rpc {
    stream: Stream,
    /// The calls that each side has sent or heard. Each side counts for itself, and both count alike.
    calls: [AtomicU32; 2],
}

impl Rpc {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, calls: [const { AtomicU32::new(0) }; 2] }
    }
}

fn word(side: Side) -> u32 {
    if side == Side::Left { PROCEDURE } else { SUCCESS }
}

impl Line for Rpc {
    fn send(&self, from: Side, message: &[u8]) -> io::Result<usize> {
        let calls = &self.calls[from.index()];
        let call =
            if from == Side::Left { calls.fetch_add(1, Ordering::Relaxed) + 1 } else { calls.load(Ordering::Relaxed) };
        let length = u32::try_from(message.len()).map_err(io::Error::other)?;
        let mut frame = Vec::with_capacity(HEAD + message.len());
        for number in [length, call, word(from)] {
            frame.extend(number.to_be_bytes());
        }
        frame.extend(message);
        self.stream.put(from, &frame)?;
        Ok(message.len())
    }

    fn receive(&self, at: Side, into: &mut [u8]) -> io::Result<usize> {
        let mut frame = vec![0; HEAD + into.len()];
        self.stream.get(at, &mut frame)?;
        let (head, body) = frame.split_at(HEAD);
        let number = |n: usize| head.get(n..n + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes);
        let calls = &self.calls[at.index()];
        let call =
            if at == Side::Right { calls.fetch_add(1, Ordering::Relaxed) + 1 } else { calls.load(Ordering::Relaxed) };
        let (length, found) = (number(0), number(4));
        if length as usize != into.len() || found != call || number(8) != word(at.other()) {
            let why =
                format!("a frame of {length} bytes for call {found}, where {} for call {call} were due", into.len());
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        into.copy_from_slice(body);
        Ok(into.len())
    }

    fn wait(&self, at: Side) -> io::Result<()> {
        self.stream.wait(at)
    }

    fn level(&self, to: Side) -> Option<Level> {
        self.stream.level(to)
    }

    fn take(&self, side: Side) -> io::Result<()> {
        self.stream.take(side)
    }

    fn leave(&self) {
        self.stream.leave();
    }

    fn hang_up(&self, side: Side) {
        self.stream.hang_up(side);
    }
}
