//! Faults: what is done to the program from outside, and what must survive it. Random moments are tried a few times, or
//! as often as `FORKLORE_FAULT_ROUNDS` says. After each case the terminal is as it was, nothing lives and nothing lies
//! about, and what was done is kept (`common::is_sane`). A bound in time is that of a machine with nothing else to do; it
//! is longer by as much as a probe beside it is kept waiting meanwhile (`support::Load`).
//!
//! The cases have numbers, with gaps, so that they can be spoken of.
//!
//! | no. | case | where it is tried |
//! |---|---|---|
//! | 1 | screen killed, beside each kind of demo | `killed::a_killed_screen_takes_every_demo_with_it`; with its guard, and the next start: `sessions` |
//! | 2 | abort, wild write, stack overflow, no memory | `fatal`; in the middle of a frame: `it_term::an_abort_is_restored_by_the_guard` |
//! | 3 | warden, guard, leader killed | `killed::a_killed_{warden,guard,leader}_..`; a screen that hangs: `it_term` |
//! | 5 | a demo that ignores TERM, INT, HUP, QUIT | `unruly::the_stage_bounds_..` and `the_screen_goes_on_..` (`ignore-term`) |
//! | 6 | stopped by itself or by somebody else | `unruly` (`stop`); `killed::a_worker_that_is_stopped_from_outside_..` |
//! | 7 | hides: session, parent, descriptors, environment, name | `unruly` (`escape`) and `what_hides_is_found_without_its_mark` |
//! | 9 | wants 16 GiB | `unruly::too_many_tasks_..` and `the_screen_goes_on_..` (`memory`) |
//! | 10 | opens and fills files; a demo has no folder of its own | `unruly` (`files`, `disk`) |
//! | 11 | floods, a line without end | `unruly::the_screen_goes_on_..` (`flood`, `line`) |
//! | 12 | leaves a child that holds its pipes | `unruly` (`linger`) |
//! | 13 | a thousand crashes | `unruly::a_thousand_crashes_leave_no_zombie_and_no_descriptor` |
//! | 15 | deadlock; held by the kernel in vfork and a FIFO; spins | `unruly` (`deadlock`, `vfork-hang`), `killed` (`timeslice`); demos that are stuck, left or ended by a signal: `stuck`; opened and closed again: `circle` |
//! | 16 | the owner of each kind of lock killed with it | `owners` |
//! | 17 | killed while it waits, or with what others wait for | `waiters` |
//! | 20 | stopped: screen, warden, everything (a machine that sleeps) | `killed::a_stopped_..`, `killed::everything_stopped_and_continued_goes_on` |
//! | 21 | runs started and left again and again | `killed::opened_and_closed_again_and_again_it_grows_not`; every demo: `left` |
//! | 22 | few processes, few tasks, threads refused | `machine::a_limit_on_processes_is_told`, `machine::a_group_that_allows_few_tasks_is_told`; every demo: `refused::where_few_tasks_..` |
//! | 23 | panics: screen, worker, in a frame, in a panic | `fatal::a_panic_..`; `it_term::a_panic_is_readable_..` for workers and frames |
//! | 24 | TERM, INT, HUP, QUIT | `killed::every_signal_..`; to a screen that hangs: `it_term` |
//! | 26 | Ctrl-Z, fg, bg, kill while stopped | `killed::ctrl_z_..`, `killed::killed_while_stopped_..`; a shell's own jobs: `it_term` |
//! | 27 | sizes from 0x0 to 500x200 | `screen::every_size_has_a_layout_or_a_sentence` |
//! | 28 | a thousand resizes beside a flood | `screen::a_thousand_resizes_..`; `it_term` |
//! | 29 | no terminal, closed descriptors, one that controls nobody | `screen::without_a_terminal_..`, `a_terminal_on_one_side_..`, `a_terminal_that_controls_nobody_..` |
//! | 30 | kinds of terminals, `NO_COLOR`, locales | `screen::every_kind_..`, `no_color_means_none`, `a_locale_without_unicode_gets_ascii` |
//! | 32 | noise, pastes, a terminal that nobody reads, a hang-up | `it_term` |
//! | 35 | what acts on terminals, in every field and name of a lesson | `lessons::nothing_a_lesson_says_acts_on_the_terminal` |
//! | 38 | the same in a demo's output; characters cut between readings | `unruly` (`line`); `stage::output` |
//! | 39 | monstrous lessons | `lessons::bombs_are_shown_or_refused_in_a_moment`; `lesson::parse` for what each comes to |
//! | 40 | hardly text | `lessons::what_is_hardly_text_is_shown_or_refused`, `lessons::what_is_no_file_is_told` |
//! | 42 | lessons that ask for a shell | `lessons::wishes_for_a_shell_are_not_heard` |
//! | 45 | killed while saving, at any moment and at each call | `kept::killed_at_any_moment_..`; `it_progress::whatever_was_said_..`, `it_progress::killed_at_each_call_..` |
//! | 46 | full disk, failing calls, no file size | `kept::a_full_disk_..`; `it_progress::{failing_calls_..,a_full_disk_..,a_file_size_limit_..}` |
//! | 47 | no place, somebody else's, by sudo | `kept::without_a_place_..`, `kept::root_by_sudo_..`; `it_progress` |
//! | 48 | several at once, a lock that is held | `kept::eight_tours_..`; `it_progress::eight_processes_..`; `progress::file` for the lock |
//! | 49 | damaged, newer, no file at all in its place | `kept::whatever_stands_..`, `kept::a_newer_file_..`; `progress::file` for cuts and flipped bits |
//! | 50 | the wall clock turned | `clock`; the machine asleep: no. 20; `progress::merge` for what is later |
//! | 51 | each refusal of switch records | `machine::each_refusal_of_the_kernels_records_..` |
//! | 53 | one core, a group of one, a tenth of one, one that goes | `machine::{one_core_..,a_group_..,a_core_..}`; `offline`, where it is asked for |
//! | 55 | few descriptors, little memory and stack | `machine::few_descriptors_and_little_memory_are_told` |
//! | 56 | every demo without tracing, records, a second core, programs in `PATH` | `refused::without_tracing_..` |
//! | 57 | every demo where files of /proc are closed | `refused::where_files_of_proc_are_closed` |
//! | 58 | every demo where other users are hidden, disks are full, folders closed | `refused::where_nothing_can_be_written_..` |
//! | 59 | nice values below 0 for ordinary users | `refused::a_nice_value_below_zero_..` |
//! | 60 | every parameter at its bounds and beyond, from words and from lessons | `cli::parameters` |
//! | 61 | names that stay: queues, shared memory, FIFOs, files, of every demo and of those whose leader is killed | `left`; that they are seen at all: `names` |

mod circle;
mod clock;
mod common;
mod fatal;
mod group;
mod kept;
mod killed;
mod left;
mod lessons;
mod machine;
mod machines;
mod names;
mod offline;
mod owners;
mod refused;
mod screen;
mod sessions;
mod stuck;
mod unruly;
mod waiters;
