//! `priority`: workers of different nice values share a core, each as its weight says.
//!
//! What each had is the kernel's own account (schedstat), read for all of them at one moment by the leader: when everybody
//! is on, after each change, and every quarter of a second. So a share is that of the time since the last change.

mod rivals;

use super::Demo;
use super::company::{self, Company, MOST, round, shares};
use crate::fact::{
    As, DemoSpec, Fact, Nanos, ParamError, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Tally, Tid,
    Values,
};
use crate::stage::{Cue, Stage, now};
use rivals::Rivals;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// See the module.
pub(super) struct Priority;

/// How often the accounts are read.
const LOOK: Duration = Duration::from_millis(250);

/// A look that comes so late was held up: the run was paused, or the leader got no core. Measuring begins anew.
const LATE: Nanos = Nanos::from_millis(1000);

/// Shares of a shorter time are those of a few turns.
const ENOUGH: f64 = 1e9;

/// The part of its core's time that a company without company has at least.
const ALONE: f64 = 0.97;

/// Where the leader tells the accounts: one row, of all workers at one moment.
const TABLE: &str = "accounts";
const ROW: &str = "since the last change";

/// The weight of each nice value from -20 to 19: `sched_prio_to_weight` in the kernel's source, kernel/sched/core.c.
const WEIGHTS: [u32; 40] = [
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904, 3906, 3121, 2501,
    1991, 1586, 1277, 1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
];

static SPEC: DemoSpec = DemoSpec {
    name: "priority",
    title: "a core shared by weight",
    part: "Who runs when",
    about: "Workers that only compute share one core, each with a nice value of its own. The kernel gives each a weight by a \
            table. See what each has had of the core since the last change, and what its weight says that it should have.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "nice",
            kind: ParamKind::Ints { min: -20, max: 19, most: 16, default: &[0, 5, 10] },
            help: "the nice value of each worker, one number a worker",
        },
        company::CPU,
    ],
    returns: &[
        ReturnSpec { name: "share", kind: ReturnKind::Table, help: "share of the workers' CPU time, by letter" },
        ReturnSpec { name: "expected", kind: ReturnKind::Table, help: "the share that the weights say, by letter" },
        ReturnSpec { name: "weight", kind: ReturnKind::Table, help: "the kernel's weight, by letter" },
        ReturnSpec { name: "most_share", kind: ReturnKind::Share, help: "the largest share" },
        ReturnSpec { name: "least_share", kind: ReturnKind::Share, help: "the smallest share" },
        ReturnSpec {
            name: "largest_error",
            kind: ReturnKind::Share,
            help: "how far a share is from its weight at most",
        },
        ReturnSpec { name: "disturbed", kind: ReturnKind::Word, help: "what took time from the workers, or nothing" },
    ],
    pictures: &[Picture::Lanes, Picture::Shares, Picture::Workers],
    controls: &[company::ADD, company::REMOVE, company::NICER, company::LESS_NICE],
    self_timed: true,
    settles_ms: 3000,
    lasts_ms: |_| 3000,
    check,
    ..DemoSpec::BASE
};

fn check(params: &Params) -> Result<(), ParamError> {
    if params.ints("nice").is_empty() {
        return Err(ParamError::new("nice", &format!("takes 1 to {MOST} numbers, one for each worker")));
    }
    Ok(())
}

