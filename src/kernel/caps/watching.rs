//! What can be seen of a running demo: switch records, clocks, /proc, pages, registers. Each is really tried on ourselves.

use super::State::{No, Partly, Yes};
use super::{Capability, Files, shown};
use crate::kernel::files::{Schedstat, number, numbered};
use crate::kernel::{machine, perf};
use nix::time::{ClockId, clock_getres};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::time::Duration;

pub(super) fn survey(files: &Files) -> Vec<Capability> {
    vec![exact(), self_timed(), sampled(), hidden(files), pages(), totals(), registers(files)]
}

fn exact() -> Capability {
    let name = "exact switch records";
    let level = number("/proc/sys/kernel/perf_event_paranoid")
        .map_or_else(|| "perf_event_paranoid cannot be read".into(), |n| format!("perf_event_paranoid = {n}"));
    match perf::probe() {
        Ok(()) => Capability::new(
            name,
            Yes,
            format!("{level}; a ring was opened on every CPU"),
            "Every switch of a demo's tasks is recorded by the kernel, none is guessed.",
        ),
        Err(refused) => {
            let no = Capability::new(
                name,
                No,
                format!("{level}; {}", refused.why),
                "Lanes come from the workers' own clocks or from samples, and the screen says so.",
            );
            Capability { remedy: refused.remedy, ..no }
        }
    }
}

fn self_timed() -> Capability {
    let name = "self-timed slices";
    let resolution = clock_getres(ClockId::CLOCK_MONOTONIC).map(Duration::from);
    match (resolution, nix::sched::sched_getcpu()) {
        (Ok(resolution), Ok(cpu)) if resolution <= Duration::from_micros(100) => Capability::new(
            name,
            Yes,
            format!("clock resolution {resolution:?}, sched_getcpu says {cpu}"),
            "A worker that spins can tell when it did not run, and on which CPU it does.",
        ),
        (Ok(resolution), Ok(_)) => Capability::new(
            name,
            Partly,
            format!("clock resolution {resolution:?}"),
            "The clock is too coarse to see gaps shorter than a tick.",
        ),
        (clock, cpu) => Capability::new(
            name,
            No,
            format!("clock {clock:?}, sched_getcpu {cpu:?}"),
            "Workers cannot tell when or where they run.",
        ),
    }
}

fn sampled() -> Capability {
    let name = "sampling /proc";
    let tasks = numbered("/proc/self/task").unwrap_or_default();
    let readable = |tid: &&u32| {
        fs::read(format!("/proc/self/task/{tid}/schedstat")).is_ok_and(|bytes| Schedstat::parse(&bytes).is_some())
    };
    let read = tasks.iter().filter(readable).count();
    let found = format!("schedstat of {read} of our {} tasks read", tasks.len());
    if read == 0 {
        return Capability::new(name, No, found, "Neither samples nor the kernel's own counters can be had.");
    }
    Capability::new(
        name,
        Yes,
        found,
        "What a task ran and waited is known to the nanosecond, who ran when only from look to look.",
    )
}

/// hidepid: other users' processes are not shown. Our own always are.
fn hidden(files: &Files) -> Capability {
    let name = "whole /proc";
    let mounts = match files.read("/proc/self/mountinfo") {
        Ok(mounts) => mounts,
        Err(error) => {
            let found = shown("/proc/self/mountinfo", &Err(error));
            return Capability::new(name, Partly, found, "Whether other processes are hidden is not known.");
        }
    };
    let options = mounts.lines().rev().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        (mount.split(' ').nth(4)? == "/proc").then(|| file_system.rsplit(' ').next())?
    });
    let Some(options) = options else {
        let found = "/proc/self/mountinfo lists nothing at /proc";
        return Capability::new(name, Partly, found, "Whether other processes are hidden is not known.");
    };
    match options.split(',').find_map(|option| option.strip_prefix("hidepid=")) {
        None | Some("0" | "off") => {
            Capability::new(name, Yes, "hidepid is not set", "Processes of every user are shown by /proc.")
        }
        Some(level) => Capability::new(
            name,
            Partly,
            format!("/proc is mounted with hidepid={level}"),
            "Only processes of your own are shown: enough for every demo.",
        ),
    }
}

