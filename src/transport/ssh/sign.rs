//! Logs in with an Ed25519 key that lies in clear in OpenSSH's format. libssh2 would read such a key and work out its public half anew for
//! each host, which costs more than the signature; here it is read once, and libssh2 asks for the signature. The one file of the controller
//! that calls C.
#![expect(unsafe_code, reason = "the `ssh2` crate has no name for `libssh2_userauth_publickey`")]

use std::ffi::{CString, c_char, c_int, c_uchar, c_void};

use ed25519_dalek::{Signer as _, SigningKey};
use libssh2_sys::LIBSSH2_SESSION;
use ssh2::{Error, Session};

use super::keys::take_text;

/// A private key that signs by itself.
#[derive(Debug)]
pub(super) struct Signer {
    key: SigningKey,
    /// The public half as SSH writes it.
    public: Vec<u8>,
}

impl Signer {
    /// The key in the private section of OpenSSH's format, not encrypted, of which `public` is the other half. `None`: another kind of key,
    /// or one that is broken.
    pub(super) fn read(section: &[u8], mut public: &[u8]) -> Option<Self> {
        let whole = public.to_vec();
        let (checks, mut section) = section.split_first_chunk::<8>()?;
        let (kind, half, pair) = (take_text(&mut section)?, take_text(&mut section)?, take_text(&mut section)?);
        if checks[..4] != checks[4..] || kind != KIND || take_text(&mut public)? != KIND || take_text(&mut public)? != half {
            return None;
        }
        let key = SigningKey::from_bytes(pair.first_chunk()?);
        (key.verifying_key().as_bytes() == half).then_some(Self { key, public: whole })
    }

    /// Asks whether the key is good for `user`, and proves that we have it. As every step of libssh2 that does not block, to be repeated
    /// with the same arguments while it would.
    pub(super) fn log_in(&self, session: &Session, user: &str) -> Result<(), Error> {
        let user = CString::new(user)?;
        let mut raw = session.raw();
        let key = (&raw const self.key).cast_mut().cast::<*mut c_void>();
        // SAFETY: the session is alive and locked by `raw`; user and public half outlive the call, which copies them; `sign` is the only one
        // that `key` is handed to, within the call.
        let code = unsafe { libssh2_userauth_publickey(&raw mut *raw, user.as_ptr(), self.public.as_ptr(), self.public.len(), sign, key) };
        if code == 0 { Ok(()) } else { Err(Error::from_session_error_raw(&raw mut *raw, code)) }
    }
}

/// The kind of key that is read here.
const KIND: &[u8] = b"ssh-ed25519";

type Sign = unsafe extern "C" fn(*mut LIBSSH2_SESSION, *mut *mut c_uchar, *mut usize, *const c_uchar, usize, *mut *mut c_void) -> c_int;

unsafe extern "C" {
    fn libssh2_userauth_publickey(
        session: *mut LIBSSH2_SESSION,
        username: *const c_char,
        public: *const c_uchar,
        public_len: usize,
        sign: Sign,
        key: *mut *mut c_void,
    ) -> c_int;
}

/// Signs what libssh2 wants signed, into memory that it frees.
unsafe extern "C" fn sign(
    _session: *mut LIBSSH2_SESSION,
    signature: *mut *mut c_uchar,
    signature_len: *mut usize,
    data: *const c_uchar,
    data_len: usize,
    key: *mut *mut c_void,
) -> c_int {
    // SAFETY: `key` is what `log_in` gave; libssh2 gives `data_len` bytes and two places to write to, and frees by `free` what it is given,
    // since `Session::new` leaves it with malloc.
    unsafe {
        let signed = (*key.cast::<SigningKey>()).sign(std::slice::from_raw_parts(data, data_len)).to_bytes();
        let memory = libc::malloc(signed.len()).cast::<c_uchar>();
        if memory.is_null() {
            return libssh2_sys::LIBSSH2_ERROR_ALLOC;
        }
        memory.copy_from_nonoverlapping(signed.as_ptr(), signed.len());
        signature.write(memory);
        signature_len.write(signed.len());
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
    }

    #[test]
    fn a_key_whose_halves_differ_is_left_to_libssh2() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let half = key.verifying_key().to_bytes();
        let public = [text(KIND), text(&half)].concat();
        let section = |checks: &[u8; 8], seed: [u8; 32]| {
            [checks.to_vec(), text(KIND), text(&half), text(&[seed, half].concat()), text(b"me@here"), vec![1, 2, 3]].concat()
        };
        let whole = section(b"abcdabcd", [7; 32]);
        let signer = Signer::read(&whole, &public).unwrap();
        assert_eq!((signer.key.to_bytes(), &signer.public), ([7; 32], &public));
        let other = [text(KIND), text(&[9; 32])].concat();
        let broken = [(section(b"abcdabce", [7; 32]), &public), (section(b"abcdabcd", [8; 32]), &public), (whole.clone(), &other)];
        assert!(broken.iter().all(|(section, public)| Signer::read(section, public).is_none()));
        assert!((0..whole.len() - 14).all(|end| Signer::read(&whole[..end], &public).is_none()));
    }
}
