//! Lookups of the control machine's environment and of what its programs print.

use std::process::{Command, Stdio};

use super::{nothing, refuse};
use crate::template::{Evaluator, Lookup, Options, Result, Val};

pub(super) const LOOKUPS: &[Lookup] = &[
    Lookup { name: "env", options: &["default"], run: env },
    Lookup { name: "lines", options: &[], run: lines },
    Lookup { name: "pipe", options: &[], run: pipe },
];

fn env(evaluator: &Evaluator, terms: &[Val], options: &Options) -> Result<Vec<Val>> {
    let mut values = Vec::new();
    for term in terms {
        let name = evaluator.text(term)?;
        let name = name.as_str().split_whitespace().next().unwrap_or_default();
        values.push(match (std::env::var_os(name), options.get("default")) {
            (Some(value), _) => Val::from(value.to_string_lossy().into_owned()),
            (None, Some(default)) if default.is_undefined() => nothing(format!("The environment variable '{name}' is not set.")),
            (None, Some(default)) if !default.is_none() => default.clone(),
            (None, _) => Val::from(""),
        });
    }
    Ok(values)
}

/// What the shell command prints, run beside the playbook.
fn output(evaluator: &Evaluator, lookup: &str, command: &str) -> Result<String> {
    let folder = &evaluator.context().playbook_dir;
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).stdin(Stdio::null()).stderr(Stdio::inherit());
    if folder.is_dir() {
        shell.current_dir(folder);
    }
    let output = match shell.output() {
        Ok(output) => output,
        Err(error) => return refuse(format!("lookup_plugin.{lookup}({command}) could not start: {error}")),
    };
    if !output.status.success() {
        let code = output.status.code().map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        return refuse(format!("lookup_plugin.{lookup}({command}) returned {code}"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn pipe(evaluator: &Evaluator, terms: &[Val], _: &Options) -> Result<Vec<Val>> {
    terms
        .iter()
        .map(|term| {
            let command = evaluator.text(term)?;
            Ok(Val::from(output(evaluator, "pipe", command.as_str())?.trim_end()))
        })
        .collect()
}

fn lines(evaluator: &Evaluator, terms: &[Val], _: &Options) -> Result<Vec<Val>> {
    let mut all = Vec::new();
    for term in terms {
        let command = evaluator.text(term)?;
        let printed = output(evaluator, "lines", command.as_str())?;
        all.extend(crate::template::python::lines::split_lines(&printed).into_iter().map(|line| Val::from(line.trim_end())));
    }
    Ok(all)
}
