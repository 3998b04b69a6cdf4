//! Faults: what is done to the program from outside, and what must survive it. Random moments are tried a few times, or
//! as often as `FORKLORE_FAULT_ROUNDS` says. After each case the terminal is as it was, nothing lives and nothing lies
//! about (`common::is_sane`).
//!
//! | case | where it is tried |
//! |---|---|
//! | killed: screen, guard, warden, leader; abort | `killed`; `it_term` for a screen that hangs |
//! | a demo that ignores, stops, hides, takes memory, files, disk, tasks, floods, lingers, crashes, locks | `unruly` |
//! | stopped: screen, warden, all of it (a machine that sleeps) | `killed` |
//! | started and left again and again | `killed::opened_and_closed_again_and_again_it_grows_not` |
//! | few processes, few tasks in the group, few descriptors, little memory | `machine` |
//! | panics of screen and workers | `it_term`: none can be asked for from outside |
//! | TERM, INT, HUP, QUIT; Ctrl-Z, fg, kill while stopped | `killed`; `it_term` for bg and a shell's own jobs |
//! | sizes, resizes, no terminal, kinds of terminals, NO_COLOR, locales | `screen` |
//! | noise, pastes, a terminal that nobody reads, a hang-up | `it_term` |
//! | hostile, malformed and monstrous lessons, and lessons that ask for a shell | `lessons`; `lesson::parse` for what each comes to |
//! | saving: killed, full disk, no place, several tours, damaged and newer files | `kept`; `it_progress` and `progress` for failing calls, cuts and flipped bits |
//! | times before the epoch and far ahead | `progress::merge`; no clock is turned here |
//! | refused switch records, one core, other cores | `machine` |

mod common;
mod kept;
mod killed;
mod lessons;
mod machine;
mod screen;
mod unruly;
