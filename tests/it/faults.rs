//! Faults: what is done to the program from outside, and what must survive it.

mod common;
mod killed;
mod unruly;
