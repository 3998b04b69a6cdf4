//! What all demos about a hatch take, and what they tell of the dishes.

use super::MOST_SLOTS;
use crate::fact::{ParamKind, ParamSpec, ReturnKind, ReturnSpec};

pub(in crate::demo) const PRODUCERS: ParamSpec = ParamSpec {
    name: "producers",
    kind: ParamKind::Int { min: 1, max: 8, default: 2, unit: "" },
    help: "how many put",
};
pub(in crate::demo) const CONSUMERS: ParamSpec = ParamSpec {
    name: "consumers",
    kind: ParamKind::Int { min: 1, max: 8, default: 3, unit: "" },
    help: "how many take",
};
pub(in crate::demo) const SLOTS: ParamSpec = ParamSpec {
    name: "slots",
    kind: ParamKind::Int { min: 1, max: MOST_SLOTS, default: 4, unit: "" },
    help: "how many dishes fit in",
};

pub(in crate::demo) const MADE: ReturnSpec =
    ReturnSpec { name: "made", kind: ReturnKind::Count, help: "dishes put into the hatch" };
pub(in crate::demo) const TAKEN: ReturnSpec =
    ReturnSpec { name: "taken", kind: ReturnKind::Count, help: "dishes taken out of it" };
pub(in crate::demo) const TOOK_NOTHING: ReturnSpec =
    ReturnSpec { name: "took_nothing", kind: ReturnKind::Count, help: "grasps into an empty hatch" };
pub(in crate::demo) const WOKEN_FOR_NOTHING: ReturnSpec =
    ReturnSpec { name: "woken_for_nothing", kind: ReturnKind::Count, help: "looks after a call that found no change" };
pub(in crate::demo) const MOST_IN_BUFFER: ReturnSpec =
    ReturnSpec { name: "most_in_buffer", kind: ReturnKind::Count, help: "the most that lay in the hatch at a time" };
pub(in crate::demo) const WAITS: ReturnSpec =
    ReturnSpec { name: "waits", kind: ReturnKind::Count, help: "times that somebody went to sleep at a condition" };
pub(in crate::demo) const MAX_INSIDE: ReturnSpec =
    ReturnSpec { name: "max_inside", kind: ReturnKind::Count, help: "the most that had the mutex at a time" };
