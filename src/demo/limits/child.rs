//! The child that starts threads until it is refused one more, and tells how far it has come.

use super::bounds::{self, Holds, Limit, Own};
use super::{ADDRESS_SPACE, TABLE, TASKS};
use crate::demo::sizes::{self, Sizes};
use crate::fact::{Fact, Params, Pid, Unavailable};
use crate::stage::Worker;
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Uid, pause, setresuid};
use rustix::process::{getppid, getuid};
use serde_json::{Value, json};
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

/// Threads are started in so many lots, each followed by a look and a pause.
const LOTS: u64 = 40;

/// How long all stay when the last was refused.
const STAY: Duration = Duration::from_secs(1);

/// Users of whom one is likely to have no task, for a root that is to be bounded. None of them is a real one's.
const STRANGERS: std::ops::Range<u32> = 64_000..64_100;

/// The child's part.
pub(super) fn grow(worker: &Worker, params: &Params) {
    sizes::make_plain();
    let pace = worker.wait(0, Duration::MAX);
    if pace == Worker::HALT {
        return;
    }
    let Some(before) = Sizes::of(Pid(std::process::id())) else { return };
    let wished = params.int("cap").unsigned_abs();
    let stack = params.int("stack_kib").unsigned_abs();
    let guard = rustix::param::page_size() as u64 / 1024;
    let own =
        Own { vsz: before.vsz, vsz_each: stack + guard, users: bounds::tasks_of(getuid().as_raw()), ..Own::default() };
    let ram = bounds::ram().unwrap_or(0);
    let mut crowd = Crowd { worker, stack, wished, cap: wished, own, before, ram, first: None, started: 0, pace };
    match params.word("bound") {
        ADDRESS_SPACE => crowd.own.room = Some(params.int("room_mib").unsigned_abs() * 1024),
        TASKS => crowd.bound_tasks(params.int("tasks").unsigned_abs()),
        _ => {}
    }
    crowd.gather();
}

/// The threads of this process, and what is known of them.
struct Crowd<'a> {
    worker: &'a Worker,
    stack: u64,
    wished: u64,
    cap: u64,
    own: Own,
    before: Sizes,
    ram: u64,
    first: Option<(u64, Sizes)>,
    started: u64,
    pace: u64,
}

