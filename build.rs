//! Tells cargo that the lessons are part of the program: a lesson that was added, and not only one that was changed, has
//! to be embedded.

fn main() {
    println!("cargo::rerun-if-changed=lessons");
}
