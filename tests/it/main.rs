//! The program from outside: its source is tidy, its commands and its screen do what they promise.

#![cfg(test)]

mod faults;
mod pty;
mod support;
mod tidy;
