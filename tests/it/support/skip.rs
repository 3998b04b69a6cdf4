//! What to do where the machine cannot do what a test needs: say so, or fail where that is asked for.

use std::io::Write;

/// When this is `1`, what cannot be tested is a failure.
const REQUIRE: &str = "FORKLORE_REQUIRE_KERNEL";

/// Says on standard error that a test did not test, past the harness, which hides what passing tests print.
///
/// # Panics
/// Where `FORKLORE_REQUIRE_KERNEL` is 1.
pub(crate) fn skip(what: &str, why: &str) {
    let required = std::env::var(REQUIRE).is_ok_and(|value| value == "1");
    assert!(!required, "{what}: {why}, and {REQUIRE} is 1");
    say("SKIP", what, why);
}

/// Says that a test could not tell: the machine can do it, and was disturbed. Never a failure.
pub(crate) fn inconclusive(what: &str, why: &str) {
    say("INCONCLUSIVE", what, why);
}

fn say(word: &str, what: &str, why: &str) {
    // Nobody may listen; then nobody needs to know.
    let _ = writeln!(std::io::stderr(), "{word} {what}: {why}");
}
