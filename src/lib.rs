//! forklore: processes and threads, tested on your own cores.
//!
//! In reading order: [`fact`] is the vocabulary of everything; [`lesson`] what is taught; [`scene`] what is true now;
//! [`view`] how it is shown.

pub mod fact;
pub mod lesson;
pub mod scene;
pub mod view;
