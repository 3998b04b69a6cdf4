//! Moments as a date and a time of day, in UTC: the same file gives the same report wherever it is read.

use crate::progress::When;

const DAY: u64 = 86_400;

/// "2026-11-26 05:33 UTC"
pub(super) fn moment(when: When) -> String {
    let seconds = when.0 % DAY;
    format!("{} {:02}:{:02} UTC", day(when), seconds / 3_600, seconds / 60 % 60)
}

/// "2026-11-26"
pub(super) fn day(when: When) -> String {
    let (year, month, day) = civil(when.0 / DAY);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of the Gregorian calendar, so many days after 1970-01-01. Years are counted from March in eras of 400,
/// so that the leap day is the last of its year (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2014).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        // As `date -u -d @SECONDS` says.
        for (seconds, said) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_709_208_000, "2024-02-29 12:00 UTC"),
            (1_798_761_599, "2026-12-31 23:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(moment(When(seconds)), said);
        }
    }

    #[test]
    fn each_day_is_followed_by_the_next() {
        let (mut year, mut month, mut day) = civil(0);
        for days in 1..200_000 {
            let next = civil(days);
            let same_month = (year, month, day + 1);
            let new_month = (year + month / 12, month % 12 + 1, 1);
            assert!(next == same_month || next == new_month, "{next:?} after {year}-{month}-{day}");
            (year, month, day) = next;
        }
    }

    #[test]
    fn a_moment_that_nobody_lives_to_see_has_a_date_too() {
        assert!(moment(When(u64::MAX)).ends_with("UTC"));
    }
}
