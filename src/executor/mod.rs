//! Running plays: which task a host meets next, what it does there, what comes of it. Never prints.

pub mod play_iterator;