impl Crowd<'_> {
    /// Bounds the tasks of this user to `more` than there are. For root, who is exempt, this process becomes another user.
    fn bound_tasks(&mut self, more: u64) {
        if bounds::exempt()
            && let Err(error) = become_a_stranger()
        {
            let why = format!("root is exempt from RLIMIT_NPROC, and cannot become another user here ({error})");
            let refused = Unavailable::new("a bound on tasks", why).remedy("Run it as an ordinary user");
            self.worker.tell(Fact::Refused(refused));
            return;
        }
        self.own.users = bounds::tasks_of(getuid().as_raw());
        let hard = getrlimit(Resource::RLIMIT_NPROC).map_or(u64::MAX, |(_, hard)| hard);
        match setrlimit(Resource::RLIMIT_NPROC, (self.own.users + more).min(hard), hard) {
            Ok(()) => self.own.tasks_bounded = true,
            Err(error) => {
                let why = format!("setrlimit refused it ({error})");
                self.worker.tell(Fact::Refused(Unavailable::new("a bound on tasks", why)));
            }
        }
    }

    /// Starts lot after lot, up to the cap or to the first refusal.
    fn gather(&mut self) {
        let limits = bounds::read(&self.own);
        let (cap, because) = bounds::share(&limits, self.cap);
        if let Some(limit) = because {
            let what = format!("{} threads", self.wished);
            let why = format!("a part of {} is left to other programs: {cap} are started at most", limit.name);
            self.worker.tell(Fact::Refused(Unavailable::new(what, why)));
        }
        self.cap = cap;
        self.value("cap", json!(cap));
        self.value("ram_kib", json!(self.ram));
        self.weigh(&limits, "");
        let lot = self.cap.div_ceil(LOTS).max(1);
        while self.started < self.cap {
            let refused = self.start(lot.min(self.cap - self.started));
            self.measure(refused.is_some());
            if let Some(errno) = refused {
                self.own.users = bounds::tasks_of(getuid().as_raw());
                let limits = bounds::read(&self.own);
                let by = bounds::refused_by(&limits);
                self.settle(&limits, by, &format!("{errno:?}"));
                return;
            }
            let limits = bounds::read(&self.own);
            self.weigh(&limits, "");
            // Others may have come meanwhile, and need as much.
            self.cap = self.cap.min(self.started + bounds::share(&limits, self.cap - self.started).0);
            if !self.pause(Duration::from_millis) {
                return;
            }
        }
        let limits = bounds::read(&self.own);
        self.settle(&limits, "the cap", "none");
    }

    /// Up to `lot` more threads; the refusal, if there was one. The bound on address space holds meanwhile and not longer:
    /// what we tell needs memory, too.
    fn start(&mut self, lot: u64) -> Option<Errno> {
        let stack = usize::try_from(self.stack * 1024).unwrap_or(usize::MAX);
        let _bound = self.own.room.and_then(|kib| Bound::lower(kib.saturating_mul(1024)));
        for _ in 0..lot {
            if let Err(errno) = start_one(stack) {
                return Some(errno);
            }
            self.started += 1;
            self.own.users += 1;
        }
        None
    }

    /// What this process has become.
    fn measure(&mut self, refused: bool) {
        self.value("threads", json!(self.started));
        let Some(now) = Sizes::of(Pid(std::process::id())) else { return };
        self.own.vsz = now.vsz;
        // A lot that was refused one is no measure: the stack of the thread that did not come is kept for the next.
        if refused {
            return;
        }
        // The first lot brings code into memory that had not run before.
        let (had, then) = *self.first.get_or_insert((self.started, now));
        let more = self.started - had;
        let each = |now: u64, then: u64| (now.saturating_sub(then) + more / 2).checked_div(more);
        if let (Some(vsz), Some(rss)) = (each(now.vsz, then.vsz), each(now.rss, then.rss)) {
            self.own.vsz_each = vsz.max(self.stack);
            self.value("vsz_each_kib", json!(vsz));
            self.value("rss_each_kib", json!(rss));
        }
    }

    /// Tells the curves, and each limit.
    fn weigh(&self, limits: &[Limit], refused_by: &str) {
        let resident = Sizes::of(Pid(std::process::id())).map_or(self.before.rss, |sizes| sizes.rss);
        self.point("reserved", self.started, self.own.vsz);
        self.point("resident", self.started, resident);
        let lines = [("bound", self.own.room), ("ram", Some(self.ram).filter(|ram| self.goal() >= ram / 2))];
        for (curve, kib) in lines.into_iter().filter_map(|(curve, kib)| Some((curve, kib?))) {
            self.point(curve, 0, kib);
            self.point(curve, self.started.max(1), kib);
        }
        let mut cap = Limit::new("the cap", Some(self.cap), self.started, 1, Holds::Own);
        "the demo's cap".clone_into(&mut cap.row);
        for limit in std::iter::once(&cap).chain(limits) {
            let stops = limit.room().map(|room| self.started + room);
            let note = self.note(limit, limit.name == refused_by && (limit.reached() || limit.name == cap.name));
            let values = [
                ("allows", json!(limit.allows.map(|allows| allows / limit.per))),
                ("used", json!(limit.used / limit.per)),
                ("stops", json!(stops)),
                ("note", json!(note)),
            ];
            let values = values.map(|(name, value)| (name.to_owned(), value)).into();
            self.worker.tell(Fact::Row { table: TABLE.name.to_owned(), row: limit.row.clone(), values });
        }
    }

    fn note(&self, limit: &Limit, refused: bool) -> String {
        let ours = match limit.name {
            "the cap" => true,
            "address space" => self.own.room.is_some(),
            _ => limit.name == "RLIMIT_NPROC" && self.own.tasks_bounded,
        };
        let note = match limit.holds {
            _ if refused => "◀ this one stopped it",
            _ if limit.allows.is_none() => "no limit",
            Holds::Exempt => "not for root",
            _ if ours => "set for this run",
            Holds::Own => "of this process",
            Holds::Shared => "shared with others",
        };
        if limit.group.is_empty() { note.to_owned() } else { format!("{note}: {}", limit.group) }
    }

    /// KiB of address space that all threads together will come to.
    fn goal(&self) -> u64 {
        let all = self.before.vsz + self.cap * self.stack;
        self.own.room.map_or(all, |room| all.min(room))
    }

    fn settle(&mut self, limits: &[Limit], by: &str, errno: &str) {
        self.weigh(limits, by);
        self.value("cap", json!(self.cap));
        self.value("threads", json!(self.started));
        self.value("errno", json!(errno));
        self.value("refused_by", json!(by));
        self.worker.tell(Fact::settled());
        let settled = Instant::now();
        while settled.elapsed() < STAY && self.pause(|_| STAY.saturating_sub(settled.elapsed())) {}
    }

    /// Waits as long as the pace that stands asks for; false if it is to leave.
    fn pause(&mut self, how_long: impl Fn(u64) -> Duration) -> bool {
        let begun = Instant::now();
        loop {
            let left = how_long(self.pace).saturating_sub(begun.elapsed());
            let order = self.worker.wait(self.pace, left);
            if order == Worker::HALT {
                return false;
            }
            if order == self.pace {
                return true;
            }
            self.pace = order;
        }
    }

    fn point(&self, curve: &str, threads: u64, kib: u64) {
        let threads = f64::from(u32::try_from(threads).unwrap_or(u32::MAX));
        let tenths = f64::from(u32::try_from(kib * 10 / 1024).unwrap_or(u32::MAX));
        // Three figures and more need no fraction.
        let mib = if tenths < 1000.0 { tenths / 10.0 } else { (tenths / 10.0).round() };
        self.worker.tell(Fact::Point { curve: curve.to_owned(), x: threads, y: mib });
    }

    fn value(&self, name: &str, value: Value) {
        self.worker.tell(Fact::Value { tid: self.worker.tid(), name: name.to_owned(), value });
    }
}

