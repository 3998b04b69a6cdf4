//! Which of several variants is measured when, and how often it is done in one measurement.

/// Rounds before those that count: caches are filled, pages are there, and it is found out how long one takes.
const WARM_UP: usize = 3;

/// Rounds of all variants, each once a round. Whatever becomes slower or faster in the course of a run meets all of them
/// alike: they are interleaved, and every other round goes backwards, so that none has always the same one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    variants: usize,
}

impl Plan {
    /// A plan for so many variants.
    #[must_use]
    pub fn new(variants: usize) -> Self {
        Self { variants }
    }

    /// The variants of a round, from 0 on, in the order in which they are measured: A B C, then C B A.
    pub fn order(self, round: usize) -> impl Iterator<Item = usize> {
        (0..self.variants).map(move |n| if round.is_multiple_of(2) { n } else { self.variants - 1 - n })
    }

    /// Which of the rounds that count this is, from 1 on; none while all are only warming up.
    #[must_use]
    pub fn counts(self, round: usize) -> Option<usize> {
        (round >= WARM_UP).then(|| round - WARM_UP + 1)
    }
}

/// How often a thing that takes `each` has to be done to fill `whole`, both in one unit: once at least, and `most` at most. A
/// clock is read twice in a measurement; long ones dwarf that.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits before it is cast")]
pub fn times(each: f64, whole: f64, most: u32) -> u32 {
    let wanted = whole / each.max(f64::MIN_POSITIVE);
    if wanted.is_nan() { 1 } else { wanted.clamp(1.0, f64::from(most.max(1))) as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_alternate_in_their_order() {
        let plan = Plan::new(3);
        let all: Vec<usize> = (0..3).flat_map(|round| plan.order(round)).collect();
        assert_eq!(all, [0, 1, 2, 2, 1, 0, 0, 1, 2]);
        assert_eq!(Plan::new(0).order(1).count(), 0);
    }

    #[test]
    fn each_variant_goes_before_each_other_as_often_as_after_it() {
        let plan = Plan::new(4);
        let mut before = [[0_i32; 4]; 4];
        for round in 0..10 {
            let order: Vec<usize> = plan.order(round).collect();
            (0..4).for_each(|a| (a + 1..4).for_each(|b| before[order[a]][order[b]] += 1));
        }
        assert!((0..4).all(|a| (0..4).all(|b| before[a][b] == before[b][a])), "{before:?}");
    }

    #[test]
    fn the_first_rounds_do_not_count() {
        let plan = Plan::new(2);
        assert_eq!(
            (0..6).map(|round| plan.counts(round)).collect::<Vec<_>>(),
            [None, None, None, Some(1), Some(2), Some(3)]
        );
    }

    #[test]
    fn a_measurement_is_as_long_as_is_asked_for() {
        assert_eq!([times(20.0, 2_000.0, 500), times(1.0, 2_000.0, 500), times(9e9, 2_000.0, 500)], [100, 500, 1]);
        assert_eq!([times(0.0, 1.0, 7), times(f64::NAN, 1.0, 7), times(1.0, 5.0, 0)], [7, 7, 1]);
    }
}
