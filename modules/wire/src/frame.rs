//! Frames: the codec. [`Decoder`] is total: whatever the bytes, it answers a frame, that it needs more, or an error.

use thiserror::Error;

use crate::FRAME_LIMIT;

/// The bytes before a payload: kind and length.
pub const HEADER: usize = 5;

const MESSAGE: u8 = 0;
const CHUNK: u8 = 1;
const END: u8 = 2;
const RELAY: u8 = 3;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A message: JSON text.
    Message(Vec<u8>),
    /// Bytes of a stream.
    Chunk(u32, Vec<u8>),
    /// A stream is complete.
    End(u32),
    /// Bytes to or from a relayed helper.
    Relay(u32, Vec<u8>),
}

impl Frame {
    /// The frame as bytes, at the end of `out`. Frames that are too long cannot be made: the caller cuts streams into chunks and sends long
    /// messages as streams.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Message(text) => Self::encode_message(text, out),
            Self::Chunk(stream, bytes) => Self::encode_chunk(*stream, bytes, out),
            Self::End(stream) => put(END, &stream.to_be_bytes(), &[], out),
            Self::Relay(helper, bytes) => Self::encode_relay(*helper, bytes, out),
        }
    }

    /// A message's frame.
    pub fn encode_message(text: &[u8], out: &mut Vec<u8>) {
        put(MESSAGE, &[], text, out);
    }

    /// A chunk's frame.
    pub fn encode_chunk(stream: u32, bytes: &[u8], out: &mut Vec<u8>) {
        put(CHUNK, &stream.to_be_bytes(), bytes, out);
    }

    /// A relay's frame.
    pub fn encode_relay(helper: u32, bytes: &[u8], out: &mut Vec<u8>) {
        put(RELAY, &helper.to_be_bytes(), bytes, out);
    }
}

fn put(kind: u8, head: &[u8], rest: &[u8], out: &mut Vec<u8>) {
    let length = head.len() + rest.len();
    assert!(length <= FRAME_LIMIT, "a frame of {length} bytes was to be sent, {FRAME_LIMIT} is the limit");
    out.reserve(HEADER + length);
    out.push(kind);
    out.extend_from_slice(&u32::try_from(length).expect("the limit fits into 32 bits").to_be_bytes());
    out.extend_from_slice(head);
    out.extend_from_slice(rest);
}

/// Bytes that are no frame: the stream is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    /// A kind that this version does not know.
    #[error("found a frame of kind {0}, wanted 0 to 3")]
    Kind(u8),
    /// A payload beyond the limit.
    #[error("found a frame of {0} bytes, wanted at most {FRAME_LIMIT}")]
    Length(u32),
    /// A payload too short for its kind.
    #[error("found a frame of kind {kind} with {length} bytes, wanted {wanted}")]
    Short {
        /// The kind.
        kind: u8,
        /// What it has.
        length: usize,
        /// What it needs.
        wanted: &'static str,
    },
}

/// Takes bytes as they come and answers frames.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
    dead: Option<FrameError>,
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// More bytes of the stream. A dead stream's bytes are dropped.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.dead.is_some() {
            return;
        }
        if self.start > 0 && (self.start == self.buffer.len() || self.start >= 64 << 10) {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame; `None`: more bytes are needed. After an error the stream is dead and answers the same error again.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        if let Some(error) = self.dead {
            return Err(error);
        }
        match self.parse() {
            Ok(frame) => Ok(frame),
            Err(error) => {
                self.dead = Some(error);
                self.buffer = Vec::new();
                self.start = 0;
                Err(error)
            }
        }
    }

    /// How many bytes wait to become a frame.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    fn parse(&mut self) -> Result<Option<Frame>, FrameError> {
        let waiting = &self.buffer[self.start..];
        let Some(&kind) = waiting.first() else { return Ok(None) };
        if kind > RELAY {
            return Err(FrameError::Kind(kind));
        }
        let Some(length) = waiting.get(1..HEADER) else { return Ok(None) };
        let length = u32::from_be_bytes(length.try_into().expect("the slice has four bytes"));
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if size > FRAME_LIMIT {
            return Err(FrameError::Length(length));
        }
        check_length(kind, size)?;
        let Some(payload) = waiting.get(HEADER..HEADER + size) else { return Ok(None) };
        let frame = read(kind, payload);
        self.start += HEADER + size;
        Ok(Some(frame))
    }
}

