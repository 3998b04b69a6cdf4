//! A and B may have so much memory together. A takes ever more of it, and the kernel ends B: it chooses whom it was told to
//! choose first, not who is to blame.
//!
//! The bound is a control group of its own, which takes root or a delegated group. It is removed afterwards: when the demo
//! ends, when it is broken off, and when it is ended by TERM. What a killed leader leaves, an empty group, the next removes.

use super::row;
use crate::demo::script::{Over, errno_name, pass, step};
use crate::fact::{As, Fact, Unavailable};
use crate::stage::{Left, Settings, Stage, Target, Worker};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What the two may have together, what B has of it, and what A takes at a time.
const BOUND: usize = 48 << 20;
const HAS: usize = 12 << 20;
const BITE: usize = 1 << 20;
const PAUSE: Duration = Duration::from_millis(20);

const PATIENCE: Duration = Duration::from_secs(10);

/// The orders: to begin; to take ever more of what both have; to take what one alone may have; to take no more.
const TAKE: u64 = 1;
const MORE: u64 = 2;
const ALONE: u64 = 3;
const ENOUGH: u64 = 4;

pub(super) fn play(stage: &mut Stage, after: Duration) -> Result<(), Over> {
    let group = match Group::make() {
        Ok(group) => group,
        Err(refused) => {
            stage.tell(Fact::Refused(refused));
            return alone(stage, after);
        }
    };
    let mut term = SigSet::empty();
    term.add(Signal::SIGTERM);
    // The leader would end by TERM with the group still there. Its workers unblock everything when they begin.
    term.thread_block()?;
    let ended = SignalFd::with_flags(&term, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    let mut cast = Vec::new();
    let story = together(stage, &group, &ended, after, &mut cast);
    let targets: Vec<_> = cast.iter().filter_map(|n| Target::open(stage.cast().get(*n)?.pid)).collect();
    targets.iter().for_each(|target| _ = target.signal(rustix::process::Signal::KILL));
    targets.iter().for_each(|target| _ = crate::demo::eye::end(target, Duration::from_millis(100)));
    group.remove();
    let came = matches!(story, Err(Over::Finish)) && ended.read_signal().is_ok_and(|signal| signal.is_some());
    term.thread_unblock()?;
    if came {
        let _ = raise(Signal::SIGTERM);
    }
    story
}

/// A and B in one group.
fn together(
    stage: &mut Stage,
    group: &Group,
    ended: &SignalFd,
    after: Duration,
    cast: &mut Vec<usize>,
) -> Result<(), Over> {
    let settings = Settings::default();
    let a = stage.enter_named("A", As::Processes, &settings, |worker| take(worker, "0"))?;
    let b = stage.enter_named("B", As::Processes, &settings, hold)?;
    cast.extend([a, b]);
    for n in [a, b] {
        let pid = stage.cast().get(n).map_or(0, |entry| entry.pid.0);
        fs::write(group.path.join("cgroup.procs"), pid.to_string())?;
        // Only now may it touch what is to be counted.
        stage.order(n, TAKE);
    }
    let slices = |stage: &mut Stage, time: Duration, over: &dyn Fn(&Stage) -> bool| {
        let until = Instant::now() + time;
        while Instant::now() < until && !over(stage) {
            if signalled(ended) {
                return Err(Over::Finish);
            }
            pass(stage, Duration::from_millis(20).min(time))?;
        }
        Ok(())
    };
    slices(stage, after, &|_| false)?;
    step(stage, "struck");
    stage.order(a, MORE);
    let is_over = |stage: &Stage, n: usize| stage.cast().get(n).is_some_and(|entry| entry.ended.is_some());
    slices(stage, PATIENCE, &|stage| is_over(stage, a) || is_over(stage, b))?;
    stage.order(a, ENOUGH);
    let mib = stage.work(a) >> 10;
    let kills = group.kills();
    slices(stage, Duration::from_millis(300), &|_| false)?;
    let did = format!("took {mib} MiB");
    let killed = matches!(stage.cast().get(b).and_then(|entry| entry.ended.as_ref()), Some(Left::Signal(_)));
    // Where the kernel counts and says none, it was somebody else's signal.
    let values = if killed && kills != Some(0) {
        let who = if is_over(stage, a) {
            format!("ended by the OOM killer, and A after it; both had {} MiB", BOUND >> 20)
        } else {
            format!("ended by the OOM killer, at {} MiB for both; A goes on", BOUND >> 20)
        };
        json!({ "did": did, "reached": "SIGKILL", "got": who, "alive": false, "recovered": false, "oom_kills": kills })
    } else {
        let got = if killed { "ended by a signal from elsewhere" } else { "goes on" };
        json!({ "did": did, "reached": "nothing", "got": got, "alive": !killed, "oom_kills": kills })
    };
    stage.tell(row("memory", values));
    Ok(())
}

fn signalled(ended: &SignalFd) -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd;
    // Looked at and not taken: who ends the story takes it.
    poll(&mut [PollFd::new(ended.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

/// Without a group: A's own bound, which is nobody else's.
fn alone(stage: &mut Stage, after: Duration) -> Result<(), Over> {
    let settings = Settings::default();
    let a = stage.enter_named("A", As::Processes, &settings, |worker| take(worker, "1000"))?;
    let b = stage.enter_named("B", As::Processes, &settings, hold)?;
    stage.order(b, TAKE);
    pass(stage, after)?;
    step(stage, "struck");
    stage.order(a, ALONE);
    crate::demo::script::until_worker(stage, a, PATIENCE, |stage| stage.work(a) % 2 == 1)?;
    stage.tell(row(
        "memory",
        json!({
            "did": "took all it may", "reached": "nothing", "alive": true,
            "got": "goes on: A alone was told ENOMEM, by a bound of its own",
        }),
    ));
    Ok(())
}

/// A: takes more and more when it is told to. Its counter says how many KiB it has; odd when it was refused more.
fn take(worker: &Worker, oom: &str) {
    // Who ends first when memory runs out is said here (proc(5)); it is a wish, and may be refused.
    let _ = fs::write("/proc/self/oom_score_adj", oom);
    let mut order = worker.wait(0, Duration::from_secs(60));
    while order == TAKE {
        order = worker.wait(TAKE, Duration::from_secs(60));
    }
    if order == ALONE {
        let (soft, hard) = getrlimit(Resource::RLIMIT_AS).unwrap_or((u64::MAX, u64::MAX));
        let _ = setrlimit(Resource::RLIMIT_AS, (address_space() + BOUND as u64).min(soft), hard);
    }
    let mut taken: Vec<Vec<u8>> = Vec::new();
    while order == MORE || order == ALONE {
        let mut bite = Vec::new();
        if bite.try_reserve_exact(BITE).is_err() {
            worker.set_work((taken.len() * (BITE >> 10)) as u64 + 1);
            break;
        }
        // Touched, not only asked for: Linux promises memory freely and finds it at the first touch.
        bite.resize(BITE, 1);
        taken.push(bite);
        worker.set_work((taken.len() * (BITE >> 10)) as u64);
        order = worker.wait(order, PAUSE);
    }
    while worker.wait(worker.order(), Duration::from_secs(60)) != Worker::HALT {}
    drop(taken);
}

/// B: has some memory, and works.
fn hold(worker: &Worker) {
    if worker.wait(0, Duration::from_secs(60)) != TAKE {
        return;
    }
    let has = vec![std::hint::black_box(1_u8); HAS];
    let mut count = 0;
    while worker.wait(TAKE, Duration::from_millis(20)) == TAKE {
        count += 1;
        worker.set_work(count);
    }
    drop(has);
}

fn address_space() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split_ascii_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

/// A control group of our own, with a bound on memory.
#[derive(Debug)]
struct Group {
    path: PathBuf,
}

/// Groups of ours are called so, and by the process that made them.
const NAME: &str = "forklore-oom-";

impl Group {
    fn make() -> Result<Self, Unavailable> {
        let refused = |why: String| {
            Unavailable::new("a bound on memory that two processes share (a control group)", why)
                .remedy("As root, or in a group that is delegated to you, the kernel can be seen choosing whom to end")
        };
        let Some(parent) = parents().into_iter().find(|path| path.is_dir()) else {
            return Err(refused("no control group for memory is mounted here".to_owned()));
        };
        sweep(&parent);
        let path = parent.join(format!("{NAME}{}", std::process::id()));
        fs::create_dir(&path).map_err(|error| refused(format!("none can be made here ({})", errno(&error))))?;
        let group = Self { path };
        let set = |file: &str, value: &str| fs::write(group.path.join(file), value);
        let bound = BOUND.to_string();
        let done = set("memory.max", &bound).or_else(|_| set("memory.limit_in_bytes", &bound));
        // Where there is no swap, or no account of it, there is nothing to bound.
        let _ = set("memory.swap.max", "0").or_else(|_| set("memory.memsw.limit_in_bytes", &bound));
        if let Err(error) = done {
            group.remove();
            return Err(refused(format!("its bound cannot be set ({})", errno(&error))));
        }
        Ok(group)
    }

    /// How many processes the kernel has ended in it, where it counts them.
    fn kills(&self) -> Option<u64> {
        let read = |file: &str| fs::read_to_string(self.path.join(file)).ok();
        let text = read("memory.events").or_else(|| read("memory.oom_control"))?;
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
    }

    /// Removes it once its processes have ended.
    fn remove(&self) {
        let until = Instant::now() + Duration::from_secs(1);
        while fs::remove_dir(&self.path).is_err() && self.path.exists() && Instant::now() < until {
            // A process leaves its group some time after its end is known; nothing tells when.
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn errno(error: &std::io::Error) -> String {
    rustix::io::Errno::from_io_error(error).map_or_else(|| error.to_string(), errno_name)
}

/// Where a group can be made: below this process's own (version 1), or below the nearest that hands memory on (version 2).
fn parents() -> Vec<PathBuf> {
    places(&fs::read_to_string("/proc/self/cgroup").unwrap_or_default(), |path| {
        fs::read_to_string(path.join("cgroup.subtree_control"))
            .is_ok_and(|list| list.split(' ').any(|c| c.trim() == "memory"))
    })
}

/// The same, given /proc/self/cgroup and who hands memory on.
fn places(own: &str, hands_on: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let below = |root: &str| Path::new(root).join(path.trim_start_matches('/'));
        if controllers.split(',').any(|c| c == "memory") {
            let root = Path::new("/sys/fs/cgroup/memory");
            // In a container the path may be that of the host, and not be there.
            found.extend([below("/sys/fs/cgroup/memory"), root.to_owned()]);
        } else if controllers.is_empty() {
            let root = Path::new("/sys/fs/cgroup");
            let own = below("/sys/fs/cgroup");
            found.extend(own.ancestors().take_while(|p| p.starts_with(root)).find(|p| hands_on(p)).map(Path::to_owned));
        }
    }
    found
}

/// Removes what a killed leader has left: a group whose process is no more.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let owner = entry.file_name().to_str().and_then(|name| name.strip_prefix(NAME)?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            // One that is not empty is somebody's, and stays.
            let _ = fs::remove_dir(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_made_below_ones_own_or_the_nearest_that_hands_on() {
        let first = "9:name=systemd:/\n4:cpu,cpuacct:/a\n3:memory:/user/x\n";
        let root = "/sys/fs/cgroup/memory";
        assert_eq!(places(first, |_| false), [Path::new(root).join("user/x"), PathBuf::from(root)]);
        let second = "0::/user.slice/a.scope\n";
        let place = Path::new("/sys/fs/cgroup/user.slice");
        assert_eq!(places(second, |path| path == place), [place]);
        assert_eq!(places(second, |path| path == Path::new("/")), [""; 0].map(PathBuf::from), "not above the root");
        assert_eq!(places("nonsense", |_| true), [""; 0].map(PathBuf::from));
    }
}
