//! The program from outside: its source is tidy, its commands and its screen do what they promise.

#![cfg(test)]

mod cli;
mod faults;
mod lessons;
mod live_kernel;
mod pty;
mod support;
mod tidy;
mod tour;
