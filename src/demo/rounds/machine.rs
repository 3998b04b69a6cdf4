//! What is read of the machine beside the measurements: who had the core, how fast it ran, how much there was to do.

use super::desk::Taken;
use crate::fact::Cpu;
use crate::lab::Conditions;
use std::fs;
use std::time::{Duration, Instant};

/// The clock speed is looked at no more often than this.
const OFTEN: Duration = Duration::from_millis(250);

/// What `/proc/stat` has counted of a CPU since the machine was started, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Ticks {
    busy: f64,
    steal: f64,
    all: f64,
}

impl Ticks {
    /// Of all these CPUs together; none of no CPU.
    fn all(cpus: &[Cpu]) -> Option<Self> {
        if cpus.is_empty() {
            return None;
        }
        Self::sum(&fs::read_to_string("/proc/stat").ok()?, cpus)
    }

    fn sum(stat: &str, cpus: &[Cpu]) -> Option<Self> {
        cpus.iter().try_fold(Self::default(), |sum, cpu| {
            let of = Self::of(stat, *cpu)?;
            Some(Self { busy: sum.busy + of.busy, steal: sum.steal + of.steal, all: sum.all + of.all })
        })
    }

    /// The fields of proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user already.
    fn of(stat: &str, cpu: Cpu) -> Option<Self> {
        let name = format!("cpu{}", cpu.0);
        let line = stat.lines().find_map(|line| line.strip_prefix(&name)?.strip_prefix(' '))?;
        let fields: Vec<f64> = line.split_ascii_whitespace().map_while(|field| field.parse().ok()).take(8).collect();
        let [user, nice, system, idle, iowait, irq, softirq, steal] = fields.try_into().ok()?;
        let busy = user + nice + system + irq + softirq;
        Some(Self { busy, steal, all: busy + idle + iowait + steal })
    }
}

/// A run's look at the CPUs on which it measures. Where it measures no time it is pinned to none, and there is nothing to be
/// looked at.
#[derive(Debug)]
pub(super) struct Machine {
    cpus: Vec<Cpu>,
    begun: Option<Ticks>,
    clock: Option<(f64, f64)>,
    looked: Option<Instant>,
    /// Sums over all measurements.
    ran: Duration,
    waited: Duration,
    wall: Duration,
}

impl Machine {
    pub(super) fn new(cpus: Vec<Cpu>) -> Self {
        let (ran, waited, wall) = Default::default();
        Self { begun: Ticks::all(&cpus), cpus, clock: None, looked: None, ran, waited, wall }
    }

    /// The CPUs to which those who measure are pinned.
    pub(super) fn cpus(&self) -> &[Cpu] {
        &self.cpus
    }

    /// Takes a measurement down; the share of its time in which others had a CPU that it wanted.
    pub(super) fn add(&mut self, taken: &Taken) -> f64 {
        let Taken { wall, spent, .. } = taken;
        (self.wall, self.ran, self.waited) = (self.wall + *wall, self.ran + spent.ran, self.waited + spent.waited);
        match self.cpus.len() {
            0 => 0.0,
            1 => taken.foreign(),
            _ => taken.queued(),
        }
    }

    /// Looks at the clock speed, in kHz, if the machine tells it: a virtual one seldom does.
    pub(super) fn look(&mut self) {
        if self.looked.is_some_and(|at| at.elapsed() < OFTEN) {
            return;
        }
        self.looked = Some(Instant::now());
        for cpu in &self.cpus {
            let path = format!("/sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq", cpu.0);
            let khz = fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<f64>().ok());
            let Some(khz) = khz else { continue };
            let (least, most) = self.clock.unwrap_or((khz, khz));
            self.clock = Some((least.min(khz), most.max(khz)));
        }
    }

    /// What was read so far; nothing where it does not matter.
    pub(super) fn conditions(&self) -> Conditions {
        let shares = self.shares();
        let wall = self.wall.as_secs_f64();
        Conditions {
            steal: shares.map(|(steal, _)| steal),
            others: shares.map(|(_, others)| others),
            waited: (wall > 0.0 && !self.cpus.is_empty()).then(|| self.waited.as_secs_f64() / wall),
            clock: self.clock,
            ..Conditions::default()
        }
    }

    /// The shares of the CPUs' time since the beginning: those that the hypervisor kept, and those that others had. None before a
    /// tenth of a second: ticks are hundredths.
    fn shares(&self) -> Option<(f64, f64)> {
        shares(self.begun?, Ticks::all(&self.cpus)?, self.ran)
    }

    /// What is said of that, row by row; nothing where it does not matter.
    pub(super) fn rows(&self, conditions: &Conditions) -> Vec<(&'static str, String)> {
        if self.cpus.is_empty() {
            return Vec::new();
        }
        let share = |share: Option<f64>| share.map_or("not told here".to_owned(), |s| format!("{:.1} %", s * 100.0));
        let clock = conditions
            .clock
            .map_or("not told here".to_owned(), |(least, most)| format!("{:.0} to {:.0} MHz", least / 1e3, most / 1e3));
        let here = if self.cpus.len() > 1 { "others on these cores" } else { "others on this core" };
        let mut rows = vec![
            (here, share(conditions.others)),
            ("kept by the hypervisor", share(conditions.steal)),
            ("on the run queue", share(conditions.waited)),
            ("clock speed", clock),
        ];
        rows.extend(load().map(|load| ("load of the machine", format!("{load}"))));
        rows
    }
}

