//! Workers that share one core and only compute, for the demos about them: how they come on, what the learner can do to
//! them, and how much of the core each had. No demo itself.

use crate::fact::{
    Arg, As, Control, Cpu, Fact, Nanos, On, ParamKind, ParamSpec, Params, Source, Steer, TaskTally, Unavailable,
};
use crate::stage::{Settings, Stage};

/// Workers that can be on at a time.
pub(super) const MOST: i64 = 16;

/// The core that they share.
pub(super) const CPU: ParamSpec = ParamSpec { name: "cpu", kind: ParamKind::Cpu, help: "the core they share" };

pub(super) const ADD: Control = Control { key: '+', verb: "add", label: "add a worker", on: On::Demo, arg: Arg::None };
pub(super) const REMOVE: Control =
    Control { key: '-', verb: "remove", label: "remove the chosen worker", on: On::Worker, arg: Arg::None };
pub(super) const NICER: Control =
    Control { key: 'i', verb: "nice", label: "nicer: gives way", on: On::Worker, arg: Arg::By(1) };
pub(super) const LESS_NICE: Control =
    Control { key: 'I', verb: "nice", label: "less nice: pushes", on: On::Worker, arg: Arg::By(-1) };

/// The core that `params` name, or the first that is allowed.
///
/// # Errors
/// forklore may not use the core that is named.
pub(super) fn home(stage: &Stage, params: &Params) -> Result<Cpu, Unavailable> {
    let first = stage.cpus().first().copied().unwrap_or(Cpu(0));
    let home = params.maybe("cpu").and_then(|n| u32::try_from(n).ok()).map_or(first, Cpu);
    // The kernel would take it: an affinity mask is no lock, and its own owner may widen it (sched_setaffinity(2)).
    if !stage.cpus().is_empty() && !stage.cpus().contains(&home) {
        let why = format!("forklore may not use core {} (its affinity mask, or its cpuset)", home.0);
        return Err(Unavailable::new("a worker on that core", why));
    }
    Ok(home)
}

/// Time on the core: from the lanes, or from the kernel's account where the lanes are only sampled.
pub(super) fn ran(worker: &TaskTally, source: Option<Source>, now: Nanos) -> Nanos {
    match (source, &worker.counters) {
        (Some(Source::Sampled), Some(account)) => account.ran,
        _ => worker.ran_until(now),
    }
}

/// Times that it left its core, from the kernel's account where the lanes are only sampled.
pub(super) fn switches(worker: &TaskTally, source: Option<Source>) -> u64 {
    match (source, &worker.counters) {
        (Some(Source::Sampled), Some(account)) => account.voluntary + account.involuntary,
        _ => worker.switches,
    }
}

/// Shares are shown and compared to a tenth of a per mille; more would be noise.
pub(super) fn round(share: f64) -> f64 {
    (share * 1e4).round() / 1e4
}

/// What part of all of them each is; nothing of nothing.
pub(super) fn shares(parts: &[f64]) -> Vec<f64> {
    let all: f64 = parts.iter().sum();
    parts.iter().map(|part| if all > 0.0 { round(part / all) } else { 0.0 }).collect()
}

/// What the leader remembers of its workers' settings.
pub(super) struct Company {
    what: As,
    home: Cpu,
    nice: Vec<i32>,
    pinned: Vec<Option<Cpu>>,
}

impl Company {
    /// Brings on a worker for each of `nice`.
    ///
    /// # Errors
    /// The machine refuses the core or one of the workers.
    pub(super) fn enter(
        stage: &mut Stage,
        params: &Params,
        nice: impl IntoIterator<Item = i64>,
    ) -> Result<Self, Unavailable> {
        let home = home(stage, params)?;
        let mut company = Self { what: params.workers_as(), home, nice: Vec::new(), pinned: Vec::new() };
        for nice in nice {
            company.add(stage, i32::try_from(nice).unwrap_or(0))?;
        }
        Ok(company)
    }

    fn add(&mut self, stage: &mut Stage, nice: i32) -> Result<(), Unavailable> {
        if stage.on().count() >= usize::try_from(MOST).unwrap_or(0) {
            return Err(Unavailable::new("another worker", format!("{MOST} are enough for one core")));
        }
        let settings = Settings { cpus: vec![self.home], nice };
        stage.enter(self.what, &settings, |worker| {
            worker.spin();
        })?;
        self.nice.push(nice);
        self.pinned.push(Some(self.home));
        Ok(())
    }

    /// Does what the learner wishes; what the machine refuses is told.
    pub(super) fn obey(&mut self, stage: &mut Stage, steer: &Steer) {
        if let Err(refused) = self.act(stage, steer) {
            stage.tell(Fact::Refused(refused));
        }
    }

    fn act(&mut self, stage: &mut Stage, steer: &Steer) -> Result<(), Unavailable> {
        let chosen = steer.worker.as_deref().and_then(|name| stage.find(name));
        match (steer.verb.as_str(), chosen) {
            ("add", _) => self.add(stage, 0),
            ("remove", chosen) => {
                if stage.on().count() <= 1 {
                    return Err(Unavailable::new(
                        "removing the last worker",
                        "with nobody on the core there is nothing to see",
                    ));
                }
                let last = stage.on().next_back();
                if let Some(number) = chosen.or(last) {
                    stage.dismiss(&[number]);
                }
                Ok(())
            }
            ("nice", Some(number)) => {
                let by = i32::try_from(steer.value.as_i64().unwrap_or(0)).unwrap_or(0);
                let Some(nice) = self.nice.get_mut(number) else { return Ok(()) };
                let wanted = nice.saturating_add(by).clamp(-20, 19);
                stage.nice(number, wanted)?;
                *nice = wanted;
                Ok(())
            }
            ("pin", Some(number)) => self.pin_on(stage, number),
            _ => Ok(()),
        }
    }

    /// From core to core, then to all, then to the first again.
    fn pin_on(&mut self, stage: &mut Stage, number: usize) -> Result<(), Unavailable> {
        let all = stage.cpus().to_vec();
        let Some(pinned) = self.pinned.get_mut(number) else { return Ok(()) };
        let next = match *pinned {
            None => all.first().copied(),
            Some(cpu) => all.iter().position(|c| *c == cpu).and_then(|at| all.get(at + 1)).copied(),
        };
        let cpus = next.map_or(all, |cpu| vec![cpu]);
        stage.pin(number, &cpus)?;
        *pinned = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_make_up_one_and_nothing_of_nothing() {
        assert_eq!(shares(&[3.0, 1.0]), [0.75, 0.25]);
        assert_eq!(shares(&[1.0, 1.0, 1.0]), [0.3333; 3]);
        assert_eq!((shares(&[0.0, 0.0]), shares(&[])), (vec![0.0, 0.0], vec![]));
    }
}
