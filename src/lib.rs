//! forklore: processes and threads, tested on your own cores.
//!
//! In reading order: [`fact`] is the vocabulary of everything; [`lesson`] what is taught; [`scene`] what is true now;
//! [`record`] the stream in a file.

pub mod fact;
pub mod lesson;
pub mod record;
pub mod scene;
