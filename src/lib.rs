//! forklore: processes and threads, tested on your own cores.
//!
//! In reading order: [`fact`] is the vocabulary of everything; [`lesson`] what is taught; [`kernel`] how what the kernel
//! does becomes facts; [`scene`] what is true now.

pub mod fact;
pub mod kernel;
pub mod lesson;
pub mod scene;
