//! The product of two matrices, by its definition: work that only computes, on memory. Knows no demo.

/// Rows and columns of the matrices: each has 144 KiB, so that those of one product fit most processors' second cache.
pub(super) const SIZE: usize = 192;

/// The sum of all elements of the product of two matrices of `size` rows and columns, which small numbers made of `seed`
/// fill; none if it was told not to go on. It is asked before each row.
pub(super) fn product(size: usize, seed: u64, go_on: impl Fn() -> bool) -> Option<u64> {
    let filled = |step: usize, most: u32| -> Vec<u32> {
        let from = u32::try_from(seed % 1000).unwrap_or(0);
        (0..size * size).map(|at| (from + u32::try_from(at / size * step + at % size).unwrap_or(0)) % most).collect()
    };
    let (a, b) = (filled(3, 7), filled(2, 5));
    let mut c = vec![0_u32; size * size];
    for (row, into) in a.chunks_exact(size.max(1)).zip(c.chunks_exact_mut(size.max(1))) {
        if !go_on() {
            return None;
        }
        for (column, element) in into.iter_mut().enumerate() {
            *element = row.iter().zip(b.iter().skip(column).step_by(size)).map(|(a, b)| a * b).sum();
        }
    }
    Some(std::hint::black_box(c).into_iter().map(u64::from).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_product_of_the_two() {
        // (0 1; 3 4) times (0 1; 2 3) is (2 3; 8 15).
        assert_eq!(product(2, 0, || true), Some(28));
        // With 5 more: (5 6; 1 2) times (0 1; 2 3) is (12 23; 4 7).
        assert_eq!(product(2, 5, || true), Some(46));
        assert_eq!(product(0, 0, || true), Some(0));
    }

    #[test]
    fn all_elements_add_up_to_columns_times_rows() {
        let (size, seed) = (12, 3);
        let element = |step: usize, most: usize, i: usize, j: usize| (seed + i * step + j) % most;
        let columns = |k| (0..size).map(|i| element(3, 7, i, k)).sum::<usize>();
        let rows = |k| (0..size).map(|j| element(2, 5, k, j)).sum::<usize>();
        let sum: usize = (0..size).map(|k| columns(k) * rows(k)).sum();
        assert_eq!(product(size, seed as u64, || true), Some(sum as u64));
    }

    #[test]
    fn it_stops_when_it_is_told() {
        assert_eq!(product(SIZE, 1, || false), None);
    }
}
