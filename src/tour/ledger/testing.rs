//! Claims tested from the screen: one run after the other, each judged as the command judges it.

use super::super::event::{Effect, Memory, StartRun};
use super::super::{Tour, Watch};
use super::{Side, Told};
use crate::fact::{DemoSpec, Params, RunId, Values};
use crate::lore::{self, Came, Fault};
use crate::scene::Scene;
use std::collections::BTreeSet;

/// A run, and the claims that it answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The demo.
    pub spec: &'static DemoSpec,
    /// Its parameters.
    pub params: Params,
    /// The claims, by number.
    pub claims: Vec<usize>,
}

impl Batch {
    /// The parameters that differ from the demo's defaults.
    #[must_use]
    pub fn given(&self) -> Values {
        let differs = |name: &str, value| self.spec.param(name).is_none_or(|param| param.kind.default() != value);
        let given = self.params.values().iter().filter(|(name, value)| differs(name, (*value).clone()));
        given.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// What is being tested.
#[derive(Debug, Clone, PartialEq)]
pub struct Testing {
    /// The runs, in their order.
    pub runs: Vec<Batch>,
    /// Which of them goes on, from 0.
    pub at: usize,
    /// Seconds that those before it took.
    pub took: f64,
    /// The learner stopped it.
    pub stopped: bool,
    /// The values of the run, when they could first be judged.
    settled: Option<Values>,
    /// The run did not end in time.
    late: bool,
    /// Claims that have their verdict.
    judged: BTreeSet<usize>,
}

impl Testing {
    fn new(runs: Vec<Batch>) -> Self {
        Self { runs, at: 0, took: 0.0, stopped: false, settled: None, late: false, judged: BTreeSet::new() }
    }

    /// The run that goes on.
    #[must_use]
    pub fn now(&self) -> Option<&Batch> {
        self.runs.get(self.at)
    }

    /// Seconds that are left, if the rest takes as long as those before did; none before the first is over.
    #[must_use]
    pub fn left(&self) -> Option<f64> {
        let (done, all) = (u32::try_from(self.at).ok()?, u32::try_from(self.runs.len()).ok()?);
        (done > 0).then(|| self.took / f64::from(done) * f64::from(all.saturating_sub(done)))
    }

    /// No run follows the one that goes on.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }

    /// Goes on to the next run, if there is one.
    fn next(&mut self) -> bool {
        self.at += 1;
        (self.settled, self.late) = (None, false);
        !self.stopped && self.at < self.runs.len()
    }
}

impl Tour {
    /// Space: test the chosen claim, or end what goes on.
    pub(super) fn test(&mut self) -> Vec<Effect> {
        if self.page().is_some_and(|page| page.testing.is_some()) {
            return self.stop_testing();
        }
        let Some((n, claim)) = self.chosen_claim() else { return Vec::new() };
        let said = self.recall.beliefs.contains_key(&claim.id);
        let Some(batch) = self.claims.batch_of(n).cloned() else {
            self.notice = Some("No run could answer this one; say what you believe, and it is told why.".to_owned());
            return Vec::new();
        };
        if let Some(page) = self.page_mut().filter(|page| !said && page.warned != Some(n)) {
            page.warned = Some(n);
            self.notice = Some("First say what you believe; space again tests it all the same.".to_owned());
            return Vec::new();
        }
        if let Some(page) = self.page_mut() {
            page.side = Side::Stage;
        }
        self.begin(vec![batch])
    }

    /// Tests the listed claims that have no verdict of this machine, or, if all have one, all of them again; or stops.
    pub(super) fn test_all(&mut self) -> Vec<Effect> {
        if self.page().is_some_and(|page| page.testing.is_some()) {
            return self.stop_testing();
        }
        let testable = |n: &usize| self.claims.get(*n).is_some_and(|claim| claim.test.is_some());
        let listed: Vec<_> = self.listed().into_iter().filter(testable).collect();
        let told = |n: &usize| self.claims.get(*n).and_then(|claim| self.told(claim));
        let left: Vec<_> =
            listed.iter().copied().filter(|n| told(n).is_none_or(|told| told.elsewhere.is_some())).collect();
        let wanted = if left.is_empty() { listed } else { left };
        let is_wanted = |batch: &&Batch| batch.claims.iter().any(|claim| wanted.contains(claim));
        let runs: Vec<_> = self.claims.batches().iter().filter(is_wanted).cloned().collect();
        if runs.is_empty() {
            self.notice = Some("No claim that is listed could be tested by a run.".to_owned());
            return Vec::new();
        }
        self.begin(runs)
    }

    fn begin(&mut self, runs: Vec<Batch>) -> Vec<Effect> {
        if let Some(page) = self.page_mut() {
            page.testing = Some(Testing::new(runs));
        }
        self.start_test()
    }

    fn start_test(&mut self) -> Vec<Effect> {
        let run = self.next_run();
        let Some(page) = self.page_mut() else { return Vec::new() };
        let Some(batch) = page.testing.as_ref().and_then(Testing::now).cloned() else { return Vec::new() };
        page.watch = Some(Watch::new(run, batch.spec, batch.params.values()));
        let (demo, params) = (batch.spec.name.to_owned(), batch.given());
        page.on_stage = batch.claims;
        vec![Effect::Start(StartRun { run, demo, params })]
    }

    /// The run is asked to end, and none follows.
    fn stop_testing(&mut self) -> Vec<Effect> {
        let Some(page) = self.page_mut() else { return Vec::new() };
        if let Some(testing) = &mut page.testing {
            testing.stop();
        }
        if let Some(watch) = &mut page.watch {
            watch.asked_to_end = true;
        }
        vec![Effect::Finish]
    }

    /// Whether `run` is the one that is being tested.
    fn tests(&self, run: RunId) -> bool {
        let here = self.page().filter(|page| page.testing.is_some());
        here.and_then(|page| page.watch.as_ref()).is_some_and(|watch| watch.run == run && watch.running)
    }

    /// The values can be judged: they are, and the demo is asked to end.
    pub(in crate::tour) fn test_settled(&mut self, run: RunId, scene: &Scene) -> Vec<Effect> {
        if !self.tests(run) {
            return Vec::new();
        }
        let values = scene.values().clone();
        let testing = self.page_mut().and_then(|page| page.testing.as_mut());
        let Some(testing) = testing.filter(|testing| testing.settled.is_none()) else { return Vec::new() };
        testing.settled = Some(values.clone());
        let mut effects = self.answer(&Ok(values));
        effects.push(Effect::Finish);
        effects
    }

    /// The run should have settled or ended long ago.
    pub(in crate::tour) fn test_late(&mut self, run: RunId) -> Vec<Effect> {
        if !self.tests(run) {
            return Vec::new();
        }
        if let Some(testing) = self.page_mut().and_then(|page| page.testing.as_mut()) {
            testing.late = true;
        }
        vec![Effect::Finish]
    }

    /// The run has ended: it is judged if it was not, and the next one begins.
    pub(in crate::tour) fn test_over(&mut self, run: RunId, scene: &Scene) -> Vec<Effect> {
        if !self.tests(run) {
            return Vec::new();
        }
        let Some(page) = self.page_mut() else { return Vec::new() };
        let early = page.watch.as_ref().is_some_and(|watch| watch.asked_to_end);
        let Some(testing) = &mut page.testing else { return Vec::new() };
        let (settled, late) = (testing.settled.clone(), testing.late);
        testing.took += scene.outcome.as_ref().map_or(0.0, |outcome| outcome.seconds);
        let came = match &scene.outcome {
            _ if late && settled.is_none() => lore::too_late(),
            Some(outcome) => lore::came(outcome, settled.as_ref()),
            None => Err(Fault::Broke("it ended without an outcome".to_owned())),
        };
        // What the learner ended says nothing; what was judged stays, unless the run broke after it.
        let judged = if settled.is_some() { came.is_err() && !early } else { !early };
        let mut effects = if judged { self.answer(&came) } else { Vec::new() };
        effects.extend(self.next_test());
        effects
    }

    /// The run could not even be started.
    pub(in crate::tour) fn test_refused(&mut self, sentence: String) -> Vec<Effect> {
        if self.page().is_none_or(|page| page.testing.is_none()) {
            return Vec::new();
        }
        let mut effects = self.answer(&Err(Fault::Refused(sentence)));
        effects.extend(self.next_test());
        effects
    }

    fn next_test(&mut self) -> Vec<Effect> {
        let Some(page) = self.page_mut() else { return Vec::new() };
        if let Some(watch) = &mut page.watch {
            watch.running = false;
        }
        if page.testing.as_mut().is_some_and(Testing::next) {
            return self.start_test();
        }
        let Some(testing) = page.testing.take() else { return Vec::new() };
        if page.side == Side::Stage {
            page.side = Side::Claim;
        }
        let (judged, runs) = (testing.judged.len(), testing.runs.len());
        self.notice = match (testing.stopped, runs) {
            (true, 1) if judged == 0 => {
                Some("You ended it before it could be judged. Space tests it again.".to_owned())
            }
            (_, 1) => None,
            (true, _) => Some(format!("Stopped in run {} of {runs}: {judged} claims have their verdict.", testing.at)),
            (false, _) => Some(format!("Tested in {runs} runs: {judged} claims have their verdict.")),
        };
        Vec::new()
    }

    /// Judges the claims of the run that goes on.
    fn answer(&mut self, came: &Came) -> Vec<Effect> {
        let Some(page) = self.page() else { return Vec::new() };
        let cursor = page.cursor;
        let Some(batch) = page.testing.as_ref().and_then(Testing::now).cloned() else { return Vec::new() };
        let listed = self.listed().contains(&cursor);
        let mut effects = Vec::new();
        for n in &batch.claims {
            let Some(claim) = self.claims.get(*n) else { continue };
            let lore::Judgement { verdict, because, shown, .. } = lore::judge(claim, Some(came), self.claims.lang);
            let claim = claim.id.clone();
            let told = Told { verdict, because, shown, elsewhere: None };
            self.recall.answers.insert(claim.clone(), told.clone());
            effects.push(Effect::Remember(Memory::Answered { claim, told }));
        }
        if let Some(page) = self.page_mut() {
            if listed && batch.claims.contains(&cursor) {
                page.stays = Some(cursor);
                page.scroll = 0;
            }
            if let Some(testing) = &mut page.testing {
                testing.judged.extend(&batch.claims);
            }
        }
        effects
    }
}
