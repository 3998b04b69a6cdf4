//! What is shown: the tour and the scene to cells. It is told everything and touches nothing.

pub mod put;
pub mod scrub;
pub mod text;
pub mod theme;
pub mod widget;