impl Demo for Priority {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let home = company::home(stage, &params)?;
        let mut company = Company::enter(stage, &params, params.ints("nice"))?;
        let mut measure = Measure::begin(stage, Rivals::new(home));
        loop {
            match stage.next(Some(LOOK)) {
                Cue::Steer(steer) => {
                    company.obey(stage, &steer);
                    measure = Measure::begin(stage, measure.rivals);
                }
                Cue::Ended(_) if stage.on().next().is_some() => measure = Measure::begin(stage, measure.rivals),
                Cue::Finish => {
                    measure.tell(stage);
                    return Ok(());
                }
                Cue::Ended(_) => {}
                Cue::Time if now().since(measure.looked) > LATE => measure = Measure::begin(stage, measure.rivals),
                Cue::Time => measure.tell(stage),
            }
        }
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let told = |name: &str| tally.cell(TABLE, ROW, name);
        let number = |name: &str| told(name).and_then(Value::as_f64).unwrap_or(0.0);
        let table = |name: &str| told(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let (names, ran): (Vec<String>, Vec<f64>) =
            table("ran").into_iter().map(|(name, ran)| (name, ran.as_f64().unwrap_or(0.0))).unzip();
        let nice = table("nice");
        let weights: Vec<u32> =
            names.iter().map(|name| weight(nice.get(name).and_then(Value::as_i64).unwrap_or(0))).collect();
        let had: f64 = ran.iter().sum();
        let share = shares(&ran);
        let expected = shares(&weights.iter().map(|w| f64::from(*w)).collect::<Vec<_>>());
        let error = share.iter().zip(&expected).map(|(is, should)| (is - should).abs()).reduce(f64::max);
        let taken = Taken { span: number("span_ns"), had, stolen: number("stolen_ns"), held: number("throttled_ns") };
        let known = |value: Option<f64>| value.filter(|_| had > 0.0).map_or(Value::Null, |v| json!(round(v)));
        [
            ("share", by_name(&names, share.iter().copied().filter(|_| had > 0.0))),
            ("expected", by_name(&names, expected)),
            ("weight", by_name(&names, weights)),
            ("most_share", known(share.iter().copied().reduce(f64::max))),
            ("least_share", known(share.iter().copied().reduce(f64::min))),
            ("largest_error", known(error)),
            ("disturbed", taken.by().map_or(Value::Null, |word| json!(word))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// The kernel's weight of a nice value.
fn weight(nice: i64) -> u32 {
    usize::try_from(nice + 20).ok().and_then(|n| WEIGHTS.get(n)).copied().unwrap_or(0)
}

fn by_name<T: Into<Value>>(names: &[String], values: impl IntoIterator<Item = T>) -> Value {
    names.iter().cloned().zip(values.into_iter().map(Into::into)).collect::<Map<_, _>>().into()
}

/// What became of the core's time, in nanoseconds.
struct Taken {
    /// How long the workers were measured.
    span: f64,
    /// What they had in all.
    had: f64,
    /// What the hypervisor took of the core.
    stolen: f64,
    /// How long a quota held the workers.
    held: f64,
}

impl Taken {
    /// Who had so much of the core that it is to be said; none while nothing was measured.
    fn by(&self) -> Option<&'static str> {
        let missing = self.span - self.had;
        Some(match () {
            () if self.span <= 0.0 => return None,
            () if self.span < ENOUGH => "too short a time",
            () if self.had >= self.span * ALONE => "nothing",
            () if self.held > missing / 2.0 => "a CPU quota",
            () if self.stolen > missing / 2.0 => "the hypervisor",
            () => "other tasks",
        })
    }
}

/// Where the accounts stood when everybody was on and nothing has been changed since.
struct Measure {
    rivals: Rivals,
    from: Nanos,
    looked: Nanos,
    stolen: u64,
    throttled: u64,
    ran: BTreeMap<Tid, u64>,
}

impl Measure {
    fn begin(stage: &mut Stage, rivals: Rivals) -> Self {
        let from = now();
        let ran = stage.on().filter_map(|n| stage.cast().get(n)).filter_map(|e| Some((e.tid, ran(e.tid)?))).collect();
        let measure = Self { from, looked: from, stolen: rivals.stolen(), throttled: rivals.throttled(), rivals, ran };
        let real: Vec<(Tid, i32)> = measure.ran.keys().filter_map(|tid| Some((*tid, nice(*tid)?))).collect();
        for (tid, nice) in real {
            // Not what was asked for but what holds: it may be inherited, or refused.
            stage.tell(Fact::Setting { tid, nice: Some(nice), cpus: None });
        }
        measure
    }

    /// Tells what each had since, all in one row.
    fn tell(&mut self, stage: &mut Stage) {
        self.looked = now();
        let names: Vec<(String, Tid)> =
            stage.on().filter_map(|n| stage.cast().get(n)).map(|entry| (entry.name.clone(), entry.tid)).collect();
        let mut had = Map::new();
        let mut nices = Map::new();
        for (name, tid) in names {
            if let (Some(before), Some(after), Some(nice)) = (self.ran.get(&tid), ran(tid), nice(tid)) {
                had.insert(name.clone(), json!(after.saturating_sub(*before)));
                nices.insert(name, json!(nice));
            }
        }
        let values: Values = [
            ("span_ns", json!(self.looked.since(self.from).0)),
            ("stolen_ns", json!(self.rivals.stolen().saturating_sub(self.stolen))),
            ("throttled_ns", json!(self.rivals.throttled().saturating_sub(self.throttled))),
            ("ran", Value::Object(had)),
            ("nice", Value::Object(nices)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        stage.tell(Fact::Row { table: TABLE.to_owned(), row: ROW.to_owned(), values });
    }
}

/// Nanoseconds that a task had on a core: the first field of its schedstat. While it runs, it is brought up to date at each
/// tick only; a thread's file can be opened by its own id, though no listing of /proc shows it (proc(5)).
fn ran(tid: Tid) -> Option<u64> {
    fs::read_to_string(format!("/proc/{tid}/task/{tid}/schedstat")).ok()?.split_ascii_whitespace().next()?.parse().ok()
}

/// The nice value that holds for a task.
fn nice(tid: Tid) -> Option<i32> {
    let id = rustix::process::Pid::from_raw(i32::try_from(tid.0).ok()?)?;
    rustix::process::getpriority_process(Some(id)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Row;

    fn told(values: Value) -> Values {
        let mut tally = Tally::default();
        let values = serde_json::from_value(values).expect("an object");
        let row = Row { name: ROW.to_owned(), first: Nanos::ZERO, last: Nanos::ZERO, values };
        tally.tables.insert(TABLE.to_owned(), vec![row]);
        Priority.outcome(&Params::defaults(&SPEC), &tally)
    }

    #[test]
    fn shares_are_held_against_the_weights() {
        let values = told(json!({
            "span_ns": 3_000_000_000_u64, "stolen_ns": 0, "throttled_ns": 0,
            "ran": {"A": 2_100_000_000, "B": 660_000_000, "C": 240_000_000}, "nice": {"A": 0, "B": 5, "C": 10},
        }));
        assert_eq!(values["share"], json!({"A": 0.7, "B": 0.22, "C": 0.08}));
        assert_eq!(values["expected"], json!({"A": 0.6971, "B": 0.2280, "C": 0.0749}));
        assert_eq!(values["weight"], json!({"A": 1024, "B": 335, "C": 110}));
        assert_eq!((&values["most_share"], &values["least_share"]), (&json!(0.7), &json!(0.08)));
        assert_eq!((&values["largest_error"], &values["disturbed"]), (&json!(0.008), &json!("nothing")));
    }

    #[test]
    fn what_was_not_measured_is_not_known() {
        for values in [told(json!({})), told(json!({"span_ns": 0, "ran": {"A": 0}, "nice": {"A": 0}}))] {
            assert_eq!(values["share"], json!({}));
            for name in ["most_share", "least_share", "largest_error", "disturbed"] {
                assert_eq!(values[name], Value::Null, "{name}");
            }
        }
    }

    #[test]
    fn who_disturbed_it_is_said() {
        let by = |span: f64, had: f64, stolen: f64, held: f64| Taken { span, had, stolen, held }.by();
        assert_eq!(by(0.0, 0.0, 0.0, 0.0), None);
        assert_eq!(by(0.9e9, 0.5e9, 0.0, 0.0), Some("too short a time"));
        assert_eq!(by(3e9, 2.95e9, 1e9, 1e9), Some("nothing"));
        assert_eq!(by(3e9, 2.0e9, 0.1e9, 0.0), Some("other tasks"));
        assert_eq!(by(3e9, 2.0e9, 0.6e9, 0.0), Some("the hypervisor"));
        assert_eq!(by(3e9, 0.3e9, 0.0, 2.7e9), Some("a CPU quota"));
    }

    #[test]
    fn each_step_of_nice_divides_the_weight_by_about_a_fourth_more() {
        assert_eq!([weight(-20), weight(0), weight(19), weight(20), weight(-21)], [88761, 1024, 15, 0, 0]);
        for pair in WEIGHTS.windows(2) {
            let factor = f64::from(pair[0]) / f64::from(pair[1]);
            assert!((1.18..1.30).contains(&factor), "{pair:?}: {factor}");
        }
    }

    #[test]
    fn no_worker_is_refused() {
        let error = Params::from_words(&SPEC, &["nice="]).expect_err("nobody");
        assert_eq!(error[0].sentence, "nice takes 1 to 16 numbers, one for each worker");
    }

    #[test]
    fn our_own_account_and_nice_value_can_be_read() {
        let tid = Tid(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs());
        assert!(ran(tid).is_some() && nice(tid).is_some());
    }
}
