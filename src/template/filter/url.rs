//! Filters of URLs.

use super::text::no_attribute;
use super::{derived, filter, refuse};
use crate::template::{Bound, Dict, Evaluator, Filter, Param, Result, Val};
use crate::value::{Key, Text, Value};

use Param::{Optional, Rest};

pub(super) const FILTERS: &[Filter] = &[
    filter("urldecode", &[Rest], |evaluator, value, _| {
        let Some(text) = value.as_text() else { return no_attribute(value, "replace") };
        Ok(derived(evaluator, text, unquote(&text.as_str().replace('+', " "))))
    }),
    filter("urlencode", &[], urlencode),
    filter("urlsplit", &[Optional("query")], urlsplit),
];

/// `urllib.parse.quote`: all but letters, digits, `_.-~` and `safe`.
pub(in crate::template) fn quote(text: &str, safe: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let char = char::from(byte);
        if char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-' | '~') || byte.is_ascii() && safe.contains(char) {
            out.push(char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

pub(in crate::template) fn unquote(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| bytes[at] == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn urlencode(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    if !value.is_mapping() && !value.is_list() {
        let text = evaluator.text(value)?;
        return Ok(derived(evaluator, &text, quote(text.as_str(), "/")));
    }
    let pairs: Vec<(Val, Val)> = if value.is_mapping() {
        evaluator.entries(value)?.into_iter().map(|(key, val)| (Val::Plain(key.value().clone()), val)).collect()
    } else {
        let mut pairs = Vec::new();
        for item in evaluator.items(value)? {
            match evaluator.items(&item)?.as_slice() {
                [key, val] => pairs.push((key.clone(), val.clone())),
                other => return refuse(format!("not enough values to unpack (expected 2, got {})", other.len())),
            }
        }
        pairs
    };
    let mut secret = false;
    let mut parts = Vec::new();
    for (key, val) in pairs {
        let (key, val) = (evaluator.text(&key)?, evaluator.text(&val)?);
        secret |= val.is_secret();
        let form = |text: &str| quote(text, "").replace("%20", "+");
        parts.push(format!("{}={}", form(key.as_str()), form(val.as_str())));
    }
    let text = Text::from(parts.join("&"));
    Ok(Val::from(if secret { text.into_secret() } else { text }))
}

/// The parts of a URL; what is absent is `None`.
pub(in crate::template) struct Url {
    pub scheme: String,
    pub netloc: String,
    pub path: String,
    query: String,
    fragment: String,
}

impl Url {
    /// `urllib.parse.urlsplit`
    pub(in crate::template) fn split(url: &str) -> Self {
        let url: String = url.trim_start_matches(|c: char| c <= ' ').chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect();
        let mut rest = url.as_str();
        let mut scheme = String::new();
        if let Some(at) = rest.find(':')
            && rest.starts_with(|c: char| c.is_ascii_alphabetic())
            && rest[..at].chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        {
            scheme = rest[..at].to_lowercase();
            rest = &rest[at + 1..];
        }
        let mut netloc = "";
        if let Some(after) = rest.strip_prefix("//") {
            (netloc, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
        }
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Self { scheme, netloc: netloc.to_owned(), path: path.to_owned(), query: query.to_owned(), fragment: fragment.to_owned() }
    }

    /// What a request asks for: path and query.
    pub(in crate::template) fn request_target(&self) -> String {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        if self.query.is_empty() { path.to_owned() } else { format!("{path}?{}", self.query) }
    }

    fn user(&self) -> (Option<&str>, Option<&str>) {
        match self.netloc.rsplit_once('@') {
            None => (None, None),
            Some((info, _)) => match info.split_once(':') {
                Some((name, password)) => (Some(name), Some(password)),
                None => (Some(info), None),
            },
        }
    }

    fn address(&self) -> (Option<String>, Option<&str>) {
        let info = self.netloc.rsplit_once('@').map_or(self.netloc.as_str(), |(_, info)| info);
        let (host, port) = match info.strip_prefix('[').and_then(|bracketed| bracketed.split_once(']')) {
            Some((host, after)) => (host, after.strip_prefix(':')),
            None => info.split_once(':').map_or((info, None), |(host, port)| (host, Some(port))),
        };
        ((!host.is_empty()).then(|| host.to_lowercase()), port.filter(|port| !port.is_empty()))
    }
}

fn urlsplit(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let Some(text) = value.as_text() else {
        return if value.is_list() || value.is_mapping() {
            refuse(format!("unhashable type: '{}'", value.type_name()))
        } else {
            no_attribute(value, "decode")
        };
    };
    let url = Url::split(text.as_str());
    let (username, password) = url.user();
    let (hostname, port) = url.address();
    let port = match port.map(str::parse::<u16>) {
        None => Val::NONE,
        Some(Ok(port)) => Val::from(i64::from(port)),
        Some(Err(_)) => return refuse("Port out of range 0-65535"),
    };
    let part = |part: Option<&str>| part.map_or(Val::Plain(Value::Null), |part| derived(evaluator, text, part));
    let parts: [(&str, Val); 9] = [
        ("fragment", part(Some(&url.fragment))),
        ("hostname", part(hostname.as_deref())),
        ("netloc", part(Some(&url.netloc))),
        ("password", part(password)),
        ("path", part(Some(&url.path))),
        ("port", port),
        ("query", part(Some(&url.query))),
        ("scheme", part(Some(&url.scheme))),
        ("username", part(username)),
    ];
    match arguments.text(0)?.map(Text::as_str).filter(|name| !name.is_empty()) {
        None => Ok(Val::dict(parts.into_iter().map(|(name, val)| (Key::from(name), val)).collect::<Dict>())),
        Some(wanted) => match parts.into_iter().find(|(name, _)| *name == wanted) {
            Some((_, val)) => Ok(val),
            None => refuse(format!("urlsplit: unknown URL component: {wanted}")),
        },
    }
}
