//! What Python means: regular expressions, printing, formatting, numbers, times, versions. Pure functions over data, for the
//! filters, tests, lookups and the evaluator. Knows no templates.

pub mod fnmatch;
pub mod regex;
pub mod shlex;
pub mod time;
pub mod version;
