//! The terminal: the one place that writes to stdout and stderr. Colour by role, banners, prompts, a progress line.

mod style;

use std::io::{self, BufRead, IsTerminal, Write};

pub use style::{Paint, Role};

use crate::source::{Diagnostic, Style, render};

/// How much is shown, and how.
#[derive(Debug)]
pub struct Display {
    paint: Paint,
    error_paint: Paint,
    columns: usize,
    /// How many `-v`.
    pub verbosity: u8,
    progress: Option<usize>,
    live: bool,
    seen: Vec<String>,
}

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Display {
    /// A display for this process.
    pub fn new(verbosity: u8, colour: Colour) -> Self {
        let terminal = io::stdout().is_terminal();
        let on = |is_terminal: bool| match colour {
            Colour::Auto => is_terminal,
            Colour::Always => true,
            Colour::Never => false,
        };
        Self {
            paint: Paint { on: on(terminal) },
            error_paint: Paint { on: on(io::stderr().is_terminal()) },
            columns: columns(),
            verbosity,
            progress: None,
            live: terminal && io::stderr().is_terminal(),
            seen: Vec::new(),
        }
    }

    /// Writes a line to stdout.
    pub fn line(&mut self, text: &str) {
        self.clear_progress();
        write_all(&mut io::stdout().lock(), &format!("{text}\n"));
    }

    /// Writes a line in the colour of a role to stdout.
    pub fn coloured(&mut self, role: Role, text: &str) {
        let painted = self.paint.text(role, text);
        self.line(&painted);
    }

    /// `text` in the colour of a role, as stdout shows it.
    pub fn painted(&self, role: Role, text: &str) -> String {
        self.paint.text(role, text)
    }

    /// Whether stdout shows colours.
    pub fn has_colour(&self) -> bool {
        self.paint.on
    }

    /// An empty line, then the text followed by stars up to the edge.
    pub fn banner(&mut self, text: &str) {
        let text = text.trim();
        let stars = self.columns.saturating_sub(text.chars().count()).max(3);
        self.line(&format!("\n{text} {}", "*".repeat(stars)));
    }

    /// Writes a line to stderr: what is no result.
    pub fn note(&mut self, text: &str) {
        self.clear_progress();
        write_all(&mut io::stderr().lock(), &format!("{text}\n"));
    }

    /// `[WARNING]: …` on stderr, once.
    pub fn warning(&mut self, text: &str) {
        if self.seen.iter().any(|seen| seen == text) {
            return;
        }
        self.seen.push(text.to_owned());
        let painted = self.error_paint.text(Role::Warning, &format!("[WARNING]: {text}"));
        self.note(&painted);
    }

    /// `[DEPRECATION WARNING]: …` on stderr, once.
    pub fn deprecated(&mut self, text: &str) {
        if self.seen.iter().any(|seen| seen == text) {
            return;
        }
        self.seen.push(text.to_owned());
        let painted = self.error_paint.text(Role::Deprecated, &format!("[DEPRECATION WARNING]: {text}"));
        self.note(&painted);
    }

    /// A mistake in the user's text, on stderr.
    pub fn diagnostic(&mut self, diagnostic: &Diagnostic) {
        let paint = self.error_paint;
        let text = render(diagnostic, &|style, text| paint.text(role_of(style), text));
        self.note(text.trim_end());
    }

    /// A mistake in the user's text that a task met, on stdout beside the task's result.
    pub fn diagnostic_beside_result(&mut self, diagnostic: &Diagnostic) {
        let paint = self.paint;
        let text = render(diagnostic, &|style, text| paint.text(role_of(style), text));
        self.line(text.trim_end());
    }

    /// Shows how far a step is; only on a terminal, and gone with the next line.
    pub fn progress(&mut self, done: usize, of: usize) {
        if !self.live || of < 2 {
            return;
        }
        self.clear_progress();
        if done < of {
            let text = format!("{done}/{of} hosts");
            write_all(&mut io::stderr().lock(), &text);
            self.progress = Some(text.len());
        }
    }

    /// Asks on the terminal; `None` at the end of input.
    pub fn ask(&mut self, prompt: &str, echo: Echo) -> Option<String> {
        self.clear_progress();
        write_all(&mut io::stdout().lock(), prompt);
        let answer = match echo {
            Echo::On => read_line(),
            Echo::Off => without_echo(read_line),
        };
        if echo == Echo::Off {
            write_all(&mut io::stdout().lock(), "\n");
        }
        answer
    }

    /// Whether somebody can be asked.
    pub fn can_ask() -> bool {
        io::stdin().is_terminal()
    }

    fn clear_progress(&mut self) {
        if self.progress.take().is_some() {
            write_all(&mut io::stderr().lock(), "\r\x1b[K");
        }
    }
}

/// Whether what is typed is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// It is.
    On,
    /// It is a secret.
    Off,
}

fn role_of(style: Style) -> Role {
    match style {
        Style::Error | Style::Caret => Role::Error,
        Style::Warning => Role::Warning,
        Style::Frame => Role::Verbose,
        Style::Hint => Role::Skip,
        Style::Plain => Role::Plain,
    }
}

/// The reader may be gone (`| head`): nobody is left to tell.
fn write_all(out: &mut dyn Write, text: &str) {
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn read_line() -> Option<String> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim_end_matches(['\n', '\r']).to_owned()),
    }
}

fn without_echo<T>(read: impl FnOnce() -> T) -> T {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let stdin = io::stdin();
    let Ok(before) = tcgetattr(&stdin) else { return read() };
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    let _ = tcsetattr(&stdin, OptionalActions::Flush, &quiet);
    let answer = read();
    let _ = tcsetattr(&stdin, OptionalActions::Flush, &before);
    answer
}

/// As Ansible counts: one less than the terminal has, and 79 without one.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col));
    size.saturating_sub(1).max(79)
}
