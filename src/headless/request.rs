//! What must be right before a run begins.

use crate::demo::{self, Demo};
use crate::fact::{Cpu, DemoSpec, ParamKind, Params, clean_line};
use crate::kernel;

/// The demo called `name`.
///
/// # Errors
/// There is none: a sentence with all there are.
pub(super) fn demo(name: &str) -> Result<&'static dyn Demo, String> {
    demo::find(name).ok_or_else(|| {
        let names: Vec<_> = demo::specs().iter().map(|s| s.name).collect();
        format!("there is no demo \u{201c}{}\u{201d}; there are: {}", clean_line(name), names.join(", "))
    })
}

/// Whether the CPUs that `params` name are ours to use.
///
/// # Errors
/// One is not: a sentence.
pub(super) fn allowed(spec: &DemoSpec, params: &Params) -> Result<(), String> {
    let allowed = kernel::allowed_cpus();
    let named = |p: &&crate::fact::ParamSpec| matches!(p.kind, ParamKind::Cpu);
    for param in spec.params.iter().filter(named) {
        if let Some(cpu) = params.maybe(param.name)
            && !allowed.iter().any(|a| u64::from(a.0) == cpu)
        {
            return Err(format!("{}: CPU {cpu} is not allowed here; allowed: {}", param.name, ranges(&allowed)));
        }
    }
    Ok(())
}

/// CPUs as the kernel lists them: `0-3,8`.
pub(super) fn ranges(cpus: &[Cpu]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for cpu in cpus {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(cpu.0) => *last = cpu.0,
            _ => runs.push((cpu.0, cpu.0)),
        }
    }
    let word = |(from, to): (u32, u32)| if from == to { from.to_string() } else { format!("{from}-{to}") };
    runs.into_iter().map(word).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_are_listed_as_the_kernel_does() {
        let of = |cpus: &[u32]| ranges(&cpus.iter().copied().map(Cpu).collect::<Vec<_>>());
        assert_eq!(of(&[0, 1, 2, 3, 8, 10, 11]), "0-3,8,10-11");
        assert_eq!((of(&[]), of(&[5])), (String::new(), "5".to_owned()));
        assert_eq!(of(&[u32::MAX, 0]), "4294967295,0");
    }

    #[test]
    fn an_unknown_demo_is_named_without_its_escapes() {
        let sentence = demo("\u{1b}[2J").err().expect("there is none");
        assert!(sentence.contains("there are: ") && !sentence.contains('\u{1b}'), "{sentence}");
    }
}
