//! The filter `urlize`: addresses in a text become links.

use super::{derived, filter, refuse};
use crate::template::python::html::escape;
use crate::template::python::regex::{Anchor, Flags, RegexError, compile};
use crate::template::{Bound, Evaluator, Filter, Param, Result, TemplateError, Val};
use crate::value::Text;

use Param::Optional;

pub(super) const FILTERS: &[Filter] = &[filter(
    "urlize",
    &[Optional("trim_url_limit"), Optional("nofollow"), Optional("target"), Optional("rel"), Optional("extra_schemes")],
    urlize,
)];

const ADDRESS: &str = concat!(
    r"(?i)(?:(?:https?://|www\.)(?:(?:[\w%-]+\.)+)?(?:[a-z]{2,63}|xn--[\w%]{2,59})",
    r"|(?:[\w%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil)",
    r"|https?://(?:\d{1,3}(?:\.\d{1,3}){3}|\[(?:[\da-f]{0,4}:){2}(?:[\da-f]{0,4}:?){1,6}\]))",
    r"(?::\d{1,5})?(?:[/?#]\S*)?$",
);
const MAIL: &str = r"\S+@\w[\w.-]*\.\w+$";
const SCHEME: &str = r"[\w.+-]{2,}:(?:/){0,2}$";

/// How links are written.
struct Links {
    limit: Option<usize>,
    attributes: String,
    schemes: Vec<String>,
}

fn urlize(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let given = |index: usize| arguments.get(index).filter(|val| !val.is_none());
    let limit = match given(0) {
        None => None,
        Some(_) => Some(usize::try_from(arguments.int_or(0, 0)?).unwrap_or(0)),
    };
    let mut relations: Vec<String> = match given(3) {
        None => Vec::new(),
        Some(val) => evaluator.text(val)?.as_str().split_whitespace().map(str::to_owned).collect(),
    };
    if arguments.flag_or(evaluator, 1, false)? {
        relations.push("nofollow".to_owned());
    }
    relations.push("noopener".to_owned());
    relations.sort();
    relations.dedup();
    let mut attributes = format!(" rel=\"{}\"", escape(&relations.join(" ")));
    if let Some(target) = given(2) {
        attributes += &format!(" target=\"{}\"", escape(evaluator.text(target)?.as_str()));
    }
    let mut schemes = Vec::new();
    for scheme in given(4).map_or(Ok(Vec::new()), |list| evaluator.items(list))? {
        let text = evaluator.text(&scheme)?;
        if !matches(SCHEME, text.as_str())? {
            return refuse(format!("{} is not a valid URI scheme prefix.", evaluator.repr(&scheme)?.as_str()));
        }
        schemes.push(text.as_str().to_owned());
    }
    let text = evaluator.text(value)?;
    let links = Links { limit, attributes, schemes };
    let linked = links.in_text(&escape(text.as_str()))?;
    evaluator.charge(linked.len())?;
    Ok(derived(evaluator, &Text::clone(&text), linked))
}

fn matches(pattern: &str, text: &str) -> Result<bool> {
    let unusable = |error: RegexError| TemplateError::plugin(error.to_string());
    compile(pattern, Flags::default(), Anchor::Start).and_then(|pattern| pattern.is_match(text)).map_err(unusable)
}

impl Links {
    fn in_text(&self, text: &str) -> Result<String> {
        let mut out = String::new();
        for piece in text.split_inclusive(char::is_whitespace) {
            let word = piece.trim_end_matches(char::is_whitespace);
            let (head, middle, tail) = parts(word);
            out.push_str(&head);
            out.push_str(&self.linked(&middle)?);
            out.push_str(&tail);
            out.push_str(&piece[word.len()..]);
        }
        Ok(out)
    }

    fn linked(&self, word: &str) -> Result<String> {
        if matches(ADDRESS, word)? {
            let scheme = if word.starts_with("https://") || word.starts_with("http://") { "" } else { "https://" };
            return Ok(format!("<a href=\"{scheme}{word}\"{}>{}</a>", self.attributes, self.shortened(word)));
        }
        if let Some(address) = word.strip_prefix("mailto:")
            && matches(MAIL, address)?
        {
            return Ok(format!("<a href=\"{word}\">{address}</a>"));
        }
        if word.contains('@') && !word.starts_with("www.") && !word.contains(':') && matches(MAIL, word)? {
            return Ok(format!("<a href=\"mailto:{word}\">{word}</a>"));
        }
        match self.schemes.iter().any(|scheme| word != scheme && word.starts_with(scheme.as_str())) {
            true => Ok(format!("<a href=\"{word}\"{}>{word}</a>", self.attributes)),
            false => Ok(word.to_owned()),
        }
    }

    fn shortened(&self, address: &str) -> String {
        match self.limit {
            Some(limit) if address.chars().count() > limit => address.chars().take(limit).chain("...".chars()).collect(),
            _ => address.to_owned(),
        }
    }
}

const OPENING: [&str; 3] = ["(", "<", "&lt;"];
const CLOSING: [&str; 3] = [")", ">", "&gt;"];

/// What stands around an address: brackets before it; brackets, dots and commas behind it.
fn parts(word: &str) -> (String, String, String) {
    let mut middle = word;
    while let Some(rest) = OPENING.iter().find_map(|mark| middle.strip_prefix(mark)) {
        middle = rest;
    }
    let head = word[..word.len() - middle.len()].to_owned();
    let inner = middle;
    while let Some(rest) = [")", ">", ".", ",", "&gt;"].iter().find_map(|mark| middle.strip_suffix(mark)) {
        middle = rest;
    }
    let (mut tail, mut middle) = (&inner[middle.len()..], middle.to_owned());
    // A bracket that the address itself opens is its own.
    for (opening, closing) in OPENING.into_iter().zip(CLOSING) {
        let opened = middle.matches(opening).count();
        if opened <= middle.matches(closing).count() {
            continue;
        }
        for _ in 0..opened.min(tail.matches(closing).count()) {
            let end = tail.find(closing).map_or(0, |at| at + closing.len());
            middle.push_str(&tail[..end]);
            tail = &tail[end..];
        }
    }
    (head, middle, tail.to_owned())
}
