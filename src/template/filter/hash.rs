//! Filters of checksums, Base64 and UUIDs.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE};
use sha1::Digest as _;

use super::{chance, derived, filter, refuse};
use crate::template::python::crypt::{DIGITS, Method, salt_of_bytes, sha_crypt};
use crate::template::{Bound, Evaluator, Filter, Param, Result, Val};
use crate::value::{Text, Value};

use Param::Optional;

pub(super) const FILTERS: &[Filter] = &[
    filter("b64decode", BASE64, b64decode),
    filter("b64encode", BASE64, b64encode),
    filter("checksum", &[], |evaluator, value, _| digest(evaluator, value, "sha1")),
    filter("hash", &[Optional("hashtype")], |evaluator, value, arguments| {
        let kind = arguments.text(0)?.map_or("sha1", Text::as_str);
        digest(evaluator, value, kind)
    }),
    filter("md5", &[], |evaluator, value, _| digest(evaluator, value, "md5")),
    filter("password_hash", PASSWORD_HASH, password_hash),
    filter("sha1", &[], |evaluator, value, _| digest(evaluator, value, "sha1")),
    filter("to_uuid", &[Optional("namespace")], to_uuid),
];

const PASSWORD_HASH: &[Param] = &[Optional("hashtype"), Optional("salt"), Optional("salt_size"), Optional("rounds"), Optional("ident")];
const BASE64: &[Param] = &[Optional("encoding"), Optional("urlsafe")];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest(evaluator: &Evaluator, value: &Val, kind: &str) -> Result<Val> {
    let text = evaluator.text(value)?;
    let bytes = text.as_str().as_bytes();
    let digest = match kind {
        "md5" => hex(&md5::Md5::digest(bytes)),
        "sha1" => hex(&sha1::Sha1::digest(bytes)),
        "sha224" => hex(&sha2::Sha224::digest(bytes)),
        "sha256" => hex(&sha2::Sha256::digest(bytes)),
        "sha384" => hex(&sha2::Sha384::digest(bytes)),
        "sha512" => hex(&sha2::Sha512::digest(bytes)),
        "blake2b" | "blake2s" | "sha3_224" | "sha3_256" | "sha3_384" | "sha3_512" | "ripemd160" | "sm3" | "sha512_224" | "sha512_256" => {
            return refuse(format!("the hash type `{kind}` is not supported yet"));
        }
        _ => return refuse(format!("unsupported hash type {kind}")),
    };
    Ok(derived(evaluator, &text, digest))
}

/// Salts longer than this mean nothing to `crypt`.
const MAX_SALT: usize = 16;

fn password_hash(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let given = |index: usize| arguments.get(index).filter(|val| !val.is_none());
    let text = evaluator.text(value)?;
    let kind = given(0).map_or(Ok(Text::from("sha512")), |kind| evaluator.text(kind))?;
    let method = match kind.as_str() {
        "sha256" | "sha256_crypt" => Method::Sha256,
        "sha512" | "sha512_crypt" => Method::Sha512,
        "md5" | "md5_crypt" | "blowfish" | "bcrypt" => return refuse(format!("the hash type `{}` is not supported yet", kind.as_str())),
        other => return refuse(format!("crypt does not support '{other}' algorithm")),
    };
    let size = usize::try_from(given(2).map_or(Ok(16), |_| arguments.int_or(2, 16))?).unwrap_or(0);
    if size > MAX_SALT {
        return refuse(format!("invalid salt size supplied ({size}), expected at most {MAX_SALT}"));
    }
    let salt = match given(1) {
        Some(Val::Plain(Value::Text(salt))) if !salt.as_str().is_empty() => salt.as_str().to_owned(),
        None | Some(Val::Plain(Value::Text(_))) => random_digits(size),
        Some(other) => return refuse(format!("'{}' object is not iterable", other.type_name())),
    };
    let rounds = match given(3) {
        None => None,
        Some(_) => Some(u32::try_from(arguments.int_or(3, 0)?.max(0)).unwrap_or(u32::MAX)),
    };
    match crypt_password(method, text.as_str(), &salt, rounds) {
        Ok(hashed) => Ok(derived(evaluator, &text, hashed)),
        Err(message) => refuse(message),
    }
}

fn random_digits(count: usize) -> String {
    (0..count).map(|_| char::from(DIGITS[chance(DIGITS.len())])).collect()
}

/// A salt that nobody knows yet.
pub(in crate::template) fn random_salt() -> String {
    random_digits(MAX_SALT)
}

