//! Becoming another user: the command line of each method, when it asks for the password, and what its failures mean. Pure: texts
//! in, decisions out. The login helper (`serve`) starts the programs and moves the bytes.
//!
//! Four failures must not be mistaken for each other: a wrong password, no such program, "you may not", and a prompt that never
//! comes (that one is noticed by the clock of the caller).

use driftless_wire::{Become, BecomeFailure, BecomeFailureKind};

/// The methods that are known.
pub const METHODS: &[&str] = &["doas", "su", "sudo"];

/// How a method is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The program and its arguments. Holds no password.
    pub argv: Vec<String>,
    /// The terminal that it needs.
    pub terminal: Terminal,
}

/// What a method reads the password from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// Its standard input, a pipe; or there is no password.
    None,
    /// Its controlling terminal; standard input stays a pipe.
    Controlling,
    /// Its standard input, which has to be a terminal.
    Input,
}

/// The command line that runs `script` (a text for `/bin/sh -c`, without `'`) as the other user. `nonce` marks sudo's prompt.
pub fn start(become_: &Become, script: &str, nonce: &str) -> Result<Start, BecomeFailure> {
    let exe = program(become_);
    let asks = become_.password.is_some();
    let user = become_.user.clone();
    let given = become_.flags.clone();
    let shell = ["/bin/sh", "-c", script].map(str::to_owned);
    let (rest, terminal): (Vec<String>, Terminal) = match become_.method.as_str() {
        "sudo" => {
            // `-n` never asks: with a password `-S` alone.
            let given = given.unwrap_or_else(|| vec!["-H".to_owned(), "-S".to_owned()]);
            let mut rest = without_switches(given, "n", &["--non-interactive"]);
            if asks {
                rest = without_switches(rest, "S", &["--stdin"]);
                // `-k`: what sudo remembers of an earlier task's right password must not make a wrong one right.
                rest.extend(["-S".to_owned(), "-k".to_owned(), "-p".to_owned(), nonce.to_owned()]);
            } else {
                rest.push("-n".to_owned());
            }
            let goes_by_shell = has_switch(&rest, "i", &["--login", "--shell", "-s"]);
            rest.extend(["-u".to_owned(), user]);
            if goes_by_shell {
                rest.extend(["/bin/sh".to_owned(), "-c".to_owned(), for_a_shell(script)]);
            } else {
                rest.extend(shell);
            }
            (rest, Terminal::None)
        }
        "su" => {
            let mut rest = given.unwrap_or_default();
            // The user's own shell gets the text, whichever it is.
            rest.extend([user, "-c".to_owned(), format!("exec /bin/sh -c '{script}'")]);
            (rest, if asks { Terminal::Input } else { Terminal::None })
        }
        "doas" => {
            let mut rest = without_switches(given.unwrap_or_default(), "n", &[]);
            if !asks {
                rest.push("-n".to_owned());
            }
            rest.extend(["-u".to_owned(), user]);
            rest.extend(shell);
            (rest, if asks { Terminal::Controlling } else { Terminal::None })
        }
        other => {
            let message = format!("become method `{other}` is not supported, wanted one of `{}`", METHODS.join("`, `"));
            return Err(BecomeFailure { kind: BecomeFailureKind::Other, message });
        }
    };
    // The shell that changes the folder becomes the program, so that who waits for it waits for that.
    let inside = become_.chdir.iter().flat_map(|folder| ["/bin/sh", "-c", CHANGE_FOLDER, "sh", folder.as_str()].map(str::to_owned));
    Ok(Start { argv: inside.chain(std::iter::once(exe)).chain(rest).collect(), terminal })
}

const CHANGE_FOLDER: &str = "cd \"$1\" && shift && exec \"$@\"";

fn program(become_: &Become) -> String {
    become_.exe.clone().unwrap_or_else(|| become_.method.clone())
}

/// The script on one line without `$`: where sudo hands it to the user's shell, it guards all other characters with a backslash, but a
/// line break is then gone, and a variable is that shell's.
fn for_a_shell(script: &str) -> String {
    let mut octal = String::with_capacity(script.len() * 2);
    for byte in script.bytes() {
        if byte.is_ascii_alphanumeric() || b" ./_-=:".contains(&byte) {
            octal.push(char::from(byte));
        } else {
            octal.push_str(&format!("\\0{byte:03o}"));
        }
    }
    format!("eval \"`printf %b '{octal}'`\"")
}

/// Whether a one-letter switch or its long form is among words.
fn has_switch(words: &[String], letters: &str, long: &[&str]) -> bool {
    words.iter().any(|word| long.contains(&word.as_str()) || without_switch(word.clone(), letters, &[]).as_ref() != Some(word))
}

