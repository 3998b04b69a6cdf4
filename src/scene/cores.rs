//! Which task is on which CPU: the state machine that lanes and totals share. It keeps no history and no totals; it says
//! what changed, and lanes and tasks each make their own of it.
//!
//! Facts may come late, double or not at all. Three rules keep time from being counted twice: an interval of a CPU begins
//! where the one before it ended; a turn of a task begins no earlier than its last one ended; a fact that is older than
//! the turn it speaks of changes nothing.

use super::lanes::Occupant;
use crate::fact::{Cpu, Fact, Nanos, Pid, Stamped, Tid, Why};
use std::collections::HashMap;

/// Linux numbers its CPUs below this (`NR_CPUS`); a fact about any other is damaged.
const MOST_CPUS: u32 = 8192;

/// Tasks that are remembered. Beyond it those that ended are forgotten, and then those that are off.
const MOST_SEATS: usize = 32_768;

/// How an interval came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// A record says so.
    Told,
    /// Somebody else was seen on the CPU, or the task on another CPU: the record of its leaving is missing.
    Inferred,
    /// The run ended.
    RunOver,
}

/// What a fact changed. `core` is the number of a CPU in order of appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// A CPU was seen for the first time; its number is the next.
    Core(Cpu),
    /// An interval is over. Those of one CPU follow each other without a gap, from zero on.
    Over { core: usize, who: Occupant, from: Nanos, to: Nanos, why: Why, end: End },
    /// The task got the CPU.
    In { cpu: Cpu, core: usize, tid: Tid, at: Nanos },
    /// The task left the CPU; since when it had it is not known.
    Out { cpu: Cpu, core: usize, tid: Tid, at: Nanos, why: Why },
    /// Records were lost while the task was on the CPU: its turn is not known from its beginning on.
    Void { core: usize, tid: Tid },
    /// Late word on the turn that began at `from` and whose end had been inferred to be `to`: it was `ended`, and why.
    Late { core: usize, tid: Tid, from: Nanos, to: Nanos, ended: Nanos, why: Why },
}

#[derive(Debug, Clone, Copy)]
struct Core {
    cpu: Cpu,
    who: Occupant,
    /// When this interval began.
    since: Nanos,
    /// The stamp of the fact that began it; earlier than `since` where that fact came late.
    heard: Nanos,
}

/// What has to be known of a task to place it.
#[derive(Debug, Clone, Copy, Default)]
struct Seat {
    pid: Option<Pid>,
    on: Option<usize>,
    /// What is before this moment was counted: the beginning or the end of its last turn.
    free: Nanos,
    /// Its last turn, where its end was inferred: core, from, to.
    inferred: Option<(usize, Nanos, Nanos)>,
    ended: bool,
}

/// The CPUs of a run and who is on them.
#[derive(Debug, Clone, Default)]
pub(super) struct Cores {
    cores: Vec<Core>,
    /// From CPU number to position in `cores`, plus one.
    place: Vec<u16>,
    seats: HashMap<Tid, Seat>,
    started: Option<Nanos>,
    /// When records were last lost.
    lost: Option<Nanos>,
    strays: u64,
}

impl Cores {
    /// The position of a CPU.
    pub(super) fn position(&self, cpu: Cpu) -> Option<usize> {
        let place = *self.place.get(usize::try_from(cpu.0).ok()?)?;
        usize::from(place).checked_sub(1)
    }

    /// Who is on the CPU at this position, and since when.
    pub(super) fn open(&self, core: usize) -> (Occupant, Nanos) {
        self.cores.get(core).map_or((Occupant::Unknown, Nanos::ZERO), |c| (c.who, c.since))
    }

    /// Switches that did not fit: double, too late, or of a CPU that cannot be.
    pub(super) fn strays(&self) -> u64 {
        self.strays
    }

    /// Takes one fact in and says what it changed.
    pub(super) fn apply(&mut self, stamped: &Stamped, sink: &mut impl FnMut(Change)) {
        let t = stamped.t;
        match &stamped.fact {
            Fact::In { cpu, tid } => self.enter(t, *cpu, *tid, sink),
            Fact::Out { cpu, tid, why } => self.leave(t, *cpu, *tid, *why, sink),
            Fact::Start(start) => self.start(t, &start.cpus, sink),
            Fact::Task { tid, pid, .. } => {
                let seat = self.seat(*tid);
                seat.pid = Some(*pid);
                seat.ended = false;
            }
            Fact::Exit { tid, pid, .. } => self.exit(t, *tid, *pid, sink),
            Fact::Lost { .. } => self.lose(t, sink),
            Fact::Outcome(_) => {
                for core in 0..self.cores.len() {
                    self.close(core, t, t, Why::Unknown, End::RunOver, sink);
                }
            }
            _ => {}
        }
    }

    fn start(&mut self, t: Nanos, cpus: &[Cpu], sink: &mut impl FnMut(Change)) {
        for &cpu in cpus {
            self.core(cpu, sink);
        }
        if self.started.is_none() && self.lost.is_none() {
            // The demo is held until it is observed: nobody of it is on a CPU at the start.
            for core in 0..self.cores.len() {
                if self.cores[core].who == Occupant::Unknown {
                    self.close(core, t, t, Why::Unknown, End::Told, sink);
                }
            }
        }
        self.started.get_or_insert(t);
    }

