//! What is read of the machine beside the measurements: who had the core, how fast it ran, how much there was to do.

use crate::fact::Cpu;
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
    fn read(cpu: Cpu) -> Option<Self> {
        Self::of(&fs::read_to_string("/proc/stat").ok()?, cpu)
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

/// A run's look at one CPU.
#[derive(Debug)]
pub(super) struct Machine {
    cpu: Cpu,
    begun: Option<Ticks>,
    clock: Option<(f64, f64)>,
    looked: Option<Instant>,
}

impl Machine {
    pub(super) fn new(cpu: Cpu) -> Self {
        Self { cpu, begun: Ticks::read(cpu), clock: None, looked: None }
    }

    /// The clock speed now, in kHz, if the machine tells it: a virtual one seldom does.
    pub(super) fn look(&mut self) {
        if self.looked.is_some_and(|at| at.elapsed() < OFTEN) {
            return;
        }
        self.looked = Some(Instant::now());
        let path = format!("/sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq", self.cpu.0);
        let Some(khz) = fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<f64>().ok()) else { return };
        let (least, most) = self.clock.unwrap_or((khz, khz));
        self.clock = Some((least.min(khz), most.max(khz)));
    }

    /// The least and the greatest clock speed that was seen.
    pub(super) fn clock(&self) -> Option<(f64, f64)> {
        self.clock
    }

    /// The shares of the core's time since the beginning: those that the hypervisor kept, and those that others had, when
    /// `ours` were this run's. None before a tenth of a second: ticks are hundredths.
    pub(super) fn shares(&self, ours: Duration) -> Option<(f64, f64)> {
        let (before, now) = (self.begun?, Ticks::read(self.cpu)?);
        shares(before, now, ours)
    }

    /// Tasks that ran or were ready, on the average of the last minute.
    pub(super) fn load() -> Option<f64> {
        fs::read_to_string("/proc/loadavg").ok()?.split_ascii_whitespace().next()?.parse().ok()
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

    #[test]
    fn a_cpu_is_found_by_its_whole_number_and_guests_are_not_counted_twice() {
        let stat = "cpu  9 9 9 9 9 9 9 9\ncpu1 1 2 4 100 50 8 16 32 500 500\ncpu10 7 7 7 7 7 7 7 7 0 0\ncpu2 1 2\n";
        assert_eq!(Ticks::of(stat, Cpu(1)), Some(Ticks { busy: 31.0, steal: 32.0, all: 213.0 }));
        assert_eq!(
            (Ticks::of(stat, Cpu(3)), Ticks::of(stat, Cpu(2))),
            (None, None),
            "an old kernel's line is too short"
        );
    }

    #[test]
    fn what_is_not_ours_was_others() {
        let before = Ticks { busy: 100.0, steal: 5.0, all: 1_000.0 };
        let now = Ticks { busy: 180.0, steal: 25.0, all: 1_100.0 };
        assert_eq!(shares(before, now, Duration::from_millis(500)), Some((0.2, 0.3)));
        assert_eq!(shares(before, now, Duration::from_secs(3)), Some((0.2, 0.0)), "ticks are coarse");
        assert_eq!(shares(before, Ticks { all: 1_009.0, ..now }, Duration::ZERO), None);
    }
}
