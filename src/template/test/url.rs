//! Tests of URIs.

use super::test;
use crate::template::filter::Url;
use crate::template::{Bound, Evaluator, Param, Result, Test, Val};

pub(super) const TESTS: &[Test] = &[
    test("uri", SCHEMES, |evaluator, value, arguments| {
        // To Ansible any text is one, and what is empty.
        let is_text = value.as_str().is_some_and(|text| !has_open_bracket(text)) || value.is_none();
        Ok(is_text && parse(evaluator, value, arguments)?.is_some() || value.is_mapping() && evaluator.length(value)? == 0)
    }),
    test("url", SCHEMES, |evaluator, value, arguments| {
        let is_open = value.as_str().is_some_and(has_open_bracket);
        Ok(!is_open && parse(evaluator, value, arguments)?.is_some_and(|url| url.scheme == "file" || !url.netloc.is_empty()))
    }),
    test("urn", &[], |evaluator, value, _| {
        let url = Url::split(evaluator.text(value)?.as_str());
        Ok(url.scheme == "urn" && url.path.contains(':'))
    }),
];

const SCHEMES: &[Param] = &[Param::Optional("schemes")];

/// The URL, unless it has none of the wanted schemes.
fn parse(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Option<Url>> {
    let url = Url::split(evaluator.text(value)?.as_str());
    let fits = match arguments.get(0).filter(|schemes| !schemes.is_none()) {
        Some(schemes) => evaluator.contains(schemes, &Val::from(url.scheme.as_str()))?,
        None => true,
    };
    Ok(fits.then_some(url))
}

/// `http://[x`: no address of the sixth version of IP.
fn has_open_bracket(text: &str) -> bool {
    let host = text.split_once("//").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    host.contains('[') != host.contains(']')
}
