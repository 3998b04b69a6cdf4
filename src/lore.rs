//! The ledger: what is said of processes and threads, what would have to be seen for it to be so, and the verdict.
//!
//! Pure: it reads no file and runs no demo. The text of the ledger, the demos' specs and the values of their outcomes are
//! handed to it. A claim can come out either way, whatever the ledger says of it in general: the machine answers.

mod claims;
mod condition;
mod groups;
mod path;
mod stands;
#[cfg(test)]
mod tests;
mod verdict;

pub use claims::{Claim, Ledger, Test};
pub use condition::Condition;
pub use groups::{Group, came, groups, place, too_late};
pub use path::ValuePath;
pub use stands::Stands;
pub use verdict::{Came, Fault, Judgement, Lang, Verdict, judge, names, sides_with};
