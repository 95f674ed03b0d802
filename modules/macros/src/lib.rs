//! Derives of driftless.