/// Takes one-letter switches out of words, also where several are joined, as in `-HSn`. The arguments of options are left alone.
fn without_switches(words: Vec<String>, letters: &str, long: &[&str]) -> Vec<String> {
    words.into_iter().filter_map(|word| without_switch(word, letters, long)).collect()
}

fn without_switch(word: String, letters: &str, long: &[&str]) -> Option<String> {
    if long.contains(&word.as_str()) {
        return None;
    }
    let Some(joined) = word.strip_prefix('-').filter(|joined| joined.chars().all(|letter| letter.is_ascii_alphabetic())) else {
        return Some(word);
    };
    // Letters after one that takes an argument belong to it: `-uSn`.
    let switches = joined.find(['C', 'D', 'R', 'T', 'U', 'g', 'h', 'p', 'r', 't', 'u', 's']).unwrap_or(joined.len());
    let kept: String = joined[..switches].chars().filter(|letter| !letters.contains(*letter)).collect();
    let rest = &joined[switches..];
    if kept.is_empty() && rest.is_empty() && !joined.is_empty() { None } else { Some(format!("-{kept}{rest}")) }
}

/// What to do after more output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Read on.
    Wait,
    /// It asks: send the password and a newline.
    SendPassword,
    /// It will not work: stop.
    Failed(BecomeFailure),
}

/// How much of what a program says is kept.
const KEPT: usize = 8 << 10;

/// Reads along with what the program says before the helper starts.
pub struct PromptWatcher {
    method: String,
    /// What was to be run.
    program: String,
    user: String,
    nonce: String,
    /// What the user says that a line asking for the password contains, in lower case.
    prompts: Vec<String>,
    has_password: bool,
    asked: bool,
    said: Vec<u8>,
    /// Where the text after the last prompt begins.
    answered: usize,
}

impl PromptWatcher {
    /// A watcher for the program that [`start`] describes.
    pub fn new(become_: &Become, nonce: &str) -> Self {
        Self {
            method: become_.method.clone(),
            program: program(become_),
            user: become_.user.clone(),
            nonce: nonce.to_owned(),
            prompts: become_.prompts.iter().map(|prompt| prompt.to_lowercase()).collect(),
            has_password: become_.password.is_some(),
            asked: false,
            said: Vec::new(),
            answered: 0,
        }
    }

    /// More of what it says, on stderr or its terminal.
    pub fn feed(&mut self, bytes: &[u8]) -> Verdict {
        self.said.extend_from_slice(bytes);
        if self.said.len() > KEPT {
            let cut = self.said.len() - KEPT;
            self.said.drain(..cut);
            self.answered = self.answered.saturating_sub(cut);
        }
        if !self.is_prompt() {
            return Verdict::Wait;
        }
        self.answered = self.said.len();
        match (self.has_password, self.asked) {
            (false, _) => Verdict::Failed(self.failure(BecomeFailureKind::PasswordMissing)),
            // Asking again means that the first answer was wrong; more of them could lock the account.
            (true, true) => Verdict::Failed(self.failure(BecomeFailureKind::WrongPassword)),
            (true, false) => {
                self.asked = true;
                Verdict::SendPassword
            }
        }
    }

    /// The program ended before the helper started; `code` is its exit code, 127 when it could not be run.
    pub fn ended(&self, code: i32) -> BecomeFailure {
        let said = String::from_utf8_lossy(&self.said).to_lowercase();
        let kind = FAILURES.iter().find(|(method, text, _)| (method.is_empty() || *method == self.method) && said.contains(text));
        match kind {
            Some((_, _, kind)) => self.failure(*kind),
            None if code == 127 => self.failure(BecomeFailureKind::NoProgram),
            None if self.asked && code == 1 && self.method != "su" => self.failure(BecomeFailureKind::WrongPassword),
            None => BecomeFailure {
                kind: BecomeFailureKind::Other,
                message: format!("`{}` ended with exit code {code} before anything ran as `{}`{}", self.method, self.user, self.said()),
            },
        }
    }

    /// Neither a prompt nor the helper came in time.
    pub fn timed_out(&self, seconds: u64) -> BecomeFailure {
        let what = if self.asked { "became success" } else { "prompt" };
        let message =
            format!("Timeout ({seconds}s) waiting for privilege escalation {what}: `{}` to `{}`{}", self.method, self.user, self.said());
        BecomeFailure { kind: BecomeFailureKind::Timeout, message }
    }

    fn failure(&self, kind: BecomeFailureKind) -> BecomeFailure {
        let (method, user) = (&self.method, &self.user);
        let message = match kind {
            BecomeFailureKind::WrongPassword => format!("Incorrect {method} password"),
            BecomeFailureKind::PasswordMissing => format!("Missing {method} password"),
            BecomeFailureKind::NoProgram => format!("there is no program `{}` on the host", self.program),
            BecomeFailureKind::NotAllowed => format!("the login user may not become `{user}` by `{method}`{}", self.said()),
            BecomeFailureKind::UnknownUser => format!("there is no user `{user}` on the host{}", self.said()),
            BecomeFailureKind::Timeout | BecomeFailureKind::Deploy | BecomeFailureKind::Other => {
                format!("`{method}` to `{user}` failed{}", self.said())
            }
        };
        BecomeFailure { kind, message }
    }

