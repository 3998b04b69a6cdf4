//! Memory of a worker's own, and the way through it: from cache line to cache line in an order that no prefetcher guesses.

use crate::demo::labour::on_cpu;
use crate::fact::Nanos;
use crate::stage::Pulse;

/// Words in a cache line of 64 bytes. Where lines are longer, some are met twice.
const LINE: usize = 8;

/// Lines between two looks at the clock: few enough that the worker is not taken for one that does not run.
const STRETCH: usize = 1024;

/// Beats of a walk through so many kibibytes.
pub(super) fn beats(kib: usize) -> u64 {
    lines(kib).div_ceil(STRETCH) as u64
}

/// Cache lines in so many kibibytes.
fn lines(kib: usize) -> usize {
    (kib * 1024 / (LINE * size_of::<u64>())).max(2)
}

/// The memory: the first word of each line says which line is next.
#[derive(Debug)]
pub(super) struct Path {
    words: Vec<u64>,
}

impl Path {
    /// So many kibibytes, in one circle through all lines (Sattolo 1986).
    pub(super) fn new(kib: usize) -> Self {
        let lines = lines(kib);
        let mut next: Vec<usize> = (0..lines).collect();
        let mut x = 88_172_645_463_325_252_u64;
        for at in (1..lines).rev() {
            // Xorshift (Marsaglia 2003): the order need only be the same each time and no pattern.
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            let other = usize::try_from(x % at as u64).unwrap_or(0);
            next.swap(at, other);
        }
        let mut words = vec![0; lines * LINE];
        for (line, next) in next.into_iter().enumerate() {
            words[line * LINE] = next as u64;
        }
        Self { words }
    }

    fn lines(&self) -> usize {
        self.words.len() / LINE
    }

    /// Once round. CPU time of it: who is pushed off meanwhile does not lose by it.
    pub(super) fn walk(&self, pulse: &mut Pulse<'_>) -> Nanos {
        let (mut at, mut left, mut time) = (0_u64, self.lines(), 0);
        while left > 0 {
            let stretch = left.min(STRETCH);
            let begun = on_cpu();
            for _ in 0..stretch {
                at = usize::try_from(at).ok().and_then(|at| self.words.get(at * LINE)).copied().unwrap_or(0);
            }
            at = std::hint::black_box(at);
            time += on_cpu().since(begun).0;
            left -= stretch;
            pulse.beat();
        }
        Nanos(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_meets_every_line_once_and_comes_back() {
        for kib in [1, 16, 256] {
            let path = Path::new(kib);
            let (mut at, mut met) = (0, vec![false; path.lines()]);
            for _ in 0..path.lines() {
                assert!(!std::mem::replace(&mut met[at], true), "line {at} twice, {kib} KiB");
                at = usize::try_from(path.words[at * LINE]).expect("small");
            }
            assert_eq!((at, path.lines()), (0, kib * 16));
        }
        assert_eq!([beats(16), beats(64), beats(65), beats(256)], [1, 1, 2, 4]);
    }
}
