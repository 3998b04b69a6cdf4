//! How claims stand in general, as words of the ledger and as sentences.

use super::Lang;

/// How a claim stands in general, whatever this machine says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// It is so.
    Holds,
    /// It is so within limits.
    Partly,
    /// It is not so.
    Wrong,
    /// It was so.
    Dated,
    /// It is so of the default build of CPython.
    Cpython,
    /// It is no claim that a machine could answer.
    NotTestable,
}

impl Stands {
    pub(super) const ALL: [(&str, Self); 6] = [
        ("holds", Self::Holds),
        ("partly", Self::Partly),
        ("wrong", Self::Wrong),
        ("dated", Self::Dated),
        ("cpython", Self::Cpython),
        ("not-testable", Self::NotTestable),
    ];

    /// The word in the ledger.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, stands)| *stands == self).map_or("", |(word, _)| word)
    }

    /// The same as a sentence; empty where there is nothing to hold.
    #[must_use]
    pub fn sentence(self, lang: Lang) -> &'static str {
        match self {
            Self::Holds => lang.pick("In general it holds.", "一般成立。"),
            Self::Partly => lang.pick("In general it holds within limits.", "一般在一定范围内成立。"),
            Self::Wrong => lang.pick("In general it does not hold.", "一般不成立。"),
            Self::Dated => lang.pick("It held once.", "从前成立。"),
            Self::Cpython => lang.pick("It holds for the default CPython.", "只对默认的 CPython 成立。"),
            Self::NotTestable => "",
        }
    }
}