fn pages() -> Capability {
    let name = "page maps";
    let here = 0u8;
    let page = (&raw const here).addr() / machine::page_size();
    let mut entry = [0; 8];
    let read = File::open("/proc/self/pagemap").and_then(|f| f.read_exact_at(&mut entry, page as u64 * 8));
    let entry = u64::from_ne_bytes(entry);
    match read {
        Ok(()) if entry >> 63 == 1 => Capability::new(
            name,
            Yes,
            format!("/proc/self/pagemap: our stack's page is present, mapped by us alone: {}", entry >> 56 & 1 == 1),
            "Copy-on-write is shown page by page.",
        ),
        Ok(()) => Capability::new(
            name,
            No,
            "/proc/self/pagemap says that our own stack is not in memory",
            "The page maps of this kernel cannot be believed; totals are shown instead.",
        ),
        Err(error) => Capability::new(
            name,
            No,
            shown("/proc/self/pagemap", &Err(error)),
            "Copy-on-write is shown in totals only.",
        ),
    }
}

fn totals() -> Capability {
    let name = "memory totals";
    let text = fs::read_to_string("/proc/self/smaps_rollup");
    let pss = text.as_ref().ok().and_then(|t| t.lines().find_map(|l| l.strip_prefix("Pss:")).map(str::trim));
    match pss {
        Some(pss) => Capability::new(
            name,
            Yes,
            format!("/proc/self/smaps_rollup: Pss {pss}"),
            "What a process shares and what it has for itself is known to the page.",
        ),
        None => Capability::new(
            name,
            No,
            text.err().map_or_else(
                || "/proc/self/smaps_rollup has no Pss".into(),
                |error| shown("/proc/self/smaps_rollup", &Err(error)),
            ),
            "Shared and private memory cannot be told apart in totals.",
        ),
    }
}

/// What registers are good for.
const FROZEN: &str = "A freeze-frame shows where each thread's program counter and stack pointer stand.";

fn registers(files: &Files) -> Capability {
    let name = "registers of threads";
    let path = "/proc/sys/kernel/yama/ptrace_scope";
    let value = files.read(path);
    let found = shown(path, &value);
    let level: Option<u8> = value.as_ref().ok().and_then(|v| v.parse().ok());
    match level {
        Some(0 | 1) => Capability::new(name, Yes, found, FROZEN),
        Some(_) => {
            Capability::new(name, No, found, "Only threads that sleep are shown, as their own process sees them.")
                .remedy("As root, until the next boot: sysctl kernel.yama.ptrace_scope=1 (not possible from 3)")
        }
        // Without Yama there is no such file; without a real /proc there is nothing to be concluded from that.
        None if files.path("/proc/sys/kernel").is_dir()
            && value.is_err_and(|error| error.kind() == ErrorKind::NotFound) =>
        {
            Capability::new(name, Yes, format!("{found}: this kernel does not restrict ptrace"), FROZEN)
        }
        None => Capability::new(name, Partly, found, "Whether registers can be read is seen when it is tried."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{find, machine};
    use super::*;

    #[test]
    fn hidden_processes_are_told() {
        let proc = |options| format!("22 1 0:5 / /proc rw shared:1 - proc proc {options}\n");
        let state = |options| {
            let text = proc(options);
            let (_folder, files) = machine(&[("/proc/self/mountinfo", &text)]);
            hidden(&files).state
        };
        let (_folder, files) = machine(&[("/proc/self/mountinfo", "")]);
        assert_eq!(hidden(&files).state, Partly);
        assert_eq!(state("rw"), Yes);
        assert_eq!(state("rw,hidepid=0"), Yes);
        assert_eq!(state("rw,hidepid=2"), Partly);
        assert_eq!(state("rw,hidepid=invisible"), Partly);
    }

    #[test]
    fn ptrace_follows_yama() {
        for (level, state) in [("0", Yes), ("1", Yes), ("2", No), ("3", No), ("", Partly)] {
            let (_folder, files) = machine(&[("/proc/sys/kernel/yama/ptrace_scope", level)]);
            let all = survey(&files);
            assert_eq!(find(&all, "registers of threads").state, state, "{level}");
        }
        let (_folder, no_yama) = machine(&[("/proc/sys/kernel/osrelease", "6.1")]);
        assert_eq!(registers(&no_yama).state, Yes);
        let (_folder, no_proc) = machine(&[]);
        assert_eq!(registers(&no_proc).state, Partly);
    }
}
