//! What travels between driftless and its helper: frames ([`Frame`], [`Decoder`]) and messages ([`ToHelper`], [`FromHelper`]).
//! Does no I/O: bytes in, values out, and back.
//!
//! ```text
//! frame   = kind:u8 length:u32be payload            at most 16 MiB of payload, else the stream is dead
//! kind 0  = message: JSON                           readable at -vvvv
//! kind 1  = chunk: stream:u32be raw bytes           contents, big arguments and big results; never base64
//! kind 2  = end of stream: stream:u32be
//! kind 3  = relay: helper:u32be raw bytes           the byte stream of a become helper, opaque to the one who relays it
//! ```
//!
//! **Start.** A helper writes [`MARKER`] and a newline, so that banners and rc-file noise before it can be skipped, then frames:
//! `Hello` is its first message in every version. It answers requests one at a time, in order.
//!
//! **Relay.** The login helper starts the helpers of other users as its children (`StartHelper`) and carries their bytes in kind 3,
//! both ways. A child speaks this same protocol on its own stream, so it can answer for no helper but itself and its garbage
//! harms no other stream. Each direction of a relayed stream may have [`WINDOW`] bytes unacknowledged (`Credit`).
//!
//! **Streams** are numbered by the controller for what it sends, by the helper for what it sends. Contents of up to
//! [`INLINE_LIMIT`] bytes follow their `Run` at once; larger ones are sent when the helper asks (`Pull`), [`WINDOW`] bytes ahead of
//! what it has consumed (`Consumed`). Arguments and results over [`BODY_LIMIT`] bytes travel as a stream of JSON text.
//!
//! **Versions.** The remote path carries the SHA-256 of the binary, so both ends are of one build; [`VERSION`] is checked all the same.
//!
//! | version | change |
//! |---|---|
//! | 1 | the first |

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod frame;
mod message;

pub use frame::{Decoder, Frame, FrameError, HEADER};
pub use message::{
    AsyncJob, Become, BecomeFailure, BecomeFailureKind, Body, Content, FromHelper, Group, Hello, HelperEnd, Json, Outcome, Run, RunEnd,
    StartHelper, ToHelper, is_deeper, signal_name,
};

/// The version of this protocol.
pub const VERSION: u32 = 1;

/// What a helper writes before its first frame, on a line of its own.
pub const MARKER: &str = "DRIFTLESS-HELPER-1";

/// The largest payload of a frame.
pub const FRAME_LIMIT: usize = 16 << 20;

/// How many bytes of a stream may be on their way without having been consumed.
pub const WINDOW: usize = 1 << 20;

/// Streams are cut into chunks of at most this many bytes.
pub const CHUNK: usize = 64 << 10;

/// Contents up to this size follow their request at once.
pub const INLINE_LIMIT: usize = 64 << 10;

/// Arguments and results whose JSON is longer than this travel as a stream.
pub const BODY_LIMIT: usize = 1 << 20;

/// Arguments and results that are nested deeper than this fail their task: JSON readers stop at 128 levels, and the message around
/// them has some itself.
pub const DEPTH_LIMIT: usize = 120;

/// Arguments and results whose JSON is longer than this fail their task.
pub const TOTAL_LIMIT: usize = 256 << 20;
