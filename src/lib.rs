//! forklore: processes and threads, tested on your own cores.
//!
//! In reading order: [`fact`] is the vocabulary of everything; [`lesson`] what is taught; [`stage`] runs a demo's
//! processes, [`lab`] says what rounds of measuring come to, and [`demo`] is the table of demos; [`kernel`] watches;
//! [`conduct`] makes one stream of facts of a run; [`scene`] is what is true now and [`record`] keeps it; [`tour`] is where
//! the learner is and [`view`] shows it; [`term`] holds the terminal, [`progress`] what was done and measured, [`keep`] brings
//! a run there and [`report`] tells of it, [`library`] finds the lessons and [`cli`] is the command line; [`app`] and
//! [`headless`] put it all together.

pub mod app;
pub mod cli;
pub mod conduct;
pub mod demo;
pub mod fact;
pub mod headless;
pub mod keep;
pub mod kernel;
pub mod lab;
pub mod lesson;
pub mod library;
pub mod lore;
pub mod progress;
pub mod record;
pub mod report;
pub mod scene;
pub mod stage;
pub mod term;
pub mod tour;
pub mod view;
