//! Filters of hardware addresses.

use super::{filter, refuse};
use crate::template::{Bound, Evaluator, Filter, Param, Result, Val};
use crate::value::Value;

pub(super) const FILTERS: &[Filter] = &[
    filter("ansible.utils.hwaddr", &[Param::Optional("query"), Param::Optional("alias")], |evaluator, value, arguments| {
        let alias = arguments.text(1)?.map_or("hwaddr", |alias| alias.as_str());
        hwaddr(evaluator, value, arguments, alias)
    }),
    filter("ansible.utils.macaddr", &[Param::Optional("query")], |evaluator, value, arguments| {
        hwaddr(evaluator, value, arguments, "macaddr")
    }),
];

/// The 48 bits of an address in any of the usual spellings.
pub(super) fn parse(text: &str) -> Option<u64> {
    wide(text).filter(|number| *number < 1 << 48)
}

/// As [`parse`], of 64 bits too.
fn wide(text: &str) -> Option<u64> {
    for separator in [':', '-', '.'] {
        if !text.contains(separator) {
            continue;
        }
        let parts: Vec<&str> = text.split(separator).collect();
        let bits = match (separator, parts.len()) {
            (':' | '-', 6 | 8) => 8,
            (_, 3 | 4) => 16,
            (':' | '-', 2) => 24,
            _ => return None,
        };
        return parts.iter().try_fold(0_u64, |number, part| {
            let fits = !part.is_empty() && part.len() <= bits / 4 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
            fits.then(|| u64::from_str_radix(part, 16).ok()).flatten().map(|part| number << bits | part)
        });
    }
    let is_hex = text.bytes().all(|digit| digit.is_ascii_hexdigit());
    match text.len() {
        11 | 12 | 16 if is_hex => u64::from_str_radix(text, 16).ok(),
        _ => text.parse().ok(),
    }
}

fn hwaddr(evaluator: &Evaluator, value: &Val, arguments: &Bound, alias: &str) -> Result<Val> {
    let text = evaluator.text(value)?;
    let number = match value {
        Val::Plain(Value::Int(number)) => u64::try_from(*number).ok(),
        _ => wide(text.as_str()),
    };
    let query = arguments.text(0)?.map_or("", |query| query.as_str());
    let Some(number) = number else {
        return match query {
            "" => Ok(Val::NONE),
            "bool" => Ok(Val::from(false)),
            _ => refuse(format!("{alias}: not a hardware address: {}", text.as_str())),
        };
    };
    let join = |separator: &str, padded: bool| {
        let byte = |shift: u32| {
            let byte = number >> shift & 255;
            if padded { format!("{byte:02x}") } else { format!("{byte:x}") }
        };
        (0..6).rev().map(|place| byte(8 * place)).collect::<Vec<_>>().join(separator)
    };
    let shown = match query {
        "" => return Ok(Val::from(text)),
        "bool" => return Ok(Val::from(true)),
        "int" => return Ok(Val::Plain(Value::int(number.into()))),
        "bare" => join("", true),
        "cisco" => format!("{:04x}.{:04x}.{:04x}", number >> 32 & 0xffff, number >> 16 & 0xffff, number & 0xffff),
        "eui48" | "win" => join("-", true).to_uppercase(),
        "linux" => join(":", true),
        "pgsql" | "postgresql" | "psql" => format!("{:06x}:{:06x}", number >> 24 & 0xff_ffff, number & 0xff_ffff),
        "unix" => join(":", false),
        other => return refuse(format!("{alias}: unknown filter type: {other}")),
    };
    if number >= 1 << 48 {
        return refuse(format!("integer out of bounds: '{number:#x}'!"));
    }
    Ok(Val::from(shown))
}
