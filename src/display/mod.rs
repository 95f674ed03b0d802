//! The terminal: the one place that writes to stdout and stderr. Colour by role, banners, prompts, a progress line.

mod log;
mod pager;
mod style;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use unicode_width::UnicodeWidthChar as _;

pub use log::{Level, Log};
pub use style::{Paint, Palette, Role};

use crate::source::{Diagnostic, Severity, Style, escape, render, render_as_ansible};

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
    log: Option<Log>,
    log_verbosity: u8,
    shows_deprecations: bool,
    has_deprecated: bool,
    manner: Manner,
}

/// How mistakes are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// `error:`, the place, the line, and carets below what is meant.
    Own,
    /// `[ERROR]:`, the place, and the lines up to it: what tools that call Ansible look for.
    Ansible,
}

impl Manner {
    /// Ansible's where the program is called by a name of Ansible's.
    fn of_process() -> Self {
        let called = std::env::args_os().next().map(PathBuf::from);
        let name = called.as_deref().and_then(Path::file_name).unwrap_or_default();
        if name.to_string_lossy().starts_with("ansible") { Self::Ansible } else { Self::Own }
    }
}

/// Where a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// To stdout.
    Out,
    /// To stderr.
    Err,
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
            paint: Paint { on: on(terminal), palette: Arc::default() },
            error_paint: Paint { on: on(io::stderr().is_terminal()), palette: Arc::default() },
            columns: columns(),
            verbosity,
            progress: None,
            live: terminal && io::stderr().is_terminal(),
            seen: Vec::new(),
            log: None,
            log_verbosity: 0,
            shows_deprecations: true,
            has_deprecated: false,
            manner: Manner::of_process(),
        }
    }

    /// With these colours.
    pub fn with_palette(mut self, palette: Palette) -> Self {
        let palette = Arc::new(palette);
        self.paint.palette = Arc::clone(&palette);
        self.error_paint.palette = palette;
        self
    }

    /// With a log of what is shown, and of what so many `-v` would show.
    pub fn with_log(mut self, log: Log, verbosity: u8) -> Self {
        self.log = Some(log);
        self.log_verbosity = verbosity;
        self
    }

    /// Whether so many `-v` were given; if not, the log may get the text all the same.
    pub fn shows(&mut self, level: u8, text: &str) -> bool {
        if self.verbosity < level && self.log_verbosity >= level {
            self.log(Level::Info, text);
        }
        self.verbosity >= level
    }

    /// Without deprecations.
    pub fn without_deprecations(mut self) -> Self {
        self.shows_deprecations = false;
        self
    }

    /// How mistakes are drawn.
    pub fn manner(&self) -> Manner {
        self.manner
    }

    /// How many characters a line has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Writes a line to stdout.
    pub fn line(&mut self, text: &str) {
        self.coloured(Role::Plain, text);
    }

    /// Writes bytes to stdout as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.clear_progress();
        let mut out = io::stdout().lock();
        // The reader may be gone.
        let _ = out.write_all(bytes).and_then(|()| out.flush());
    }

    /// Shows a long text: page by page on a terminal, by the program `pager` or as it is.
    pub fn page(&mut self, text: &str, pager: &str) {
        let text = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
        if !(Self::is_terminal() && pager::show(&text, pager)) {
            self.bytes(text.as_bytes());
        }
    }

    /// Writes a line in the colour of a role to stdout.
    pub fn coloured(&mut self, role: Role, text: &str) {
        self.show(role, text, Stream::Out);
    }

    /// Writes a line in the colour of a role.
    pub fn show(&mut self, role: Role, text: &str, stream: Stream) {
        self.clear_progress();
        self.log(Level::Info, text);
        match stream {
            Stream::Out => write_all(&mut io::stdout().lock(), &format!("{}\n", self.paint.text(role, text))),
            Stream::Err => write_all(&mut io::stderr().lock(), &format!("{}\n", self.error_paint.text(role, text))),
        }
    }

    /// Writes a mistake that a task met, unless it was written before.
    pub fn mistake(&mut self, text: &str, stream: Stream) {
        if self.is_seen(text) {
            return;
        }
        self.clear_progress();
        self.log(Level::Error, text);
        match stream {
            Stream::Out => write_all(&mut io::stdout().lock(), &format!("{}\n", self.paint.text(Role::Error, text))),
            Stream::Err => write_all(&mut io::stderr().lock(), &format!("{}\n", self.error_paint.text(Role::Error, text))),
        }
    }

    /// Whether this was said before; from now on it was.
    fn is_seen(&mut self, text: &str) -> bool {
        let seen = self.seen.iter().any(|seen| seen == text);
        if !seen {
            self.seen.push(text.to_owned());
        }
        seen
    }

    fn log(&mut self, level: Level, text: &str) {
        if let Some(log) = &mut self.log {
            log.add(level, text);
        }
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
        let width: usize = text.chars().map(|character| character.width().unwrap_or(0)).sum();
        let stars = self.columns.saturating_sub(width).max(3);
        self.line(&format!("\n{text} {}", "*".repeat(stars)));
    }

    /// Writes a line to stderr: what is no result.
    pub fn note(&mut self, text: &str) {
        self.clear_progress();
        write_all(&mut io::stderr().lock(), &format!("{text}\n"));
    }

    /// `[WARNING]: …` on stderr, once.
    pub fn warning(&mut self, text: &str) {
        if self.is_seen(text) {
            return;
        }
        let text = format!("[WARNING]: {text}");
        self.log(Level::Warning, &text);
        let painted = self.error_paint.text(Role::Warning, &text);
        self.note(&painted);
    }

    /// `[DEPRECATION WARNING]: …` on stderr, once.
    pub fn deprecated(&mut self, text: &str) {
        if !self.shows_deprecations || self.is_seen(text) {
            return;
        }
        if !std::mem::replace(&mut self.has_deprecated, true) {
            self.warning("Deprecation warnings can be disabled by setting `deprecation_warnings=False` in ansible.cfg.");
        }
        let text = format!("[DEPRECATION WARNING]: {text}");
        self.log(Level::Warning, &text);
        let painted = self.error_paint.text(Role::Deprecated, &text);
        self.note(&painted);
    }

    /// A mistake in the user's text, on stderr.
    pub fn diagnostic(&mut self, diagnostic: &Diagnostic) {
        let plain = self.drawn(diagnostic, &Paint::default());
        self.log(Level::Error, &plain);
        let text = self.drawn(diagnostic, &self.error_paint);
        self.note(&text);
    }

    /// A mistake in the user's text that a task met, beside the task's result; once.
    pub fn diagnostic_beside_result(&mut self, diagnostic: &Diagnostic, stream: Stream) {
        let plain = self.drawn(diagnostic, &Paint::default());
        if self.is_seen(&plain) {
            return;
        }
        self.clear_progress();
        self.log(Level::Error, &plain);
        match stream {
            Stream::Out => write_all(&mut io::stdout().lock(), &format!("{}\n", self.drawn(diagnostic, &self.paint))),
            Stream::Err => write_all(&mut io::stderr().lock(), &format!("{}\n", self.drawn(diagnostic, &self.error_paint))),
        }
    }

    fn drawn(&self, diagnostic: &Diagnostic, paint: &Paint) -> String {
        match self.manner {
            Manner::Own => render(diagnostic, &|style, text| paint.text(role_of(style), text)).trim_end().to_owned(),
            Manner::Ansible => {
                let role = if diagnostic.severity == Severity::Error { Role::Error } else { Role::Warning };
                paint.text(role, &render_as_ansible(diagnostic))
            }
        }
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
        match echo {
            Echo::On => {
                write_all(&mut io::stdout().lock(), prompt);
                read_line(&mut io::stdin().lock())
            }
            Echo::Off => ask_secret(prompt),
        }
    }

    /// Whether somebody reads what goes to stdout.
    pub fn is_terminal() -> bool {
        io::stdout().is_terminal()
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
    let _ = out.write_all(escape::shown(text).as_bytes()).and_then(|()| out.flush());
}

