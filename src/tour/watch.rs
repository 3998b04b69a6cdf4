//! How a run is looked at: zoom, pause, cursor, chosen worker, and the demo's own controls.

use super::event::Effect;
use crate::fact::{Arg, Control, Cpu, DemoSpec, Nanos, On, ParamKind, Picture, RunId, Steer};
use crate::scene::Scene;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Milliseconds that a column of the lanes can be.
pub const ZOOMS: [u64; 10] = [1, 2, 5, 10, 20, 40, 100, 200, 500, 1000];

/// The zoom to begin with: 2 ms a column, so that a turn of some milliseconds is a few columns wide.
const ZOOM: usize = 1;

/// Columns that a page key moves.
const PAGE: i64 = 40;

/// How a run is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    /// Which run.
    pub run: RunId,
    /// Its demo.
    pub spec: &'static DemoSpec,
    /// It goes on.
    pub running: bool,
    /// The learner asked it to end.
    pub asked_to_end: bool,
    /// The learner used a key that changes what the lesson speaks of.
    pub changed: bool,
    /// It was recorded, not run here.
    pub recorded: bool,
    /// Which of [`ZOOMS`].
    pub zoom: usize,
    /// Which of the demo's pictures is the large one.
    pub picture: usize,
    /// How far the pictures are scrolled, where they have no room.
    pub scrolled: Scrolled,
    /// The cursor, while paused.
    pub paused: Option<Paused>,
    /// The chosen worker's letter; the first living one if none.
    pub chosen: Option<String>,
    /// For each choice parameter that a control changes: which word.
    pub choices: BTreeMap<&'static str, usize>,
}

/// How far the pictures on the stage are scrolled, in rows, as the screen found when it drew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scrolled {
    /// Rows above what is seen.
    pub at: usize,
    /// Rows that it can be scrolled.
    pub beyond: usize,
    /// Rows that are seen at once.
    pub page: usize,
    /// The learner scrolled it. Until then the screen decides which part is seen first.
    pub by_hand: bool,
}

impl Scrolled {
    /// Scrolls by so many rows; down is positive.
    pub(super) fn by(&mut self, rows: isize) {
        if self.beyond > 0 {
            *self = Self { at: self.at.saturating_add_signed(rows).min(self.beyond), by_hand: true, ..*self };
        }
    }

    /// Takes over what the screen found.
    pub(super) fn found(&mut self, found: Self) {
        *self = Self { at: found.at.min(found.beyond), by_hand: self.by_hand, ..found };
    }
}

/// Where the cursor is on the lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paused {
    /// The moment.
    pub at: Nanos,
    /// The core.
    pub cpu: Cpu,
}

/// What can be done to the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchAction {
    /// Keep the picture as it is.
    Pause,
    /// Go on.
    Resume,
    /// A column back.
    Earlier,
    /// A column on.
    Later,
    /// A page back.
    PageBack,
    /// A page on.
    PageOn,
    /// To the earliest moment that is kept.
    Earliest,
    /// To the newest.
    Latest,
    /// The core above.
    LaneUp,
    /// The core below.
    LaneDown,
    /// The turn after this one.
    NextSlice,
    /// The turn before this one.
    PreviousSlice,
    /// Less time a column.
    ZoomIn,
    /// More.
    ZoomOut,
    /// The next picture.
    Picture,
    /// A row up on the pictures.
    RowUp,
    /// A row down.
    RowDown,
    /// As many rows up as are seen.
    ScreenUp,
    /// As many down.
    ScreenDown,
    /// To the top of the pictures.
    Top,
    /// To their end.
    Bottom,
    /// The next worker.
    NextWorker,
    /// The worker before.
    PreviousWorker,
}

impl Watch {
    pub(super) fn new(run: RunId, spec: &'static DemoSpec, params: &crate::fact::Values) -> Self {
        let mut choices = BTreeMap::new();
        for control in spec.controls {
            if let Arg::Choice { param, .. } = control.arg
                && let Some(ParamKind::Choice(words)) = spec.param(param).map(|p| &p.kind)
            {
                let word = params.get(param).and_then(Value::as_str);
                choices.insert(param, words.iter().position(|w| Some(*w) == word).unwrap_or(0));
            }
        }
        let chosen = named_worker(spec, params).map(str::to_owned);
        Self {
            run,
            spec,
            running: true,
            asked_to_end: false,
            changed: false,
            recorded: false,
            zoom: ZOOM,
            picture: 0,
            scrolled: Scrolled::default(),
            paused: None,
            chosen,
            choices,
        }
    }

    pub(super) fn recorded(run: RunId, spec: &'static DemoSpec) -> Self {
        Self { running: false, recorded: true, ..Self::new(run, spec, &BTreeMap::new()) }
    }

