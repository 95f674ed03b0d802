//! YAML that a template reads: as PyYAML itself has it, so Ansible's own tags mean nothing, and what is wrong is said in its words.

use std::sync::Arc;

use super::compose::{Composer, Tags, YAML};
use super::event::{Events, SyntaxError};
use super::{Node, byte_order_mark};
use crate::source::{Diagnostic, Diagnostics, Severity, Source};

/// All documents of `source`; what is wrong first, as PyYAML says it.
pub fn load_foreign(source: &Arc<Source>) -> Result<Vec<Node>, String> {
    let mut documents = Vec::new();
    let mut events = Events::new(source.text(), byte_order_mark(source.text()));
    let mut found = Diagnostics::new();
    let mut composer = Composer::new(source, &mut found, Tags::OfYaml);
    let syntax = loop {
        match composer.document(&mut events) {
            Ok(Some(document)) => documents.push(document),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let wrong = found.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let wrong = wrong.min_by_key(|diagnostic| diagnostic.span().map(|span| span.start()));
    // The parser is asked for no more than has been built.
    let is_before = |error: &SyntaxError, diagnostic: &Diagnostic| diagnostic.span().is_some_and(|span| span.start() < error.at);
    match (syntax, wrong) {
        (Some(error), Some(diagnostic)) if is_before(&error, diagnostic) => Err(of_data(diagnostic)),
        (Some(error), _) => Err(of_syntax(source, &error)),
        (None, Some(diagnostic)) => Err(of_data(diagnostic)),
        (None, None) => Ok(documents),
    }
}

fn at((line, column): (usize, usize)) -> String {
    format!("\n  in \"<unicode string>\", line {line}, column {column}")
}

fn of_syntax(source: &Source, error: &SyntaxError) -> String {
    let place = |offset: usize| {
        let text = source.text();
        let place @ (line, _) = source.line_column(offset);
        // The end of the stream begins a line of its own, for all but the scanner.
        let is_scanning = error.context.is_some_and(|context| context.starts_with("while scanning"));
        let is_end = offset >= text.len() && !text.ends_with('\n') && !is_scanning;
        if is_end { (line + 1, 1) } else { place }
    };
    let problem_at = place(error.at);
    let mut message = String::new();
    if let Some(context) = error.context {
        message.push_str(context);
        if let Some(context_at) = error.context_at.map(place).filter(|context_at| *context_at != problem_at) {
            message.push_str(&at(context_at));
        }
        message.push('\n');
    }
    message + &error.problem + &at(problem_at)
}

/// What is wrong with data that can be parsed.
fn of_data(diagnostic: &Diagnostic) -> String {
    let message = diagnostic.message.as_str();
    let place = diagnostic.span().map_or_else(String::new, |span| at(span.line_column()));
    let quoted = || message.split('`').nth(1).unwrap_or_default();
    let no_constructor = |tag: &str| format!("could not determine a constructor for the tag '{tag}'{place}");
    if message.starts_with("found unknown tag") {
        let tag = quoted();
        return no_constructor(&tag.strip_prefix("!!").map_or_else(|| tag.to_owned(), |name| format!("{YAML}{name}")));
    }
    if message.starts_with("found undefined alias") {
        return format!("found undefined alias{place}");
    }
    match message {
        "found a list as key, expected a text or a number" | "found a map as key, expected a text or a number" => {
            format!("while constructing a mapping\nfound unhashable key{place}")
        }
        _ if message.starts_with("found a lone `=`") => no_constructor(&format!("{YAML}value")),
        _ if message.starts_with("found a lone `<<`") => no_constructor(&format!("{YAML}merge")),
        _ if message.ends_with("` is not an integer") => format!("invalid literal for int() with base 10: '{}'", quoted()),
        _ if message.ends_with("` is not a number") => format!("could not convert string to float: '{}'", quoted()),
        _ if message.ends_with("` is not a boolean") => format!("'{}'", quoted()),
        _ => format!("{message}{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = load_foreign(&Source::named("<unicode string>", text)).err().unwrap_or_default();
        assert_eq!(found.replace("\n  in \"<unicode string>\", line ", " @").replace(", column ", ":"), expected, "{text}");
    }

    #[test]
    fn mistakes_are_said_in_pyyaml_s_words() {
        check("a: !unsafe x", "could not determine a constructor for the tag '!unsafe' @1:4");
        check("!vault [a]", "could not determine a constructor for the tag '!vault' @1:1");
        check("!!python/name:os.system", "could not determine a constructor for the tag 'tag:yaml.org,2002:python/name:os.system' @1:1");
        check("a: {b", "while parsing a flow mapping @1:4\ndid not find expected ',' or '}' @2:1");
        check("a: \"x", "while scanning a quoted scalar @1:4\nfound unexpected end of stream @1:6");
        check("@x", "while scanning for the next token\nfound character that cannot start any token @1:1");
        check("%x", "while scanning a directive @1:1\nfound unknown directive name @1:3");
        check("a: *x", "found undefined alias @1:4");
        check("a: =", "could not determine a constructor for the tag 'tag:yaml.org,2002:value' @1:4");
        check("!!int x", "invalid literal for int() with base 10: 'x'");
        check("a: [1, b]", "");
    }
}
