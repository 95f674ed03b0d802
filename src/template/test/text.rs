//! Tests of texts.

use super::{refuse, test};
use crate::template::python::regex::{Anchor, Flags, compile};
use crate::template::{Bound, Evaluator, Markers, Param, Result, TemplateError, Test, Val};

use Param::{Optional, Required};

pub(super) const TESTS: &[Test] = &[
    // Ansible's own tests of values ask for this.
    test("ansible._protomatter.tagged_with", &[Required("tag_name")], |evaluator, value, arguments| {
        let text = value.as_text();
        let tag = evaluator.text(arguments.required(0))?;
        Ok(match tag.as_str() {
            "Origin" => text.is_some_and(|text| text.origin().is_some()),
            "TrustedAsTemplate" => text.is_some_and(|text| text.is_trusted()),
            "VaultedValue" => text.is_some_and(|text| text.envelope().is_some()),
            other => return refuse(format!("the tag `{other}` is not known")),
        })
    }),
    test("lower", &[], |evaluator, value, _| Ok(is_cased(evaluator.decoded(value)?.as_str(), char::is_lowercase, char::is_uppercase))),
    test("match", PATTERN, |evaluator, value, arguments| matches(evaluator, value, arguments, Anchor::Start)),
    test("regex", REGEX, |evaluator, value, arguments| {
        let anchor = match arguments.text(3)?.map_or("search", |kind| kind.as_str()) {
            "search" => Anchor::Anywhere,
            "match" => Anchor::Start,
            "fullmatch" => Anchor::Both,
            other => return refuse(format!("'{other}' is no match type, expected 'search', 'match' or 'fullmatch'")),
        };
        matches(evaluator, value, arguments, anchor)
    }),
    test("search", PATTERN, |evaluator, value, arguments| matches(evaluator, value, arguments, Anchor::Anywhere)),
    test("upper", &[], |evaluator, value, _| Ok(is_cased(evaluator.decoded(value)?.as_str(), char::is_uppercase, char::is_lowercase))),
    Test { name: "vault_encrypted", params: &[], markers: Markers::Accept, run: vault_encrypted },
];

const PATTERN: &[Param] = &[Optional("pattern"), Optional("ignorecase"), Optional("multiline")];
const REGEX: &[Param] = &[Required("pattern"), Optional("ignorecase"), Optional("multiline"), Optional("match_type")];

/// Whether the text is in a vault, or came out of one whole.
fn vault_encrypted(_: &Evaluator, value: &Val, _: &Bound) -> Result<bool> {
    match value {
        Val::Undefined(undefined) if undefined.is_sealed() => Ok(true),
        Val::Undefined(undefined) => Err(undefined.error()),
        other => Ok(other.as_text().is_some_and(|text| text.envelope().is_some())),
    }
}

/// Python's `islower`, `isupper`: one letter at least is so, none is the other.
fn is_cased(text: &str, wanted: fn(char) -> bool, other: fn(char) -> bool) -> bool {
    text.chars().any(wanted) && !text.chars().any(other)
}

fn matches(evaluator: &Evaluator, value: &Val, arguments: &Bound, anchor: Anchor) -> Result<bool> {
    let source = arguments.get(0).map(|pattern| evaluator.text(pattern)).transpose()?;
    let flags = Flags {
        ignore_case: arguments.flag_or(evaluator, 1, false)?,
        multi_line: arguments.flag_or(evaluator, 2, false)?,
        ..Flags::default()
    };
    let text = evaluator.decoded(value)?;
    let source = source.as_ref().map_or("", |source| source.as_str());
    compile(source, flags, anchor)
        .and_then(|pattern| pattern.is_match(text.as_str()))
        .map_err(|error| TemplateError::plugin(error.to_string()))
}
