//! Primality by trial division: work that only computes. Knows no demo.

/// The numbers that the documentation of Python's `concurrent.futures` tests for primality. One stands twice. The last is
/// 3306091 times 332636609, the others are prime.
pub(super) const NUMBERS: [u64; 6] = [
    112_272_535_095_293,
    112_582_705_942_171,
    112_272_535_095_293,
    115_280_095_190_773,
    115_797_848_077_099,
    1_099_726_899_285_419,
];

/// Divisions between two looks at whether to go on: some hundred microseconds.
const STRETCH: u64 = 1 << 14;

/// Whether `n` is prime; none if it was told not to go on.
pub(super) fn is_prime(n: u64, go_on: impl Fn() -> bool) -> Option<bool> {
    if n < 4 || n.is_multiple_of(2) {
        return Some(n == 2 || n == 3);
    }
    let mut divisor = 3;
    while divisor <= n / divisor {
        if n.is_multiple_of(divisor) {
            return Some(false);
        }
        divisor += 2;
        if divisor % (2 * STRETCH) == 1 && !go_on() {
            return None;
        }
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_told_apart() {
        let primes: Vec<u64> = (0..50).filter(|n| is_prime(*n, || true) == Some(true)).collect();
        assert_eq!(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]);
        assert_eq!(is_prime(3_306_091 * 3, || true), Some(false));
    }

    #[test]
    fn five_of_the_six_are_prime() {
        let found = NUMBERS.map(|n| is_prime(n, || true));
        assert_eq!(found, [Some(true), Some(true), Some(true), Some(true), Some(true), Some(false)]);
        assert_eq!(NUMBERS[5], 3_306_091 * 332_636_609);
    }

    #[test]
    fn it_stops_when_it_is_told() {
        assert_eq!(is_prime(NUMBERS[0], || false), None);
    }
}
