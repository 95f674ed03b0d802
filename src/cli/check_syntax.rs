//! `driftless check-syntax`: what is certainly wrong with playbooks, and nothing else. Touches no host.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};
use serde_json::{Value as Json, json};

use super::flags::InventoryFlags;
use super::playbook::words;
use super::session::{Exit, Hosts, Session};
use crate::display::Stream;
use crate::playbook::Playbook;
use crate::playbook::load::Loader;
use crate::source::{Diagnostic, Diagnostics, Severity, Span};

/// What was typed.
#[derive(Args, Clone, Debug)]
pub struct CheckSyntaxArgs {
    /// The playbooks.
    #[arg(required = true)]
    playbooks: Vec<PathBuf>,
    #[command(flatten)]
    inventory: InventoryFlags,
    /// Tags that something must have.
    #[arg(short = 't', long = "tags", action = ArgAction::Append)]
    tags: Vec<String>,
    /// Tags that something must have.
    #[arg(long = "skip-tags", action = ArgAction::Append)]
    skip_tags: Vec<String>,
    /// How mistakes are shown.
    #[arg(long = "format", value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How mistakes are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: the line with carets.
    Text,
    /// For programs: one document.
    Json,
}

/// The exit code where there are mistakes, as of a playbook that cannot be loaded.
const WRONG: u8 = 4;

/// Runs the command.
pub fn run(args: &CheckSyntaxArgs) -> u8 {
    execute(args).unwrap_or_else(|Exit(code)| code)
}

fn execute(args: &CheckSyntaxArgs) -> Result<u8, Exit> {
    let mut session = Session::start(args.inventory.verbose)?;
    let playbooks = session.find_playbooks(&args.playbooks)?;
    let hosts = session.hosts(&args.inventory)?;
    let found = session.with_loader(&hosts, |session, loader| mistakes(args, &playbooks, session, &hosts, loader))?;
    let is_wrong = found.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    match args.format {
        Format::Text => {
            for diagnostic in &found {
                session.display.diagnostic_beside_result(diagnostic, Stream::Out);
                session.display.line("");
            }
            session.display.line(&summary(&found));
        }
        Format::Json => {
            let list: Vec<Json> = found.iter().map(as_json).collect();
            let text = serde_json::to_string_pretty(&json!({ "mistakes": list })).expect("texts and numbers are JSON");
            session.display.line(&text);
        }
    }
    Ok(if is_wrong { WRONG } else { 0 })
}

/// What loading finds; where that is nothing, what else is certainly wrong.
fn mistakes(
    args: &CheckSyntaxArgs,
    paths: &[PathBuf],
    session: &mut Session,
    hosts: &Hosts,
    loader: &Loader<'_>,
) -> Result<Vec<Diagnostic>, Exit> {
    let mut diagnostics = Diagnostics::new();
    let playbooks: Vec<Playbook> = paths.iter().map(|path| loader.playbook(path, &mut diagnostics)).collect();
    if diagnostics.has_errors() {
        return Ok(diagnostics.into_sorted());
    }
    let (tags, skip_tags) = (words(&[], &args.tags), words(&[], &args.skip_tags));
    for mistake in session.preflight(hosts, loader, &playbooks, &tags, &skip_tags)? {
        diagnostics.push(mistake);
    }
    Ok(diagnostics.into_sorted())
}

fn summary(found: &[Diagnostic]) -> String {
    let count = |severity| found.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let number = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    match (count(Severity::Error), count(Severity::Warning)) {
        (0, 0) => "no mistakes found".to_owned(),
        (0, warnings) => format!("no mistakes found, {}", number(warnings, "warning")),
        (errors, 0) => format!("{} found", number(errors, "mistake")),
        (errors, warnings) => format!("{} found, {}", number(errors, "mistake"), number(warnings, "warning")),
    }
}

fn as_json(diagnostic: &Diagnostic) -> Json {
    let place = |span: &Span| {
        let (line, column) = span.line_column();
        let (end_line, end_column) = span.source().line_column(span.end());
        json!({ "file": span.source().name(), "line": line, "column": column, "end_line": end_line, "end_column": end_column })
    };
    let labels: Vec<Json> = diagnostic.labels.iter().map(|label| json!({ "place": place(&label.span), "text": label.text })).collect();
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "severity": severity,
        "message": diagnostic.message,
        "place": diagnostic.span().map(place),
        "labels": labels,
        "notes": diagnostic.notes,
        "hint": diagnostic.hint,
    })
}