    /// The width of a column.
    #[must_use]
    pub fn column(&self) -> Nanos {
        Nanos::from_millis(ZOOMS.get(self.zoom).copied().unwrap_or(20))
    }

    /// The chosen worker's letter: the one that was chosen, or that a parameter of the demo names, if it is there; or else
    /// the first that is alive.
    #[must_use]
    pub fn chosen<'a>(&self, scene: &'a Scene) -> Option<&'a str> {
        let named = scene.tally.start.as_ref().and_then(|start| named_worker(self.spec, &start.params));
        let by_name = self.chosen.as_deref().or(named).and_then(|name| scene.tally.worker(name));
        let first = || scene.tally.workers().find(|w| w.alive());
        by_name.or_else(first).map(|w| w.name.as_str())
    }

    /// The word that the choice parameter `param` stands at.
    #[must_use]
    pub fn choice(&self, param: &str) -> Option<&'static str> {
        let ParamKind::Choice(words) = &self.spec.param(param)?.kind else { return None };
        words.get(*self.choices.get(param)?).copied()
    }

    /// A key of the demo's own; none if it is not one, a sentence if it cannot be done now.
    pub(super) fn control(&mut self, key: char, scene: &Scene) -> Option<Result<Vec<Effect>, String>> {
        if self.paused.is_some() && self.has_key(key) {
            // What it does would not be seen.
            return Some(Err("The picture is paused. p lets it go on, and then this key counts.".to_owned()));
        }
        for control in self.spec.controls {
            if let Arg::Choice { param, next } = control.arg
                && next == key
            {
                let ParamKind::Choice(words) = &self.spec.param(param)?.kind else { return None };
                let at = self.choices.entry(param).or_default();
                *at = (*at + 1) % words.len().max(1);
                return Some(Ok(Vec::new()));
            }
        }
        let control = self.spec.controls.iter().find(|c| c.key == key)?;
        let value = match control.arg {
            Arg::None => Value::Null,
            Arg::By(n) => json!(n),
            Arg::Choice { param, .. } => json!(self.choice(param)?),
        };
        let worker = match (control.on, self.chosen(scene)) {
            (On::Demo, _) => None,
            (On::Worker, Some(name)) => Some(name.to_owned()),
            (On::Worker, None) => return Some(Err("There is no worker to do that to.".to_owned())),
        };
        self.changed |= self.spec.keys_change_it;
        Some(Ok(vec![Effect::Steer(Steer { verb: control.verb.to_owned(), worker, value })]))
    }

    /// Whether a key is one of the demo's own.
    fn has_key(&self, key: char) -> bool {
        let of =
            |control: &Control| control.key == key || matches!(control.arg, Arg::Choice { next, .. } if next == key);
        self.spec.controls.iter().any(of)
    }

    pub(super) fn act(&mut self, action: WatchAction, scene: &Scene) -> Vec<Effect> {
        match action {
            WatchAction::Pause => return self.pause(scene),
            WatchAction::Resume => {
                self.paused = None;
                return vec![Effect::Release];
            }
            WatchAction::Earlier => self.move_columns(-1, scene),
            WatchAction::Later => self.move_columns(1, scene),
            WatchAction::PageBack => self.move_columns(-PAGE, scene),
            WatchAction::PageOn => self.move_columns(PAGE, scene),
            WatchAction::Earliest => self.move_to(scene.lanes.earliest()),
            WatchAction::Latest => self.move_to(scene.now()),
            WatchAction::LaneUp => self.move_lane(-1, scene),
            WatchAction::LaneDown => self.move_lane(1, scene),
            WatchAction::NextSlice => self.move_slice(true, scene),
            WatchAction::PreviousSlice => self.move_slice(false, scene),
            WatchAction::ZoomIn => self.zoom = self.zoom.saturating_sub(1),
            WatchAction::ZoomOut => self.zoom = (self.zoom + 1).min(ZOOMS.len() - 1),
            WatchAction::Picture => {
                self.picture = (self.picture + 1) % self.spec.pictures.len().max(1);
                self.scrolled = Scrolled::default();
            }
            WatchAction::RowUp => self.scrolled.by(-1),
            WatchAction::RowDown => self.scrolled.by(1),
            WatchAction::ScreenUp => self.scrolled.by(-self.screen()),
            WatchAction::ScreenDown => self.scrolled.by(self.screen()),
            WatchAction::Top => self.scrolled.by(isize::MIN),
            WatchAction::Bottom => self.scrolled.by(isize::MAX),
            WatchAction::NextWorker => self.choose(1, scene),
            WatchAction::PreviousWorker => self.choose(-1, scene),
        }
        Vec::new()
    }

    /// Rows that a page key moves: one that was seen stays in sight.
    fn screen(&self) -> isize {
        isize::try_from(self.scrolled.page.saturating_sub(1).max(1)).unwrap_or(1)
    }

    /// Whether the demo shows who ran when, so that a moment can be looked at.
    #[must_use]
    pub fn has_lanes(&self) -> bool {
        self.spec.pictures.contains(&Picture::Lanes)
    }

    fn pause(&mut self, scene: &Scene) -> Vec<Effect> {
        let Some(cpu) = busiest(scene) else { return Vec::new() };
        self.pause_at(cpu, self.last_seen(scene).unwrap_or(scene.now()), scene)
    }

    /// After the end, where there is something to look at: the end of the last turn that fills a column. Workers may have
    /// left, or slept, long before their demo ended, and what they do at the end itself is over in no time.
    #[must_use]
    pub fn last_seen(&self, scene: &Scene) -> Option<Nanos> {
        let fills = Nanos(self.column().0 / 2);
        let seen = || scene.lanes.latest(fills).or_else(|| scene.lanes.latest(Nanos::ZERO));
        if self.running { None } else { seen() }
    }

    /// Pauses, if it is not paused already, with the cursor there.
    pub(super) fn pause_at(&mut self, cpu: Cpu, at: Nanos, scene: &Scene) -> Vec<Effect> {
        let fresh = self.paused.is_none();
        self.paused = Some(Paused { at: at.min(scene.now()), cpu });
        if fresh { vec![Effect::Hold] } else { Vec::new() }
    }

    fn move_to(&mut self, at: Nanos) {
        if let Some(paused) = &mut self.paused {
            paused.at = at;
        }
    }

    fn move_columns(&mut self, columns: i64, scene: &Scene) {
        let width = self.column().0;
        let Some(paused) = &mut self.paused else { return };
        let by = i64::try_from(width).unwrap_or(0).saturating_mul(columns);
        let at = Nanos(paused.at.0.saturating_add_signed(by));
        paused.at = at.clamp(scene.lanes.earliest().min(scene.now()), scene.now());
    }

    fn move_lane(&mut self, by: isize, scene: &Scene) {
        let Some(paused) = &mut self.paused else { return };
        let cpus = scene.lanes.cpus();
        let at = cpus.iter().position(|c| *c == paused.cpu).unwrap_or(0);
        if let Some(cpu) = at.checked_add_signed(by).and_then(|n| cpus.get(n)) {
            paused.cpu = *cpu;
        }
    }

    fn move_slice(&mut self, on: bool, scene: &Scene) {
        let Some(paused) = &mut self.paused else { return };
        let lanes = &scene.lanes;
        let here = lanes.slice_at(paused.cpu, paused.at);
        let next = match (here, on) {
            (Some(slice), true) => lanes.slice_after(paused.cpu, slice.from),
            (Some(slice), false) => lanes.slice_before(paused.cpu, slice.from),
            // Before the first of them.
            (None, true) => lanes.slice_after(paused.cpu, Nanos::ZERO),
            (None, false) => None,
        };
        if let Some(slice) = next {
            paused.at = slice.from;
        }
    }

    /// The next living worker, in the order of the letters, from the chosen one on, be that one alive or not.
    fn choose(&mut self, by: isize, scene: &Scene) {
        let workers: Vec<_> = scene.tally.workers().collect();
        let chosen = self.chosen(scene);
        let at = workers.iter().position(|w| Some(w.name.as_str()) == chosen);
        let count = isize::try_from(workers.len()).unwrap_or(0);
        let from = at.and_then(|at| isize::try_from(at).ok()).unwrap_or(if by > 0 { -1 } else { 0 });
        let order = (1..=count).filter_map(|n| usize::try_from((from + n * by).rem_euclid(count)).ok());
        if let Some(next) = order.filter_map(|n| workers.get(n)).find(|w| w.alive()) {
            self.chosen = Some(next.name.clone());
        }
    }
}

/// The worker that the first letter among the demo's parameters names.
fn named_worker<'a>(spec: &DemoSpec, params: &'a crate::fact::Values) -> Option<&'a str> {
    let letter = spec.params.iter().find(|p| matches!(p.kind, ParamKind::Letter(_)))?;
    params.get(letter.name)?.as_str()
}

/// The core with the most switches: where there is something to see.
fn busiest(scene: &Scene) -> Option<Cpu> {
    let cpus = scene.lanes.cpus();
    cpus.iter().rev().max_by_key(|cpu| scene.lanes.switches(**cpu)).copied()
}
