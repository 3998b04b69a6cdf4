//! The pieces that screens are made of: one file each, borrowed data in, cells out, safe at any size.

mod bars;
mod cards;
mod curves;
#[cfg(test)]
mod fixture;
mod help;
mod journey;
mod lanes;
mod pages;
mod question;
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
mod workers;

pub use bars::Bars;
pub use cards::Cards;
pub use curves::Curves;
pub use help::Help;
pub use journey::Journey;
pub use lanes::{Lanes, Window, describe_slice};
pub use pages::Pages;
pub use question::{Answer, Question};
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
pub use workers::Workers;