    fn enter(&mut self, t: Nanos, cpu: Cpu, tid: Tid, sink: &mut impl FnMut(Change)) {
        let Some(core) = self.core(cpu, sink) else {
            self.strays += 1;
            return;
        };
        let seat = *self.seat(tid);
        let late = |other: Core| t < other.heard;
        let double = matches!(self.cores[core].who, Occupant::Task(on) if on == tid || late(self.cores[core]));
        if double || seat.on.is_some_and(|other| late(self.cores[other])) {
            self.strays += 1;
            return;
        }
        let mut free = seat.free;
        if let Some(other) = seat.on {
            free = self.close(other, t, t, Why::Unknown, End::Inferred, sink);
        }
        let since = self.close(core, t.max(free), t, Why::Unknown, End::Inferred, sink);
        self.cores[core].who = Occupant::Task(tid);
        let seat = self.seat(tid);
        (seat.on, seat.free, seat.inferred) = (Some(core), since, None);
        sink(Change::In { cpu, core, tid, at: since });
    }

    fn leave(&mut self, t: Nanos, cpu: Cpu, tid: Tid, why: Why, sink: &mut impl FnMut(Change)) {
        let Some(core) = self.core(cpu, sink) else {
            self.strays += 1;
            return;
        };
        let Core { who, since, heard, .. } = self.cores[core];
        let seat = *self.seat(tid);
        match (who, seat.inferred) {
            (Occupant::Task(on), _) if on == tid && t >= heard => {
                self.close(core, t, t, why, End::Told, sink);
            }
            (Occupant::Unknown, _) if seat.on.is_none() && t >= since.max(seat.free) => {
                let at = self.close(core, t, t, why, End::Told, sink);
                self.seat(tid).free = at;
                sink(Change::Out { cpu, core, tid, at, why });
            }
            (_, Some((there, from, to))) if there == core && t >= from && Some(from) >= self.lost => {
                self.seat(tid).inferred = None;
                sink(Change::Late { core, tid, from, to, ended: t.min(to), why });
            }
            _ => self.strays += 1,
        }
    }

    fn exit(&mut self, t: Nanos, tid: Tid, pid: Pid, sink: &mut impl FnMut(Change)) {
        let whole = tid.0 == pid.0;
        for core in 0..self.cores.len() {
            let Occupant::Task(on) = self.cores[core].who else { continue };
            let its = on == tid || whole && self.seats.get(&on).is_some_and(|seat| seat.pid == Some(pid));
            if its {
                self.close(core, t, t, Why::Blocked, End::Told, sink);
            }
        }
        let seat = self.seat(tid);
        (seat.pid, seat.ended) = (Some(pid), true);
    }

    /// What was on a CPU since its last record is not known: the records that are missing lie after that one.
    fn lose(&mut self, t: Nanos, sink: &mut impl FnMut(Change)) {
        self.lost = self.lost.max(Some(t));
        for (i, core) in self.cores.iter_mut().enumerate() {
            if let Occupant::Task(tid) = core.who {
                if let Some(seat) = self.seats.get_mut(&tid) {
                    seat.on = None;
                }
                sink(Change::Void { core: i, tid });
            }
            core.who = Occupant::Unknown;
        }
    }

    /// Ends what is open on a core at `at`, or where it began if that is later, and leaves nobody on it.
    /// Says when that was.
    fn close(
        &mut self,
        core: usize,
        at: Nanos,
        heard: Nanos,
        why: Why,
        end: End,
        sink: &mut impl FnMut(Change),
    ) -> Nanos {
        let Core { cpu, who, since: from, .. } = self.cores[core];
        let to = at.max(from);
        if let Occupant::Task(tid) = who
            && let Some(seat) = self.seats.get_mut(&tid)
        {
            (seat.on, seat.free) = (None, to);
            seat.inferred = (end == End::Inferred).then_some((core, from, to));
        }
        self.cores[core] = Core { cpu, who: Occupant::Nobody, since: to, heard };
        sink(Change::Over { core, who, from, to, why, end });
        to
    }

    fn seat(&mut self, tid: Tid) -> &mut Seat {
        if self.seats.len() >= MOST_SEATS && !self.seats.contains_key(&tid) {
            self.seats.retain(|_, seat| seat.on.is_some() || !seat.ended);
            if self.seats.len() > MOST_SEATS / 4 * 3 {
                self.seats.retain(|_, seat| seat.on.is_some());
            }
        }
        self.seats.entry(tid).or_default()
    }

    fn core(&mut self, cpu: Cpu, sink: &mut impl FnMut(Change)) -> Option<usize> {
        if let Some(core) = self.position(cpu) {
            return Some(core);
        }
        let number = usize::try_from(cpu.0).ok().filter(|_| cpu.0 < MOST_CPUS)?;
        let core = self.cores.len();
        self.cores.push(Core { cpu, who: Occupant::Unknown, since: Nanos::ZERO, heard: Nanos::ZERO });
        if self.place.len() <= number {
            self.place.resize(number + 1, 0);
        }
        self.place[number] = u16::try_from(core + 1).ok()?;
        sink(Change::Core(cpu));
        if let Some(started) = self.started
            && self.lost.is_none()
        {
            // Had one of the run's tasks been on it, there would be a record.
            self.close(core, started, started, Why::Unknown, End::Told, sink);
        }
        Some(core)
    }
}
