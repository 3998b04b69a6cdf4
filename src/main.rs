//! The program in a dozen lines; the hidden stage entries come before threads, command line and terminal.

use forklore::{app, stage};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    let code = match stage::Role::of(args.get(1).map(|a| &**a)) {
        Some(stage::Role::Warden) => stage::warden(),
        Some(stage::Role::Leader) => {
            let rest: Vec<_> = args.iter().skip(2).map(|a| a.to_string_lossy().into_owned()).collect();
            stage::lead(&rest, app::play)
        }
        Some(stage::Role::Instance) => stage::wait_for_the_end(),
        Some(stage::Role::Nothing) => 0,
        None => app::main(args),
    };
    ExitCode::from(code)
}
