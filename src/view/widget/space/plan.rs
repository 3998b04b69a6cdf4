//! Which rows an address space is drawn in: what is far apart is parted by a break, what lies close together is enlarged, and
//! where rows are few, neighbours share one, those that matter least first.

use super::model::{Area, Model};
use std::collections::BTreeSet;

/// A gap of at least so many bytes parts what is enlarged together.
const FAR: u64 = 1 << 30;
/// A gap of fewer bytes has no row of its own; where rows are few, none within a lens has.
const NEAR: u64 = 1 << 20;
/// What it may cost to join neighbours before gaps are left out.
const CHEAP: u32 = 2;
/// What it may cost to make room for a scale: that of two regions that are neither the program's nor a stack nor a heap.
const MINOR: u32 = 3;
/// A region of so many bytes is large, whatever it is.
const LARGE: u64 = 4 << 20;
/// The smallest unit: a page of most machines.
const PAGE: u64 = 4096;

/// Neighbours that share a row, or rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// Which regions.
    pub(super) first: usize,
    pub(super) last: usize,
    /// The rows that it takes.
    pub(super) rows: u16,
}

/// Regions that are enlarged together, lowest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lens {
    pub(super) items: Vec<Item>,
    /// How many bytes a row stands for.
    pub(super) unit: u64,
}

/// All lenses, lowest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) lenses: Vec<Lens>,
    /// Whether what is above and below all of them has a row.
    pub(super) ends: bool,
    near: u64,
}

impl Item {
    pub(super) fn from(&self, model: &Model) -> u64 {
        model.areas[self.first].from
    }

    pub(super) fn to(&self, model: &Model) -> u64 {
        model.areas[self.last].to
    }

    pub(super) fn areas<'m>(&self, model: &'m Model) -> &'m [Area] {
        &model.areas[self.first..=self.last]
    }

    /// The regions that it shows: those that may be used, if any may.
    pub(super) fn shown<'m>(&self, model: &'m Model) -> Vec<&'m Area> {
        let usable: Vec<&Area> = self.areas(model).iter().filter(|a| !a.barred()).collect();
        if usable.is_empty() { self.areas(model).iter().collect() } else { usable }
    }

    /// The bytes that may be used.
    pub(super) fn usable(&self, model: &Model) -> u64 {
        self.areas(model).iter().filter(|a| !a.barred()).map(Area::size).fold(0, u64::saturating_add)
    }
}

impl Plan {
    /// The plan that fits `rows` rows, breaks included, as far as any does.
    pub(super) fn new(model: &Model, rows: u16, ends: bool) -> Self {
        let mut plan = Self { ends, ..Self::each(model) };
        let too_many = |plan: &Self| plan.rows(model) > usize::from(rows);
        // A third is for what is large, so that it looks so: what lies between may share rows for that.
        let crowded = |plan: &Self| plan.rows(model) > usize::from(rows) * 2 / 3;
        while crowded(&plan) && plan.cheapest(model).is_some_and(|(price, ..)| price <= MINOR) && plan.join(model) {}
        while too_many(&plan) && plan.cheapest(model).is_some_and(|(price, ..)| price <= CHEAP) && plan.join(model) {}
        if too_many(&plan) {
            plan.near = FAR;
        }
        while too_many(&plan) && plan.join(model) {}
        plan.enlarge(model, rows);
        plan
    }

    /// The rows that it likes: what belongs together shares one.
    pub(super) fn liked(model: &Model) -> usize {
        let mut plan = Self::each(model);
        while plan.cheapest(model).is_some_and(|(price, ..)| price <= CHEAP) && plan.join(model) {}
        plan.rows(model)
    }

    /// A row for each region.
    fn each(model: &Model) -> Self {
        let mut lenses: Vec<Lens> = Vec::new();
        let mut end = 0;
        for (n, area) in model.areas.iter().enumerate() {
            let item = Item { first: n, last: n, rows: 1 };
            match lenses.last_mut() {
                Some(lens) if area.from - end < FAR => lens.items.push(item),
                _ => lenses.push(Lens { items: vec![item], unit: 0 }),
            }
            end = area.to;
        }
        Self { lenses, ends: true, near: NEAR }
    }

    /// The rows that it takes: those of the items, of the gaps between them, and of the breaks between lenses.
    pub(super) fn rows(&self, model: &Model) -> usize {
        let of = |lens: &Lens| {
            let gaps = lens.items.windows(2).filter(|pair| self.gap(model, &pair[0], &pair[1]).is_some()).count();
            gaps + lens.items.iter().map(|item| usize::from(item.rows)).sum::<usize>()
        };
        let breaks = (self.lenses.len() + 1).saturating_sub(if self.ends { 0 } else { 2 });
        self.lenses.iter().map(of).sum::<usize>() + breaks
    }

    /// The gap between two neighbours, if it has a row.
    pub(super) fn gap(&self, model: &Model, lower: &Item, upper: &Item) -> Option<u64> {
        Some(upper.from(model).saturating_sub(lower.to(model))).filter(|gap| *gap >= self.near)
    }

