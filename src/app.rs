//! The shell: what the command line asks for, done.

use crate::cli::Cli;
use crate::headless;
use clap::Parser;
use std::ffi::OsString;

/// The program. The exit code is the process's.
pub fn main(args: Vec<OsString>) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    match &cli.command {
        Some(command) => headless::perform(&cli, command).code(),
        None => headless::complain("the tour needs a terminal").code(),
    }
}