/// A lower soft limit on address space, while it lives.
struct Bound(u64, u64);

impl Bound {
    fn lower(bytes: u64) -> Option<Self> {
        let (soft, hard) = getrlimit(Resource::RLIMIT_AS).ok()?;
        setrlimit(Resource::RLIMIT_AS, bytes.min(soft), hard).ok()?;
        Some(Self(soft, hard))
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        // The soft limit stood there before.
        let _ = setrlimit(Resource::RLIMIT_AS, self.0, self.1);
    }
}

/// Makes this process that of a user who has no other, for good. It ends with its parent all the same: the kernel forgets
/// that wish when the user changes (prctl(2), `PR_SET_PDEATHSIG`).
fn become_a_stranger() -> Result<(), Errno> {
    let parent = getppid();
    let stranger = STRANGERS.into_iter().find(|uid| bounds::tasks_of(*uid) == 0).ok_or(Errno::EUSERS)?;
    let uid = Uid::from_raw(stranger);
    setresuid(uid, uid, uid)?;
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    // The parent may have gone between the two.
    if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH) }
}

/// One more thread of this process, with a stack of so many bytes, which rests until the process ends.
///
/// Made as a program in C would make it. What std's Builder adds (a second stack for the handler of stack overflows, and a
/// panic where there is no room for that) is not what is counted here.
fn start_one(stack: usize) -> Result<(), Errno> {
    extern "C" fn rest(_: *mut c_void) -> *mut c_void {
        loop {
            pause();
        }
    }
    let done = |code: i32| if code == 0 { Ok(()) } else { Err(Errno::from_raw(code)) };
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let mut thread = MaybeUninit::<libc::pthread_t>::uninit();
    // SAFETY: the attributes are initialised before they are used, and destroyed after; the thread's function lives as long
    // as the program, takes a pointer that it does not use, and touches nothing. Nobody joins it, so it is detached.
    #[expect(unsafe_code, reason = "pthread_create(3)")]
    unsafe {
        done(libc::pthread_attr_init(attributes.as_mut_ptr()))?;
        let made = done(libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), stack))
            .and_then(|()| {
                done(libc::pthread_attr_setdetachstate(attributes.as_mut_ptr(), libc::PTHREAD_CREATE_DETACHED))
            })
            .and_then(|()| {
                let null = std::ptr::null_mut();
                done(libc::pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), rest, null))
            });
        let _ = libc::pthread_attr_destroy(attributes.as_mut_ptr());
        made
    }
}
