//! Tests of URIs.

use super::test;
use crate::template::filter::Url;
use crate::template::{Bound, Evaluator, Param, Result, Test, Val};

pub(super) const TESTS: &[Test] = &[
    test("uri", SCHEMES, |evaluator, value, arguments| {
        Ok(parse(evaluator, value, arguments)?.is_some_and(|url| !(url.scheme.is_empty() || url.netloc.is_empty() && url.path.is_empty())))
    }),
    test("url", SCHEMES, |evaluator, value, arguments| {
        Ok(parse(evaluator, value, arguments)?.is_some_and(|url| !url.scheme.is_empty() && !url.netloc.is_empty()))
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
