//! The pieces that screens are made of: one file each, borrowed data in, cells out, safe at any size.

mod bars;
mod buffer;
mod cards;
mod counts;
mod curves;
#[cfg(test)]
mod fixture;
mod futures;
mod help;
mod journey;
mod lanes;
mod listing;
mod pages;
mod question;
mod queue;
mod run_queue;
mod shares;
mod sides;
mod space;
mod states;
mod status;
mod table;
mod too_small;
mod tree;
mod turns;
mod wait_for;
mod waiting;
mod workers;

pub use bars::Bars;
pub use buffer::Buffer;
pub use cards::Cards;
pub use counts::Counts;
pub use curves::Curves;
pub use futures::Futures;
pub use help::Help;
pub use journey::Journey;
pub use lanes::{Lanes, Window, describe_slice};
pub use listing::Listing;
pub use pages::Pages;
pub use question::{Answer, Question};
pub use queue::Queue;
pub use run_queue::RunQueue;
pub use shares::Shares;
pub use sides::Sides;
pub use space::Space;
pub use states::States;
pub use status::{Footer, Header};
pub use table::Table;
pub use too_small::{LEAST, TooSmall};
pub use tree::Tree;
pub use turns::Histogram;
pub use wait_for::WaitFor;
pub use waiting::Waiting;
pub use workers::Workers;

/// A picture that says how much room it wants.
pub trait Rows {
    /// The least number of rows in which nothing of it is left out, and the liked one, at a width of `wide` columns, where
    /// `left` rows are left. It is drawn with the least at any rate, and scrolled where there is no room for them. One that
    /// likes none is left out.
    fn rows(&self, wide: u16, left: u16) -> (u16, u16);

    /// Whether the first of its rows say something without the others. One of which they do not is seen whole or not at all.
    fn in_parts(&self) -> bool {
        true
    }
}
