//! The claims that lessons take up: their ids, and what each is about in a few words.

use std::collections::BTreeMap;

/// Every claim's id with its subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimIds(BTreeMap<String, String>);

impl ClaimIds {
    /// Reads a TOML file of `"000-01" = "its subject"` lines.
    ///
    /// # Errors
    /// What the TOML reader says, with line and column.
    pub fn read(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text).map(Self)
    }

    /// Whether there is such a claim.
    #[must_use]
    pub fn contains(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    /// What a claim is about.
    #[must_use]
    pub fn subject(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(id, subject)| (id.as_str(), subject.as_str()))
    }
}

impl<S: Into<String>> FromIterator<(S, S)> for ClaimIds {
    fn from_iter<I: IntoIterator<Item = (S, S)>>(claims: I) -> Self {
        Self(claims.into_iter().map(|(id, subject)| (id.into(), subject.into())).collect())
    }
}
