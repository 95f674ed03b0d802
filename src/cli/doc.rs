//! `driftless doc`: what a module is for and which options it has, out of the same table that checks them.

use std::fmt::Write as _;

use clap::Args;
use driftless_modules::spec::{Opt, Spec, Support};

use super::session::{Exit, Session};
use crate::action;
use crate::playbook::did_you_mean;

/// What was typed.
#[derive(Args, Clone, Debug)]
pub struct DocArgs {
    /// The modules.
    modules: Vec<String>,
    /// List all modules.
    #[arg(short = 'l', long = "list")]
    list: bool,
    /// The kind of plugin.
    #[arg(short = 't', long = "type", default_value = "module")]
    kind: String,
}

/// Runs the command.
pub fn run(args: &DocArgs) -> u8 {
    execute(args).unwrap_or_else(|Exit(code)| code)
}

fn execute(args: &DocArgs) -> Result<u8, Exit> {
    let mut session = Session::start(0)?;
    if args.kind != "module" {
        return Err(session.refuse(format!("`doc -t {}` is not supported yet, only `module` is", args.kind), 5));
    }
    if args.list {
        for name in action::names() {
            let summary = action::spec(name).map_or("", |spec| spec.summary);
            session.display.line(&format!("{name:<24} {summary}"));
        }
        return Ok(0);
    }
    if args.modules.is_empty() {
        return Err(session.refuse("Incorrect options passed: name a module, or use `--list`", 5));
    }
    for written in &args.modules {
        let name = written.strip_prefix("ansible.builtin.").unwrap_or(written);
        let Some(spec) = action::spec(name) else {
            if action::find(name).is_some() {
                session.display.line(&format!("> ANSIBLE.BUILTIN.{}\n\n  An action of the controller.\n", name.to_uppercase()));
                continue;
            }
            let hint = did_you_mean(name, action::names()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(session.refuse(format!("module {written} not found{hint}"), 1));
        };
        session.display.line(&page(spec));
    }
    Ok(0)
}

fn page(spec: &Spec) -> String {
    let mut out = format!("> ANSIBLE.BUILTIN.{}\n\n  {}\n\n", spec.name.to_uppercase(), spec.summary);
    // Writing to a text cannot fail.
    let _ = writeln!(out, "  check mode: {}   diff: {}\n\nOPTIONS (= is required):\n", support(spec.check), support(spec.diff));
    let mut options: Vec<&Opt> = spec.table.options.iter().filter(|option| !option.is_internal()).collect();
    options.sort_by_key(|option| option.name);
    for option in options {
        option_text(&mut out, option, 0);
    }
    for (option, why) in spec.missing {
        let _ = writeln!(out, "  {option}: not supported yet: {why}");
    }
    for example in spec.examples {
        let _ = writeln!(out, "\nEXAMPLE:\n\n{example}");
    }
    out
}

fn option_text(out: &mut String, option: &Opt, depth: usize) {
    let pad = "  ".repeat(depth);
    let mark = if option.required { "=" } else { "-" };
    let _ = writeln!(out, "{pad}{mark} {}", option.name);
    for line in option.doc.lines() {
        let _ = writeln!(out, "{pad}    {}", line.trim());
    }
    let mut facts = vec![format!("type: {}", option.kind.name())];
    if let Some(elements) = option.elements {
        facts.push(format!("elements: {}", elements.name()));
    }
    if let Some(default) = &option.default {
        facts.push(format!("default: {default}"));
    }
    if !option.choices.is_empty() {
        facts.push(format!("choices: [{}]", option.choices.join(", ")));
    }
    if !option.aliases.is_empty() {
        facts.push(format!("aliases: [{}]", option.aliases.join(", ")));
    }
    let _ = writeln!(out, "{pad}    {}\n", facts.join("   "));
    for inner in option.suboptions.iter().flat_map(|table| &table.options) {
        option_text(out, inner, depth + 2);
    }
}

fn support(support: Support) -> &'static str {
    match support {
        Support::Full => "full",
        Support::Partial => "partial",
        Support::None => "none",
    }
}