    /// What the program said, for a message.
    fn said(&self) -> String {
        let said = String::from_utf8_lossy(&self.said).replace(&self.nonce, "");
        match said.trim() {
            "" => String::new(),
            said => format!(": {said}"),
        }
    }

    fn is_prompt(&self) -> bool {
        let fresh = &self.said[self.answered..];
        if self.method == "sudo" {
            return fresh.windows(self.nonce.len()).any(|window| window == self.nonce.as_bytes());
        }
        let text = String::from_utf8_lossy(fresh);
        let line = text.rsplit(['\n', '\r']).next().unwrap_or_default().trim().to_lowercase();
        let asks = match self.prompts.as_slice() {
            [] => PROMPTS.iter().any(|word| line.contains(word)),
            own => own.iter().any(|word| line.contains(word)),
        };
        asks && (line.ends_with(':') || line.ends_with('\u{ff1a}'))
    }
}

/// What a line that asks for a password contains, in lower case. `LC_ALL=C` makes it English nearly everywhere.
const PROMPTS: &[&str] = &["password", "passwort", "mot de passe", "contrase", "senha", "parola", "пароль", "密码", "パスワード"];

/// What a program says in lower case, and what that means; the first that fits.
const FAILURES: &[(&str, &str, BecomeFailureKind)] = &[
    ("sudo", "a password is required", BecomeFailureKind::PasswordMissing),
    ("sudo", "no password was provided", BecomeFailureKind::WrongPassword),
    ("sudo", "incorrect password attempt", BecomeFailureKind::WrongPassword),
    ("sudo", "sorry, try again", BecomeFailureKind::WrongPassword),
    ("sudo", "is not in the sudoers file", BecomeFailureKind::NotAllowed),
    ("sudo", "is not allowed to", BecomeFailureKind::NotAllowed),
    ("sudo", "may not run sudo", BecomeFailureKind::NotAllowed),
    ("sudo", "must have a tty", BecomeFailureKind::NotAllowed),
    ("sudo", "unknown user", BecomeFailureKind::UnknownUser),
    ("sudo", "command not found", BecomeFailureKind::NoProgram),
    ("su", "authentication failure", BecomeFailureKind::WrongPassword),
    ("su", "incorrect password", BecomeFailureKind::WrongPassword),
    ("su", "sorry", BecomeFailureKind::WrongPassword),
    ("su", "authentication token manipulation error", BecomeFailureKind::PasswordMissing),
    ("su", "must be run from a terminal", BecomeFailureKind::PasswordMissing),
    ("su", "does not exist", BecomeFailureKind::UnknownUser),
    ("su", "unknown user", BecomeFailureKind::UnknownUser),
    ("su", "unknown id", BecomeFailureKind::UnknownUser),
    ("su", "no passwd entry", BecomeFailureKind::UnknownUser),
    ("su", "must be suid", BecomeFailureKind::NotAllowed),
    ("su", "permission denied", BecomeFailureKind::NotAllowed),
    ("su", "not available", BecomeFailureKind::NotAllowed),
    ("doas", "authentication required", BecomeFailureKind::PasswordMissing),
    ("doas", "authorization required", BecomeFailureKind::PasswordMissing),
    ("doas", "authentication failed", BecomeFailureKind::WrongPassword),
    ("doas", "authorization failed", BecomeFailureKind::WrongPassword),
    ("doas", "operation not permitted", BecomeFailureKind::NotAllowed),
    ("doas", "unknown user", BecomeFailureKind::UnknownUser),
    ("doas", "no passwd entry", BecomeFailureKind::UnknownUser),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn become_(method: &str, password: Option<&str>) -> Become {
        Become {
            method: method.into(),
            user: "app".into(),
            password: password.map(Into::into),
            exe: None,
            flags: None,
            prompts: Vec::new(),
            chdir: None,
        }
    }

    fn argv(become_: &Become) -> String {
        argv_of(become_, "S")
    }

    fn argv_of(become_: &Become, script: &str) -> String {
        start(become_, script, "N").unwrap().argv.join(" ")
    }

    #[test]
    fn sudo_never_gets_both_switches() {
        assert_eq!(argv(&become_("sudo", None)), "sudo -H -S -n -u app /bin/sh -c S");
        assert_eq!(argv(&become_("sudo", Some("x"))), "sudo -H -S -k -p N -u app /bin/sh -c S");
        let flags = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
        let joined = Become { flags: flags(&["-HSn", "-E", "--stdin"]), ..become_("sudo", Some("x")) };
        assert_eq!(argv(&joined), "sudo -H -E -S -k -p N -u app /bin/sh -c S");
        let group = Become { flags: flags(&["-gSn", "-n"]), ..become_("sudo", None) };
        assert_eq!(argv(&group), "sudo -gSn -n -u app /bin/sh -c S");
        let login = |words| Become { flags: flags(words), ..become_("sudo", None) };
        for words in [&["-Hi"][..], &["-H", "--login"], &["-s"]] {
            let argv = argv_of(&login(words), "a $b\n'\"c");
            assert!(argv.ends_with(r#"/bin/sh -c eval "`printf %b 'a \0044b\0012\0047\0042c'`""#), "{argv}");
        }
        assert_eq!(argv(&login(&["-gi"])), "sudo -gi -n -u app /bin/sh -c S");
        let elsewhere = Become { chdir: Some("/a b".into()), ..become_("sudo", None) };
        assert_eq!(argv(&elsewhere), format!("/bin/sh -c {CHANGE_FOLDER} sh /a b sudo -H -S -n -u app /bin/sh -c S"));
    }

    #[test]
    fn su_and_doas_use_a_terminal_only_for_a_password() {
        let with = |method| start(&become_(method, Some("x")), "S", "N").unwrap().terminal;
        let without = |method| start(&become_(method, None), "S", "N").unwrap().terminal;
        assert_eq!((with("su"), without("su")), (Terminal::Input, Terminal::None));
        assert_eq!((with("doas"), without("doas")), (Terminal::Controlling, Terminal::None));
        assert_eq!(argv(&become_("su", None)), "su app -c exec /bin/sh -c 'S'");
        assert_eq!(argv(&become_("doas", None)), "doas -n -u app /bin/sh -c S");
    }

    #[test]
    fn prompts_are_known_also_in_pieces() {
        for (method, pieces) in [("sudo", ["lecture\nabc", "NONCE"]), ("su", ["Pass", "word: "]), ("doas", ["\rdoas (a@b) pass", "word: "])]
        {
            let mut watcher = PromptWatcher::new(&become_(method, Some("x")), "abcNONCE");
            assert_eq!(watcher.feed(pieces[0].as_bytes()), Verdict::Wait);
            assert_eq!(watcher.feed(pieces[1].as_bytes()), Verdict::SendPassword);
            assert_eq!(watcher.feed(b"\n"), Verdict::Wait);
        }
    }

    #[test]
    fn the_second_prompt_is_a_wrong_password_and_a_first_without_one_a_missing_one() {
        let mut watcher = PromptWatcher::new(&become_("sudo", Some("x")), "NONCE");
        assert_eq!(watcher.feed(b"NONCE"), Verdict::SendPassword);
        let Verdict::Failed(failure) = watcher.feed(b"Sorry, try again.\nNONCE") else { panic!("it goes on") };
        assert_eq!((failure.kind, failure.message.as_str()), (BecomeFailureKind::WrongPassword, "Incorrect sudo password"));
        let mut watcher = PromptWatcher::new(&become_("su", None), "NONCE");
        let Verdict::Failed(failure) = watcher.feed(b"Password: ") else { panic!("it goes on") };
        assert_eq!(failure.kind, BecomeFailureKind::PasswordMissing);
    }

    #[test]
    fn failures_are_told_apart() {
        let kind = |method, said: &str, code| {
            let mut watcher = PromptWatcher::new(&become_(method, None), "NONCE");
            watcher.feed(said.as_bytes());
            watcher.ended(code).kind
        };
        assert_eq!(kind("sudo", "sudo: a password is required\n", 1), BecomeFailureKind::PasswordMissing);
        assert_eq!(kind("sudo", "plain is not in the sudoers file.\n", 1), BecomeFailureKind::NotAllowed);
        assert_eq!(kind("sudo", "sudo: unknown user app\n", 1), BecomeFailureKind::UnknownUser);
        assert_eq!(kind("sudo", "", 127), BecomeFailureKind::NoProgram);
        assert_eq!(kind("su", "su: Authentication failure\n", 1), BecomeFailureKind::WrongPassword);
        assert_eq!(
            kind("su", "su: user app does not exist or the user entry does not contain all the required fields\n", 1),
            BecomeFailureKind::UnknownUser
        );
        assert_eq!(kind("doas", "doas: Operation not permitted\n", 1), BecomeFailureKind::NotAllowed);
        assert_eq!(kind("sudo", "odd", 3), BecomeFailureKind::Other);
    }

    #[test]
    fn unknown_methods_are_named() {
        assert!(start(&become_("pfexec", None), "S", "N").unwrap_err().message.contains("`pfexec`"));
    }
}
