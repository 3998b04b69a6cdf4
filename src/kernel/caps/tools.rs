//! What demos use that is no part of the kernel: a second core, a C compiler, a Python interpreter.

use super::Capability;
use super::State::{No, Yes};
use crate::kernel::machine::allowed_cpus;
use nix::unistd::{AccessFlags, access};
use std::ffi::OsStr;
use std::path::PathBuf;

pub(super) fn survey() -> Vec<Capability> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    vec![second_core(allowed_cpus().len()), compiler(&path), interpreter(&path)]
}

fn second_core(allowed: usize) -> Capability {
    let name = "a second core";
    let found = format!("{allowed} allowed");
    if allowed > 1 {
        return Capability::new(name, Yes, found, "Work can be done at the same moment, and a worker can move.");
    }
    Capability::new(name, No, found, "Nothing runs at the same moment, and no worker can move.")
        .remedy("If the machine has more: start forklore without taskset, or in a cpuset that has two")
}

fn compiler(path: &OsStr) -> Capability {
    let name = "a C compiler";
    match program(path, "cc") {
        Some(found) => Capability::new(
            name,
            Yes,
            found.display().to_string(),
            "What a compiler makes of a program can be shown with a program that it has just compiled.",
        ),
        None => Capability::new(name, No, "no cc in PATH", "What a compiler may make of a program is shown by hand.")
            .remedy("Install gcc or clang"),
    }
}

/// The file is looked for and not run: what it is, a demo finds out within its bounds.
fn interpreter(path: &OsStr) -> Capability {
    let name = "python3";
    match ["python3", "python"].into_iter().find_map(|name| program(path, name)) {
        Some(found) => Capability::new(
            name,
            Yes,
            found.display().to_string(),
            "What is said of Python can be shown with the interpreter of this machine.",
        ),
        None => Capability::new(
            name,
            No,
            "no python3 in PATH",
            "What an interpreter's lock does is shown with a small bytecode machine of our own.",
        )
        .remedy("Install Python 3"),
    }
}

/// The first executable file of this name in the folders of `path`.
fn program(path: &OsStr, name: &str) -> Option<PathBuf> {
    std::env::split_paths(path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file() && access(file, AccessFlags::X_OK).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn one_core_is_no_second_one() {
        assert_eq!([0, 1, 2, 64].map(|n| second_core(n).state), [No, No, Yes, Yes]);
    }

    #[test]
    fn a_compiler_is_a_file_that_can_be_executed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().as_os_str();
        assert_eq!(compiler(path).state, No);
        fs::create_dir(folder.path().join("cc")).expect("ours");
        assert_eq!(compiler(path).state, No, "a folder");
        fs::remove_dir(folder.path().join("cc")).expect("ours");
        fs::write(folder.path().join("cc"), "").expect("ours");
        assert_eq!(compiler(path).state, No, "not executable");
        fs::set_permissions(folder.path().join("cc"), fs::Permissions::from_mode(0o755)).expect("ours");
        let found = compiler(path);
        assert_eq!((found.state, found.found.ends_with("/cc")), (Yes, true));
        assert_eq!(compiler(OsStr::new("")).state, No);
    }

    #[test]
    fn an_interpreter_is_found_by_either_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().as_os_str();
        assert_eq!(interpreter(path).state, No);
        for name in ["python", "python3"] {
            let file = folder.path().join(name);
            fs::write(&file, "").expect("ours");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("ours");
            let found = interpreter(path);
            assert_eq!((found.state, found.found), (Yes, file.display().to_string()));
        }
    }
}
