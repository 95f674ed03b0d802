//! Filters of checksums, Base64 and UUIDs.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE};
use sha1::Digest as _;

use super::{derived, filter, refuse};
use crate::template::python::codec::Codec;
use crate::template::{Bound, Evaluator, Filter, Param, Result, TemplateError, Val};
use crate::value::Text;

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
    filter("sha1", &[], |evaluator, value, _| digest(evaluator, value, "sha1")),
    filter("to_uuid", &[Optional("namespace")], to_uuid),
];

const BASE64: &[Param] = &[Optional("encoding"), Optional("urlsafe")];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a text, or what `encode` gave.
fn bytes_of(evaluator: &Evaluator, value: &Val) -> Result<Vec<u8>> {
    match value.as_bytes() {
        Some(bytes) => Ok(bytes.as_slice().to_vec()),
        None => Codec::Utf8 { marked: false }.encode(evaluator.text(value)?.as_str(), "surrogateescape").map_err(TemplateError::plugin),
    }
}

fn digest(evaluator: &Evaluator, value: &Val, kind: &str) -> Result<Val> {
    let (text, bytes) = (evaluator.text(value)?, bytes_of(evaluator, value)?);
    let bytes = bytes.as_slice();
    let digest = match kind.to_lowercase().as_str() {
        "blake2b" => hex(&blake2::Blake2b512::digest(bytes)),
        "blake2s" => hex(&blake2::Blake2s256::digest(bytes)),
        "md5" => hex(&md5::Md5::digest(bytes)),
        "md5-sha1" => hex(&[md5::Md5::digest(bytes).to_vec(), sha1::Sha1::digest(bytes).to_vec()].concat()),
        "ripemd160" => hex(&ripemd::Ripemd160::digest(bytes)),
        "sha1" => hex(&sha1::Sha1::digest(bytes)),
        "sha224" => hex(&sha2::Sha224::digest(bytes)),
        "sha256" => hex(&sha2::Sha256::digest(bytes)),
        "sha384" => hex(&sha2::Sha384::digest(bytes)),
        "sha3_224" => hex(&sha3::Sha3_224::digest(bytes)),
        "sha3_256" => hex(&sha3::Sha3_256::digest(bytes)),
        "sha3_384" => hex(&sha3::Sha3_384::digest(bytes)),
        "sha3_512" => hex(&sha3::Sha3_512::digest(bytes)),
        "sha512" => hex(&sha2::Sha512::digest(bytes)),
        "sha512_224" => hex(&sha2::Sha512_224::digest(bytes)),
        "sha512_256" => hex(&sha2::Sha512_256::digest(bytes)),
        "shake_128" | "shake_256" => return refuse("hexdigest() missing required argument 'length' (pos 1)"),
        "sm3" => hex(&sm3::Sm3::digest(bytes)),
        _ => return refuse(format!("unsupported hash type {kind}")),
    };
    Ok(derived(evaluator, &text, digest))
}

fn codec(arguments: &Bound) -> Result<Codec> {
    Codec::named(arguments.text(0)?.map_or("utf-8", Text::as_str)).map_err(TemplateError::plugin)
}

fn b64encode(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let text = evaluator.text(value)?;
    let bytes = match value.as_bytes() {
        Some(bytes) => bytes.as_slice().to_vec(),
        None => codec(arguments)?.encode(text.as_str(), "surrogateescape").map_err(TemplateError::plugin)?,
    };
    let encoded = if arguments.flag_or(evaluator, 1, false)? { URL_SAFE.encode(bytes) } else { STANDARD.encode(bytes) };
    Ok(derived(evaluator, &text, encoded))
}

fn b64decode(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let text = evaluator.decoded(value)?;
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
    let decoded = codec(arguments)?.decode(&bytes, "surrogateescape").map_err(TemplateError::plugin)?;
    Ok(derived(evaluator, &text, decoded))
}

/// The namespace of Ansible.
const ANSIBLE: &str = "361e6d51-faec-444a-9079-341386da8e2e";

fn to_uuid(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let text = evaluator.decoded(value)?;
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
