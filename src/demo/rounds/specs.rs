//! What all demos that measure in rounds tell of the run as a whole.

use crate::fact::{ParamError, Params, ReturnKind, ReturnSpec};

pub(in crate::demo) const ROUNDS: ReturnSpec =
    ReturnSpec { name: "rounds", kind: ReturnKind::Count, help: "rounds that were measured" };
pub(in crate::demo) const LEFT_OUT: ReturnSpec =
    ReturnSpec { name: "left_out", kind: ReturnKind::Count, help: "measurements that others disturbed" };
pub(in crate::demo) const OUTLIERS: ReturnSpec =
    ReturnSpec { name: "outliers", kind: ReturnKind::Count, help: "measurements far from the rest, kept" };
pub(in crate::demo) const NOISE: ReturnSpec =
    ReturnSpec { name: "noise", kind: ReturnKind::Word, help: "what disturbed most, or none" };
pub(in crate::demo) const CPU: ReturnSpec =
    ReturnSpec { name: "cpu", kind: ReturnKind::Count, help: "the core on which all was measured" };

/// Sizes must be there, and rise.
pub(in crate::demo) fn rising(params: &Params, sizes: &'static str) -> Result<(), ParamError> {
    let list = params.ints(sizes);
    if !list.is_empty() && list.windows(2).all(|pair| pair[0] < pair[1]) {
        Ok(())
    } else {
        Err(ParamError::new(sizes, "takes at least one number, from small to large"))
    }
}
