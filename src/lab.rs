//! What can be said of something that was measured in rounds: a median, how sure it is, and how two things compare.
//!
//! Numbers in, numbers out: it knows no clock, no demo and no screen. It speaks `f64`, whatever the unit; who asks knows it.

mod stats;

pub use stats::{Estimate, bootstrap, median, ratio};
