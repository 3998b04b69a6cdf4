//! Which cores have a row where there are more cores than rows: all while they fit; then those on which something
//! happened, if the others fit into a line; then two in a row; then the busiest.

use super::{Lanes, Window};
use crate::fact::Cpu;
use crate::scene::Scene;
use crate::view::theme::{Charset, ColourDepth};
use ratatui::layout::Rect;
use std::cmp::Reverse;

/// A core with fewer switches than one in so many of the busiest core's, and less of its time, is as good as quiet.
const ASIDE: u64 = 50;

/// What one row of the picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    One(Cpu),
    Two(Cpu, Option<Cpu>),
    /// So many cores more, of which nothing is shown.
    Rest(usize),
    /// So many cores on which nobody of the run was, or hardly anybody.
    Quiet(usize, Hardly),
}

/// How quiet cores are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hardly {
    Nobody,
    Anybody,
}

impl Row {
    /// Whether this is the lane, or half of it, of `cpu`.
    pub(super) fn holds(self, cpu: Cpu) -> bool {
        match self {
            Self::One(a) => a == cpu,
            Self::Two(a, b) => a == cpu || b == Some(cpu),
            Self::Rest(_) | Self::Quiet(..) => false,
        }
    }

    pub(super) fn is_lane(self) -> bool {
        matches!(self, Self::One(_) | Self::Two(..))
    }

    /// What a row says that is no lane.
    pub(super) fn words(self) -> Option<String> {
        let cores = |n| if n == 1 { "core" } else { "cores" };
        match self {
            Self::One(_) | Self::Two(..) => None,
            Self::Rest(n) => Some(format!("and {n} more {}", cores(n))),
            Self::Quiet(n, Hardly::Nobody) => Some(format!("{n} other {}: nobody of this run", cores(n))),
            Self::Quiet(n, Hardly::Anybody) => Some(format!("{n} other {}: hardly anybody of this run", cores(n))),
        }
    }
}

/// Those of `cpus` that changed hands, and how often. The demo's own start and end leave a few switches here and there: they
/// are not worth a word, or a row, beside hundreds. Who has a core alone leaves few switches, too, and is on it all the time.
pub(super) fn used(scene: &Scene, cpus: &[Cpu]) -> Vec<(u64, Cpu)> {
    let all: Vec<(u64, u64, Cpu)> =
        cpus.iter().map(|c| (scene.lanes.switches(*c), scene.lanes.ran(*c).0, *c)).collect();
    let most = |what: fn(&(u64, u64, Cpu)) -> u64| all.iter().map(what).max().unwrap_or(0);
    let (switches, ran) = (most(|c| c.0), most(|c| c.1));
    let counts = |n: u64, most: u64| n > 0 && n.saturating_mul(ASIDE) >= most;
    all.iter().filter(|c| counts(c.0, switches) || counts(c.1, ran)).map(|c| (c.0, c.2)).collect()
}

impl Lanes<'_> {
    /// Rows that the lanes take at least without hiding who ran, where quiet cores share one.
    #[must_use]
    pub fn folded(&self) -> u16 {
        let cpus = self.scene.lanes.cpus();
        let rows = self.but_quiet(cpus).map_or(cpus.len(), |rows| rows.len());
        u16::try_from(rows).unwrap_or(u16::MAX)
    }

    /// The rows of lanes, and how many more rows are left for scale and words.
    pub(super) fn rows(&self, area: Rect, cpus: &[Cpu]) -> (Vec<Row>, u16) {
        // Cores come first, then a row of words, then the scale, then a second row of words.
        let below = |rows: usize| area.height.saturating_sub(u16::try_from(rows).unwrap_or(u16::MAX)).min(3);
        if below(cpus.len()) > 0 {
            return (cpus.iter().copied().map(Row::One).collect(), below(cpus.len()));
        }
        let rows = self.fold(cpus, area.height.saturating_sub(2).max(1).min(area.height).into());
        let below = below(rows.len());
        (rows, below)
    }

    fn fold(&self, cpus: &[Cpu], room: usize) -> Vec<Row> {
        if let Some(rows) = self.but_quiet(cpus).filter(|rows| rows.len() <= room) {
            return rows;
        }
        // Two in a row are told apart by colour alone.
        let halves = self.theme.charset() == Charset::Unicode && self.theme.depth() != ColourDepth::None;
        if halves && cpus.len().div_ceil(2) <= room {
            return cpus.chunks(2).map(|pair| Row::Two(pair[0], pair.get(1).copied())).collect();
        }
        self.busiest(cpus, room)
    }

    /// The core that is pointed at has a row, whatever happened on it.
    fn pointed_at(&self) -> Option<Cpu> {
        match self.window {
            Window::Frozen { cursor: Some((cpu, _)), .. } => Some(cpu),
            _ => None,
        }
    }

    /// The used cores, and a row for all others; none if that is no row less.
    fn but_quiet(&self, cpus: &[Cpu]) -> Option<Vec<Row>> {
        let used = used(self.scene, cpus);
        let shown = |cpu: &Cpu| used.iter().any(|(_, c)| c == cpu) || self.pointed_at() == Some(*cpu);
        let (shown, quiet): (Vec<Cpu>, Vec<Cpu>) = cpus.iter().copied().partition(shown);
        let any = quiet.iter().any(|cpu| self.scene.lanes.switches(*cpu) > 0);
        let hardly = if any { Hardly::Anybody } else { Hardly::Nobody };
        (!used.is_empty() && quiet.len() > 1)
            .then(|| shown.into_iter().map(Row::One).chain([Row::Quiet(quiet.len(), hardly)]).collect())
    }

    /// Those on which tasks of the run were longest, and a row for the others.
    fn busiest(&self, cpus: &[Cpu], room: usize) -> Vec<Row> {
        let keep = room.saturating_sub(1).max(1);
        let mut chosen = cpus.to_vec();
        let pointed = |cpu: &Cpu| self.pointed_at() == Some(*cpu);
        let lanes = &self.scene.lanes;
        let busy = |cpu: &Cpu| Reverse((lanes.ran(*cpu), lanes.switches(*cpu)));
        chosen.sort_by_key(|cpu| (!pointed(cpu), busy(cpu), *cpu));
        chosen.truncate(keep);
        chosen.sort_unstable();
        let rest = cpus.len().saturating_sub(keep);
        chosen.into_iter().map(Row::One).chain((room > 1).then_some(Row::Rest(rest))).collect()
    }
}