/// The hash of a password as ansible-core without passlib makes it; the error is its.
pub(in crate::template) fn crypt_password(method: Method, password: &str, salt: &str, rounds: Option<u32>) -> Result<String, String> {
    let (name, default_rounds) = match method {
        Method::Sha256 => ("sha256_crypt", 535_000),
        Method::Sha512 => ("sha512_crypt", 656_000),
    };
    if !salt.bytes().all(|byte| DIGITS.contains(&byte)) {
        return Err("invalid characters in salt".to_owned());
    }
    if salt.len() > MAX_SALT {
        return Err(format!("invalid salt size supplied ({}), expected at most {MAX_SALT}", salt.len()));
    }
    match salt_of_bytes(salt.as_bytes()) {
        Some(salt) => Ok(sha_crypt(method, password.as_bytes(), &salt, rounds.unwrap_or(default_rounds))),
        None => Err(format!("Failed to generate salt for '{name}' algorithm: crypt_gensalt failed: unable to generate salt")),
    }
}

#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Latin1,
    Utf16 { big: bool },
}

fn encoding(arguments: &Bound) -> Result<Encoding> {
    let name = arguments.text(0)?.map_or("utf-8", Text::as_str);
    match name.to_lowercase().replace('_', "-").as_str() {
        "utf-8" | "utf8" | "ascii" | "us-ascii" => Ok(Encoding::Utf8),
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" => Ok(Encoding::Latin1),
        "utf-16-le" | "utf-16le" => Ok(Encoding::Utf16 { big: false }),
        "utf-16-be" | "utf-16be" => Ok(Encoding::Utf16 { big: true }),
        _ => refuse(format!("the encoding `{name}` is not supported yet")),
    }
}

fn b64encode(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let text = evaluator.text(value)?;
    let bytes = match encoding(arguments)? {
        Encoding::Utf8 => text.as_str().as_bytes().to_vec(),
        Encoding::Latin1 => match text.as_str().chars().map(|char| u8::try_from(u32::from(char))).collect() {
            Ok(bytes) => bytes,
            Err(_) => return refuse("'latin-1' codec can't encode characters: ordinal not in range(256)"),
        },
        Encoding::Utf16 { big } => {
            text.as_str().encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        }
    };
    let encoded = if arguments.flag_or(evaluator, 1, false)? { URL_SAFE.encode(bytes) } else { STANDARD.encode(bytes) };
    Ok(derived(evaluator, &text, encoded))
}

fn b64decode(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let text = evaluator.text(value)?;
    let mut chars = text.as_str().to_owned();
    if arguments.flag_or(evaluator, 1, false)? {
        chars = chars.replace('-', "+").replace('_', "/");
    }
    // Python skips what is not of the alphabet, and stops at the padding.
    let data: String = chars.chars().filter(|char| char.is_ascii_alphanumeric() || matches!(char, '+' | '/' | '=')).collect();
    let body = data.trim_end_matches('=');
    let padding = data.len() - body.len();
    if body.len() % 4 == 1 {
        return refuse(format!(
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a multiple of 4",
            body.len()
        ));
    }
    if padding < (4 - body.len() % 4) % 4 {
        return refuse("Incorrect padding");
    }
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
    let Ok(bytes) = GeneralPurpose::new(&alphabet::STANDARD, config).decode(body) else {
        return refuse("Incorrect padding");
    };
    let decoded = match encoding(arguments)? {
        Encoding::Utf8 => match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let byte = error.as_bytes().get(at).copied().unwrap_or_default();
                return refuse(format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: invalid start byte"));
            }
        },
        Encoding::Latin1 => bytes.into_iter().map(char::from).collect(),
        Encoding::Utf16 { big } => {
            let units = bytes
                .chunks_exact(2)
                .map(|pair| if big { u16::from_be_bytes([pair[0], pair[1]]) } else { u16::from_le_bytes([pair[0], pair[1]]) });
            char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
    };
    Ok(derived(evaluator, &text, decoded))
}

/// The namespace of Ansible.
const ANSIBLE: &str = "361e6d51-faec-444a-9079-341386da8e2e";

fn to_uuid(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let text = evaluator.text(value)?;
    let namespace = arguments.text(0)?.map_or(ANSIBLE, Text::as_str);
    let digits = namespace.replace("urn:", "").replace("uuid:", "");
    let digits: String = digits.trim_matches(['{', '}']).chars().filter(|char| *char != '-').collect();
    let bytes: Option<Vec<u8>> = (digits.len() == 32 && digits.is_ascii())
        .then(|| (0..16).map(|index| u8::from_str_radix(&digits[index * 2..index * 2 + 2], 16).ok()).collect())
        .flatten();
    let Some(mut bytes) = bytes else {
        return refuse(format!("Invalid value '{namespace}' for 'namespace': badly formed hexadecimal UUID string"));
    };
    bytes.extend_from_slice(text.as_str().as_bytes());
    let mut id = sha1::Sha1::digest(&bytes)[..16].to_vec();
    id[6] = id[6] & 0x0f | 0x50;
    id[8] = id[8] & 0x3f | 0x80;
    let id = hex(&id);
    Ok(derived(evaluator, &text, format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..])))
}
