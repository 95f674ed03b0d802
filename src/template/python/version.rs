//! Orders of versions, as the `version` test knows them: loose, strict, semantic and PEP 440.

use std::cmp::Ordering;

use num_bigint::BigUint;

use super::regex::{Anchor, Flags, Match, Pattern, compile};

/// Which rules a version follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Any text: numbers and words.
    Loose,
    /// `1.2`, `1.2.3`, `1.2a1`.
    Strict,
    /// Semantic versioning 2.0.
    Semantic,
    /// Python's packages.
    Pep440,
}

/// How two versions compare; the error is Python's.
pub fn compare(left: &str, right: &str, scheme: Scheme) -> Result<Ordering, String> {
    match scheme {
        Scheme::Loose => compare_loose(&loose(left), &loose(right)),
        Scheme::Strict => Ok(strict(left)?.cmp(&strict(right)?)),
        Scheme::Semantic => Ok(semantic(left)?.cmp(&semantic(right)?)),
        Scheme::Pep440 => Ok(pep440(left)?.cmp(&pep440(right)?)),
    }
}

#[derive(Debug, PartialEq)]
enum Part {
    Number(BigUint),
    Word(String),
}

impl Part {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Number(_) => "int",
            Self::Word(_) => "str",
        }
    }
}

/// Runs of digits, runs of lower-case letters, and what is between them, without dots.
fn loose(version: &str) -> Vec<Part> {
    let class = |char: char| match char {
        '.' => 0,
        'a'..='z' => 1,
        char if char.is_ascii_digit() => 2,
        _ => 3,
    };
    let mut parts = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.chars().next() {
        let kind = class(first);
        let end = if kind == 0 { 1 } else { rest.find(|char| class(char) != kind).unwrap_or(rest.len()) };
        let (run, tail) = rest.split_at(end);
        match kind {
            0 => {}
            2 => parts.push(Part::Number(run.parse().expect("a run of digits is a number"))),
            _ => parts.push(Part::Word(run.to_owned())),
        }
        rest = tail;
    }
    parts
}

fn compare_loose(left: &[Part], right: &[Part]) -> Result<Ordering, String> {
    for (left, right) in left.iter().zip(right) {
        match (left, right) {
            _ if left == right => {}
            (Part::Number(left), Part::Number(right)) => return Ok(left.cmp(right)),
            (Part::Word(left), Part::Word(right)) => return Ok(left.cmp(right)),
            _ => {
                return Err(format!("'<' not supported between instances of '{}' and '{}'", left.type_name(), right.type_name()));
            }
        }
    }
    Ok(left.len().cmp(&right.len()))
}

fn pattern(source: &str) -> std::sync::Arc<Pattern> {
    compile(source, Flags { ascii: true, ..Flags::default() }, Anchor::Start).expect("the patterns of versions are right")
}

fn parse(source: &str, version: &str, message: &str) -> Result<Match, String> {
    let found = pattern(source).search(version).map_err(|error| error.to_string())?;
    found.ok_or_else(|| format!("{message} '{version}'"))
}

fn number(found: &Match, version: &str, group: usize) -> Option<BigUint> {
    found.group(version, group)?.parse().ok()
}

/// A final release is later than its pre-releases.
type Strict = (Vec<BigUint>, bool, Option<(String, BigUint)>);

fn strict(version: &str) -> Result<Strict, String> {
    let found = parse(r"^(\d+)\.(\d+)(\.(\d+))?([ab](\d+))?$", version, "invalid version number")?;
    let numbers = [1, 2, 4].map(|group| number(&found, version, group).unwrap_or_default()).to_vec();
    let pre = found.group(version, 5).map(|pre| (pre[..1].to_owned(), number(&found, version, 6).unwrap_or_default()));
    Ok((numbers, pre.is_none(), pre))
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(BigUint),
    Word(String),
}

type Semantic = (Vec<BigUint>, bool, Vec<Identifier>);

fn semantic(version: &str) -> Result<Semantic, String> {
    let source = r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$";
    let found = parse(source, version, "invalid semantic version")?;
    let numbers = [1, 2, 3].map(|group| number(&found, version, group).unwrap_or_default()).to_vec();
    let identifier = |text: &str| match text.parse::<BigUint>() {
        Ok(number) => Identifier::Number(number),
        Err(_) => Identifier::Word(text.to_owned()),
    };
    let pre: Vec<Identifier> = found.group(version, 4).map(|pre| pre.split('.').map(identifier).collect()).unwrap_or_default();
    Ok((numbers, pre.is_empty(), pre))
}