/// Tasks that ran or were ready, on the average of the last minute.
fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_ascii_whitespace().next()?.parse().ok()
}

/// Where the measuring goes on, as the end of a sentence: " on CPU 1"; nothing where that does not matter.
pub(super) fn words(cpus: &[Cpu]) -> String {
    let numbers: Vec<String> = cpus.iter().map(|cpu| cpu.0.to_string()).collect();
    match numbers.as_slice() {
        [] => String::new(),
        [one] => format!(" on CPU {one}"),
        several => format!(" on CPUs {}", several.join(" and ")),
    }
}

fn shares(before: Ticks, now: Ticks, ours: Duration) -> Option<(f64, f64)> {
    let all = now.all - before.all;
    // USER_HZ is 100 on every architecture on which this runs (time(7)).
    let others = (now.busy - before.busy - ours.as_secs_f64() * 100.0).max(0.0);
    (all >= 10.0).then(|| ((now.steal - before.steal).max(0.0) / all, others / all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::rounds::account::Spent;

    #[test]
    fn a_cpu_is_found_by_its_whole_number_and_guests_are_not_counted_twice() {
        let stat = "cpu  9 9 9 9 9 9 9 9\ncpu1 1 2 4 100 50 8 16 32 500 500\ncpu10 7 7 7 7 7 7 7 7 0 0\ncpu2 1 2\n";
        assert_eq!(Ticks::of(stat, Cpu(1)), Some(Ticks { busy: 31.0, steal: 32.0, all: 213.0 }));
        assert_eq!(
            (Ticks::of(stat, Cpu(3)), Ticks::of(stat, Cpu(2))),
            (None, None),
            "an old kernel's line is too short"
        );
        assert_eq!(Ticks::sum(stat, &[Cpu(1), Cpu(10)]), Some(Ticks { busy: 66.0, steal: 39.0, all: 269.0 }));
        assert_eq!(Ticks::sum(stat, &[Cpu(1), Cpu(3)]), None, "a sum that lacks a part is no sum");
    }

    #[test]
    fn what_is_not_ours_was_others() {
        let before = Ticks { busy: 100.0, steal: 5.0, all: 1_000.0 };
        let now = Ticks { busy: 180.0, steal: 25.0, all: 1_100.0 };
        assert_eq!(shares(before, now, Duration::from_millis(500)), Some((0.2, 0.3)));
        assert_eq!(shares(before, now, Duration::from_secs(3)), Some((0.2, 0.0)), "ticks are coarse");
        assert_eq!(shares(before, Ticks { all: 1_009.0, ..now }, Duration::ZERO), None);
    }

    #[test]
    fn where_it_is_measured_is_said_and_where_that_does_not_matter_nothing_is() {
        assert_eq!([words(&[]), words(&[Cpu(3)]), words(&[Cpu(0), Cpu(1)])], ["", " on CPU 3", " on CPUs 0 and 1"]);
        let mut machine = Machine::new(Vec::new());
        machine.look();
        let spent = Spent { ran: Duration::ZERO, waited: Duration::from_millis(9) };
        let taken = Taken { each: Ok(1.0), p99: None, wall: Duration::from_millis(10), spent };
        assert_eq!((machine.add(&taken), machine.conditions()), (0.0, Conditions::default()));
        assert_eq!(machine.rows(&machine.conditions()), []);
    }

    #[test]
    fn who_has_a_core_each_is_idle_in_turn_and_that_is_no_disturbance() {
        let spent = Spent { ran: Duration::from_millis(4), waited: Duration::from_millis(1) };
        let taken = Taken { each: Ok(1.0), p99: None, wall: Duration::from_millis(10), spent };
        assert_eq!(Machine::new(vec![Cpu(0)]).add(&taken), 0.6);
        assert_eq!(Machine::new(vec![Cpu(0), Cpu(1)]).add(&taken), 0.1);
    }
}
