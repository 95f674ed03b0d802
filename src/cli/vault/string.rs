//! `vault encrypt_string`: texts as `name: !vault |`, for variable files.

use std::io::Read as _;
use std::path::Path;

use clap::{ArgAction, Args};

use super::files::{Mode, Place, write};
use super::{Common, EncryptFlags, OutputFlags};
use crate::cli::session::{Exit, Session};
use crate::display::{Display, Echo};
use crate::source::absolute;

/// What was typed.
#[derive(Args, Clone, Debug)]
pub(super) struct StringArgs {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    encrypt: EncryptFlags,
    #[command(flatten)]
    output: OutputFlags,
    /// Ask for the text.
    #[arg(short = 'p', long = "prompt")]
    prompt: bool,
    /// Show what is typed when asked for the text.
    #[arg(long = "show-input")]
    show_input: bool,
    /// The name of the variable; several for several texts.
    #[arg(short = 'n', long = "name", action = ArgAction::Append)]
    names: Vec<String>,
    /// The name of the variable whose text comes from stdin.
    #[arg(long = "stdin-name")]
    stdin_name: Option<String>,
    /// The texts; `-` is stdin.
    texts: Vec<String>,
}

/// A text that is to be encrypted.
struct Plain {
    name: Option<String>,
    text: String,
    /// Where it came from, for people.
    from: &'static str,
}

pub(super) fn encrypt_string(args: &StringArgs) -> Result<(), Exit> {
    let mut session = Session::start(args.common.verbose)?;
    let dashes = args.texts.iter().filter(|text| *text == "-").count();
    if args.prompt && (dashes > 0 || args.stdin_name.is_some()) {
        return Err(session.refuse("The --prompt option is not supported if also reading input from stdin", 5));
    }
    let sealer = session.sealer(&args.common, &args.encrypt)?;
    let mut plains = Vec::new();
    if args.prompt {
        plains.push(asked(&mut session, args)?);
    }
    let needs_stdin = !args.prompt && (dashes > 0 || args.stdin_name.is_some() || args.texts.is_empty());
    if needs_stdin {
        plains.push(from_stdin(&mut session, args)?);
    }
    plains.extend(from_arguments(&mut session, args)?);
    let count = plains.len();
    let mut blocks = Vec::new();
    let mut notes = Vec::new();
    for (index, plain) in plains.iter().enumerate() {
        let sealed = sealer.seal(&mut session, plain.text.as_bytes())?;
        blocks.push(block(plain.name.as_deref(), &sealed));
        if count > 1 {
            notes.push(match &plain.name {
                Some(name) => format!("# The encrypted version of variable (\"{name}\", the string #{} from {}).", index + 1, plain.from),
                None => format!("# The encrypted version of the string #{} from {}.)", index + 1, plain.from),
            });
        }
    }
    for note in notes {
        session.display.note(&note);
    }
    let text = blocks.concat();
    let to = match args.output.output.as_deref() {
        Some(path) if path != Path::new("-") => Place::File(absolute(path)),
        _ => Place::Standard,
    };
    write(&mut session, &to, text.as_bytes(), Mode::Private)?;
    session.succeeded("Encryption successful");
    Ok(())
}

/// As a variable file has it.
fn block(name: Option<&str>, sealed: &str) -> String {
    let head = name.map_or_else(String::new, |name| format!("{name}: "));
    let lines: String = sealed.lines().map(|line| format!("          {line}\n")).collect();
    format!("{head}!vault |\n{lines}")
}

fn asked(session: &mut Session, args: &StringArgs) -> Result<Plain, Exit> {
    let nobody = |session: &mut Session| session.refuse("nobody is there to be asked: the input has ended", 1);
    let name = match args.names.first() {
        Some(name) => name.clone(),
        None => session.display.ask("Variable name (enter for no name): ", Echo::On).ok_or_else(|| nobody(session))?,
    };
    let (prompt, echo) = if args.show_input { ("String to encrypt: ", Echo::On) } else { ("String to encrypt (hidden): ", Echo::Off) };
    let text = session.display.ask(prompt, echo).ok_or_else(|| nobody(session))?;
    if text.is_empty() {
        return Err(session.refuse("The plaintext provided from the prompt was empty, not encrypting", 5));
    }
    Ok(Plain { name: Some(name).filter(|name| !name.is_empty()), text, from: "the interactive prompt" })
}

fn from_stdin(session: &mut Session, args: &StringArgs) -> Result<Plain, Exit> {
    if Display::can_ask() {
        session
            .display
            .note("Reading plaintext input from stdin. (ctrl-d to end input, twice if your content does not already have a newline)");
    }
    let mut text = String::new();
    if let Err(error) = std::io::stdin().lock().read_to_string(&mut text) {
        return Err(session.refuse(format!("could not read stdin: {error}"), 1));
    }
    if text.is_empty() {
        return Err(session.refuse("stdin was empty, not encrypting", 5));
    }
    Ok(Plain { name: args.stdin_name.clone(), text, from: "stdin" })
}

fn from_arguments(session: &mut Session, args: &StringArgs) -> Result<Vec<Plain>, Exit> {
    let texts: Vec<&String> = args.texts.iter().filter(|text| *text != "-").collect();
    if !args.names.is_empty() && !args.prompt && texts.len() > args.names.len() {
        let last = args.names.last().map(String::as_str).unwrap_or_default();
        session.display.note("The number of --name options do not match the number of args.");
        session.display.note(&format!("The last named variable will be \"{last}\". The rest will not have names."));
    }
    let mut plains = Vec::new();
    for (index, text) in texts.into_iter().enumerate() {
        if text.is_empty() {
            return Err(session.refuse("The plaintext provided from the command line args was empty, not encrypting", 5));
        }
        let name = args.names.get(index).filter(|_| !args.prompt).cloned();
        plains.push(Plain { name, text: text.clone(), from: "the command line args" });
    }
    Ok(plains)
}