/// Secrets are asked for at the terminal whatever stdin and stdout are, since these may carry what is to be encrypted.
fn ask_secret(prompt: &str) -> Option<String> {
    let Ok(mut terminal) = std::fs::File::options().read(true).write(true).open("/dev/tty") else {
        write_all(&mut io::stderr().lock(), prompt);
        let answer = without_echo(&io::stdin(), || read_line(&mut io::stdin().lock()));
        write_all(&mut io::stderr().lock(), "\n");
        return answer;
    };
    write_all(&mut terminal, prompt);
    let answer = without_echo(&terminal, || read_line(&mut io::BufReader::new(&terminal)));
    write_all(&mut terminal, "\n");
    answer
}

fn read_line(from: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    match from.read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim_end_matches(['\n', '\r']).to_owned()),
    }
}

fn without_echo<T>(terminal: &impl std::os::fd::AsFd, read: impl FnOnce() -> T) -> T {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let Ok(before) = tcgetattr(terminal) else { return read() };
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    let _ = tcsetattr(terminal, OptionalActions::Flush, &quiet);
    let answer = read();
    let _ = tcsetattr(terminal, OptionalActions::Flush, &before);
    answer
}

/// As Ansible counts: one less than the terminal has, and 79 without one.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col));
    size.saturating_sub(1).max(79)
}