fn check_length(kind: u8, length: usize) -> Result<(), FrameError> {
    let wanted = match kind {
        CHUNK | RELAY if length < 4 => "at least 4",
        END if length != 4 => "4",
        _ => return Ok(()),
    };
    Err(FrameError::Short { kind, length, wanted })
}

fn read(kind: u8, payload: &[u8]) -> Frame {
    if kind == MESSAGE {
        return Frame::Message(payload.to_vec());
    }
    let (number, rest) = payload.split_first_chunk().expect("the length was checked");
    let number = u32::from_be_bytes(*number);
    match kind {
        CHUNK => Frame::Chunk(number, rest.to_vec()),
        END => Frame::End(number),
        _ => Frame::Relay(number, rest.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator, so that the properties need no crate: xorshift64*.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
        }

        fn below(&mut self, limit: u64) -> usize {
            usize::try_from(self.next() % limit).unwrap()
        }

        fn bytes(&mut self, limit: u64) -> Vec<u8> {
            let length = self.below(limit);
            (0..length).map(|_| u8::try_from(self.next() & 0xff).unwrap()).collect()
        }

        fn frame(&mut self) -> Frame {
            let number = u32::try_from(self.next() & 0xffff_ffff).unwrap();
            match self.below(4) {
                0 => Frame::Message(self.bytes(300)),
                1 => Frame::Chunk(number, self.bytes(300)),
                2 => Frame::End(number),
                _ => Frame::Relay(number, self.bytes(300)),
            }
        }
    }

    /// Feeds `bytes` in pieces of random size and collects what comes.
    fn decode(random: &mut Random, mut bytes: &[u8]) -> (Vec<Frame>, Option<FrameError>) {
        let mut decoder = Decoder::new();
        let mut frames = Vec::new();
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(random.below(40).min(bytes.len()));
            bytes = rest;
            decoder.feed(piece);
            loop {
                match decoder.next_frame() {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(error) => return (frames, Some(error)),
                }
            }
        }
        (frames, None)
    }

    #[test]
    fn what_is_encoded_is_decoded_however_it_is_cut() {
        let mut random = Random(1);
        for _ in 0..500 {
            let frames: Vec<Frame> = (0..random.below(8)).map(|_| random.frame()).collect();
            let mut bytes = Vec::new();
            frames.iter().for_each(|frame| frame.encode(&mut bytes));
            assert_eq!(decode(&mut random, &bytes), (frames, None));
        }
    }

    #[test]
    fn every_byte_string_is_frames_more_or_an_error() {
        let mut random = Random(2);
        for _ in 0..20_000 {
            let mut bytes = random.bytes(64);
            // Mostly plausible headers, so that more than the first byte is tried.
            if let Some(kind) = bytes.first_mut() {
                *kind &= 7;
            }
            if bytes.len() > 3 && random.below(4) > 0 {
                bytes[1..4].fill(0);
            }
            decode(&mut random, &bytes);
        }
    }

    #[test]
    fn damaged_streams_end_in_frames_more_or_an_error() {
        let mut random = Random(3);
        for _ in 0..2_000 {
            let mut bytes = Vec::new();
            (0..4).for_each(|_| random.frame().encode(&mut bytes));
            let place = random.below(bytes.len() as u64);
            bytes[place] ^= 1 << random.below(8);
            decode(&mut random, &bytes);
        }
    }

    #[test]
    fn a_huge_frame_is_refused_at_its_header() {
        let mut decoder = Decoder::new();
        decoder.feed(&[0, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(decoder.next_frame(), Err(FrameError::Length(u32::MAX)));
        decoder.feed(&[0; 1000]);
        assert_eq!(decoder.next_frame(), Err(FrameError::Length(u32::MAX)));
        assert_eq!(decoder.pending(), 0);
    }

    #[test]
    fn short_payloads_and_unknown_kinds_are_refused() {
        for bytes in [&[1, 0, 0, 0, 3][..], &[2, 0, 0, 0, 5], &[3, 0, 0, 0, 0], &[4], &[255]] {
            let mut decoder = Decoder::new();
            decoder.feed(bytes);
            assert!(decoder.next_frame().is_err(), "{bytes:?}");
        }
    }
}