/// `-1` is before everything, `None` after: the keys of PEP 440.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Edge<T> {
    Least,
    At(T),
    Most,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Local {
    Word(String),
    Number(BigUint),
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pep440 {
    epoch: BigUint,
    release: Vec<BigUint>,
    pre: Edge<(String, BigUint)>,
    post: Edge<BigUint>,
    dev: Edge<BigUint>,
    local: Edge<Vec<Local>>,
}

fn pep440(version: &str) -> Result<Pep440, String> {
    let lower = version.to_lowercase();
    let source = r"\s*v?(?:(\d+)!)?(\d+(?:\.\d+)*)([-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d+)?)?((?:-(\d+))|(?:[-_.]?(post|rev|r)[-_.]?(\d+)?))?([-_.]?(dev)[-_.]?(\d+)?)?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*\Z";
    let found = pattern(source).search(&lower).map_err(|error| error.to_string())?;
    let found = found.ok_or_else(|| format!("Invalid version: '{version}'"))?;
    let number = |group| number(&found, &lower, group);
    let mut release: Vec<BigUint> =
        found.group(&lower, 2).unwrap_or_default().split('.').map(|part| part.parse().expect("the pattern takes digits")).collect();
    while release.len() > 1 && release.last() == Some(&BigUint::ZERO) {
        release.pop();
    }
    let letter = |word: &str| {
        match word {
            "alpha" | "a" => "a",
            "beta" | "b" => "b",
            _ => "rc",
        }
        .to_owned()
    };
    let has_post = found.group(&lower, 6).is_some();
    let has_dev = found.group(&lower, 10).is_some();
    let pre = match found.group(&lower, 4) {
        Some(word) => Edge::At((letter(word), number(5).unwrap_or_default())),
        None if has_dev && !has_post => Edge::Least,
        None => Edge::Most,
    };
    let post = if has_post { Edge::At(number(7).or_else(|| number(9)).unwrap_or_default()) } else { Edge::Least };
    let dev = if has_dev { Edge::At(number(12).unwrap_or_default()) } else { Edge::Most };
    let local = found.group(&lower, 13).map_or(Edge::Least, |local| {
        let part = |text: &str| text.parse().map_or_else(|_| Local::Word(text.to_owned()), Local::Number);
        Edge::At(local.split(['-', '_', '.']).map(part).collect())
    });
    Ok(Pep440 { epoch: number(1).unwrap_or_default(), release, pre, post, dev, local })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scheme: Scheme, ascending: &[&str]) {
        for pair in ascending.windows(2) {
            assert_eq!(compare(pair[0], pair[1], scheme), Ok(Ordering::Less), "{pair:?}");
            assert_eq!(compare(pair[1], pair[0], scheme), Ok(Ordering::Greater), "{pair:?}");
        }
    }

    #[test]
    fn orders_are_as_defined() {
        check(Scheme::Loose, &["", "0.9", "1", "1.0", "1.0.1", "1.2", "1.10", "2.0", "2.0a", "2.0b1"]);
        check(Scheme::Strict, &["1.2a1", "1.2b1", "1.2", "1.2.1"]);
        check(Scheme::Semantic, &["1.0.0-1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0", "1.0.1"]);
        check(Scheme::Pep440, &["1.dev1", "1a1.dev1", "1a1", "1b1", "1rc1", "1", "1+a", "1+1", "1.post1.dev1", "1.post1", "1.1", "1!0"]);
        assert_eq!(compare("1.0", "1", Scheme::Pep440), Ok(Ordering::Equal));
        assert_eq!(compare("1.0.0+a", "1.0.0+b", Scheme::Semantic), Ok(Ordering::Equal));
    }

    #[test]
    fn refusals_are_python_s() {
        let error = |left, right, scheme| compare(left, right, scheme).unwrap_err();
        assert_eq!(error("1.a", "1.2", Scheme::Loose), "'<' not supported between instances of 'str' and 'int'");
        assert_eq!(error("1", "1.2", Scheme::Strict), "invalid version number '1'");
        assert_eq!(error("1", "1.2", Scheme::Semantic), "invalid semantic version '1'");
        assert_eq!(error("x", "1.2", Scheme::Pep440), "Invalid version: 'x'");
    }
}
