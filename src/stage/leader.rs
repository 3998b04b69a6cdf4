//! The leader: the process in which a demo's code runs, held at its pipe until the observers are attached.

use super::board::Board;
use super::cast::Stage;
use super::launch::{close_all_but, default_signals, inherited, ordinary_policy};
use super::wire::{Brief, Lines};
use super::{limits, now};
use crate::fact::{Fact, Stamped, Unavailable};
use anyhow::Context;
use nix::sys::signal::Signal;
use rustix::fd::AsRawFd;
use std::fs::File;
use std::io::Write;
use std::os::fd::{OwnedFd, RawFd};

/// The line that lets a held leader go.
pub(super) const RELEASE: &[u8] = b"\"release\"";

/// The step that a leader reports when its demo could not go on; what was refused comes before it.
pub const BROKE: &str = "broke";

/// The step that a leader reports before [`BROKE`] when its demo had nothing to run with: no mistake, and no run.
pub const COULD_NOT: &str = "could not run";

/// A demo's own error: this machine lacks what it runs with.
#[derive(Debug)]
pub struct CannotRun(pub Unavailable);

impl std::fmt::Display for CannotRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for CannotRun {}

/// The step that a leader reports when it is ready and held.
pub(super) const HELD: &str = "held";

/// Runs as the leader: prepares, waits to be released, hands the stage to `play`. The exit code is the process's.
pub fn lead(args: &[String], play: impl FnOnce(&mut Stage) -> anyhow::Result<()>) -> u8 {
    match prepare(args) {
        Ok(Some(mut stage)) => match play(&mut stage) {
            Ok(()) => {
                stage.close();
                0
            }
            Err(error) => {
                let cannot = error.downcast_ref::<CannotRun>();
                let refused = cannot.map(|CannotRun(why)| why).or_else(|| error.downcast_ref()).cloned();
                let refused = refused.unwrap_or_else(|| Unavailable::new("the demo broke", format!("{error:#}")));
                stage.tell(Fact::Refused(refused));
                if cannot.is_some() {
                    stage.tell(Fact::Step { name: COULD_NOT.to_owned() });
                }
                stage.tell(Fact::Step { name: BROKE.to_owned() });
                stage.close();
                1
            }
        },
        Ok(None) => 0,
        Err(error) => {
            // Standard error is the demo's output pipe; whoever started the run shows it.
            let _ = writeln!(std::io::stderr(), "{error:#}");
            1
        }
    }
}

/// Everything up to the release; none if the program went away before it came.
fn prepare(args: &[String]) -> anyhow::Result<Option<Stage>> {
    let parent = rustix::process::getppid();
    default_signals();
    // One layer only: it follows the warden's single thread, is not inherited, and the warden may be gone already.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).context("cannot be ended with the warden")?;
    if rustix::process::getppid() != parent {
        return Ok(None);
    }
    rustix::process::setsid().context("cannot have a session of its own")?;
    ordinary_policy().context("cannot leave the real-time policy")?;
    // As for workers: a refusal is no reason to stop.
    let _ = rustix::thread::set_name(c"forklore leader");
    let numbers: Vec<RawFd> = args.iter().filter_map(|a| a.parse().ok()).collect();
    let [board, report, steer] = numbers[..] else { anyhow::bail!("this is a part of forklore, not a command") };
    let (board, report, steer): (OwnedFd, OwnedFd, OwnedFd) =
        (inherited(board)?, inherited(report)?, inherited(steer)?);
    close_all_but([board.as_raw_fd(), report.as_raw_fd(), steer.as_raw_fd()]);
    let mut steer = Lines::new(File::from(steer));
    let Ok(first) = steer.wait() else { return Ok(None) };
    let brief: Brief = serde_json::from_slice(&first).context("the brief")?;
    let board = Board::open(&board).context("the board")?;
    let mut report = File::from(report);
    limits::impose(&brief.limits).map_err(anyhow::Error::from)?;
    let held = Stamped::new(now(), Fact::Step { name: HELD.to_owned() });
    report.write_all(&super::wire::line(&held)).context("the report")?;
    match steer.wait() {
        Ok(line) if line == RELEASE => Ok(Some(Stage::new(brief, board, report, steer.into_inner())?)),
        _ => Ok(None),
    }
}
