//! What can be said of something that was measured in rounds: which of several things is measured when, a median and how sure
//! it is, how two things compare, and whether the machine was quiet enough to say so.
//!
//! Numbers in, numbers out: it knows no clock, no demo and no screen. It speaks `f64`, whatever the unit; who asks knows it.

mod histogram;
mod noise;
mod plan;
mod series;
mod stats;
mod verdict;

pub use histogram::bins;
pub use noise::{Conditions, Noise};
pub use plan::{Plan, times};
pub use series::{Compared, DISTURBED, Sample, Series, compare, ratios};
pub use stats::{Estimate, bootstrap, median, ratio};
pub use verdict::Verdict;
