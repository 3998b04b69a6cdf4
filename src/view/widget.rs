//! The pieces that screens are made of: one file each, borrowed data in, cells out, safe at any size.

mod bars;
mod buffer;
mod cards;
mod counts;
mod curves;
#[cfg(test)]
mod fixture;
mod help;
mod journey;
mod lanes;
mod listing;
mod pages;
mod question;
mod queue;
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
pub use help::Help;
pub use journey::Journey;
pub use lanes::{Lanes, Window, describe_slice};
pub use listing::Listing;
pub use pages::Pages;
pub use question::{Answer, Question};
pub use queue::Queue;
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
    /// The least and the liked number of rows at a width of `wide` columns, where `left` rows are left. One that likes none is
    /// left out.
    fn rows(&self, wide: u16, left: u16) -> (u16, u16);
}
