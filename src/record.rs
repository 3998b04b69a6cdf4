//! The stream in a file. It knows facts and files, and no screen; it opens no path but those it is handed.

pub mod recording;
