//! What Python means: regular expressions, printing, formatting, numbers, times, versions; for the filters, tests, lookups and
//! the evaluator. What Python does with any value is the evaluator's.

pub mod codec;
pub mod crypt;
pub mod fnmatch;
pub mod html;
pub mod json;
pub mod letters;
pub mod lines;
pub mod number;
pub mod random;
pub mod shlex;
pub mod time;
pub mod version;

pub use driftless_modules::regex;