    /// The neighbours that are cheapest to join: the price, the lens, and the lower of the two.
    fn cheapest(&self, model: &Model) -> Option<(u32, usize, usize)> {
        let pairs = self.lenses.iter().enumerate().flat_map(|(l, lens)| {
            lens.items.windows(2).enumerate().map(move |(i, pair)| (price(model, &pair[0], &pair[1]), l, i))
        });
        pairs.min()
    }

    fn join(&mut self, model: &Model) -> bool {
        let Some((_, lens, lower)) = self.cheapest(model) else { return false };
        let items = &mut self.lenses[lens].items;
        let upper = items.remove(lower + 1);
        items[lower].last = upper.last;
        true
    }

    /// Gives the rows that are left to those that are large, in each lens by one scale.
    fn enlarge(&mut self, model: &Model, rows: u16) {
        let mut left = usize::from(rows).saturating_sub(self.rows(model));
        let lenses = self.lenses.len();
        for (n, lens) in self.lenses.iter_mut().enumerate() {
            let share = left / (lenses - n);
            let sizes: Vec<u64> = lens.items.iter().map(|item| item.usable(model)).collect();
            let of = |unit: u64| sizes.iter().map(move |size| rows_of(*size, unit));
            let mut unit = PAGE;
            while of(unit).map(|rows| rows - 1).fold(0, u64::saturating_add) > share as u64 && unit < 1 << 62 {
                unit *= 2;
            }
            for (item, rows) in lens.items.iter_mut().zip(of(unit)) {
                item.rows = u16::try_from(rows).unwrap_or(1);
                left = left.saturating_sub(usize::from(item.rows) - 1);
            }
            lens.unit = unit;
        }
    }
}

/// The rows of `size` bytes at `unit` bytes a row: at least one.
fn rows_of(size: u64, unit: u64) -> u64 {
    size.div_ceil(unit).max(1)
}

/// What is lost when two neighbours share a row. Nothing, where they are parts of one thing; most, where a stack or the heap
/// would no longer be seen.
fn price(model: &Model, lower: &Item, upper: &Item) -> u32 {
    let titles: BTreeSet<(&str, &str)> = [lower, upper]
        .into_iter()
        .flat_map(|item| item.areas(model))
        .map(|a| (a.kind.as_str(), a.name.as_str()))
        .collect();
    let across = u32::from(upper.from(model).saturating_sub(lower.to(model)) >= NEAR);
    if titles.len() == 1 {
        return across;
    }
    // What is kept free goes with what it is kept free for, or beside.
    if [lower, upper].iter().any(|item| item.usable(model) == 0) {
        return CHEAP + across;
    }
    let worth = |item: &Item| {
        let of_kind = item.areas(model).iter().map(|area| match area.kind.as_str() {
            // Something is said of it, so it is looked for.
            _ if !area.note.is_empty() => 14,
            "stack" => 16,
            "heap" => 13,
            "text" => 13,
            "data" => 7,
            "constants" => 3,
            "file" => 5,
            _ if area.size() >= LARGE && !area.barred() => 4,
            _ => 2,
        });
        let pointed_at = |mark: &super::model::Mark| (item.from(model)..item.to(model)).contains(&mark.at);
        of_kind.max().unwrap_or(0) + if model.marks.iter().any(pointed_at) { 2 } else { 0 }
    };
    let (lower, upper) = (worth(lower), worth(upper));
    lower.max(upper) + lower.min(upper) / 2 + across
}

#[cfg(test)]
mod tests {
    use super::super::tests::model;
    use super::*;

    #[test]
    fn it_fits_as_long_as_a_row_for_each_lens_does() {
        let model = model();
        for rows in 7..80 {
            let plan = Plan::new(&model, rows, true);
            assert!(plan.rows(&model) <= usize::from(rows), "{} of {rows}", plan.rows(&model));
            let items: Vec<_> = plan.lenses.iter().flat_map(|lens| &lens.items).collect();
            assert_eq!(items.first().map(|i| i.first), Some(0));
            assert_eq!(items.last().map(|i| i.last), Some(model.areas.len() - 1));
            assert!(items.windows(2).all(|pair| pair[0].last + 1 == pair[1].first), "no region is lost");
        }
    }

    #[test]
    fn what_matters_keeps_a_row_of_its_own() {
        let model = model();
        let plan = Plan::new(&model, 16, true);
        let alone: Vec<_> = plan
            .lenses
            .iter()
            .flat_map(|lens| &lens.items)
            .filter_map(|item| if let [area] = item.shown(&model)[..] { Some(area.title()) } else { None })
            .collect();
        for title in ["text prog", "heap", "stack of A", "stack of B"] {
            assert!(alone.iter().any(|t| t == title), "{title} in {alone:?}");
        }
    }

    #[test]
    fn within_a_lens_rows_are_in_proportion() {
        let model = model();
        for lens in Plan::new(&model, 60, true).lenses {
            for item in &lens.items {
                assert_eq!(u64::from(item.rows), rows_of(item.usable(&model), lens.unit));
            }
        }
    }
}
