//! Messages: what the two ends say to each other, as JSON in frames of kind 0.

use serde::{Deserialize, Serialize};

/// A JSON object.
pub type Json = serde_json::Map<String, serde_json::Value>;

/// From the controller to a helper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToHelper {
    /// Run a module.
    Run(Box<Run>),
    /// End the request, if it is waiting or running: TERM to its processes, KILL after 3 s. It is answered as cancelled.
    Cancel {
        /// The request's.
        id: u64,
    },
    /// A stream that was asked for cannot be sent.
    PullFailed {
        /// The stream.
        stream: u32,
        /// Why.
        message: String,
    },
    /// So many bytes of a relayed helper were consumed here.
    Credit {
        /// The helper.
        helper: u32,
        /// How many.
        bytes: u64,
    },
    /// Start the helper of another user as a child.
    StartHelper(Box<StartHelper>),
    /// End a relayed helper that does not end by itself: TERM, then KILL.
    KillHelper {
        /// The helper.
        helper: u32,
    },
    /// End, when what runs has ended. Answered with `Closed`.
    Close,
    /// Are you there?
    Ping {
        /// Comes back in `Pong`.
        nonce: u64,
    },
}

/// From a helper to the controller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromHelper {
    /// The first message; its fields are valid in every version, later versions may add some.
    Hello(Hello),
    /// What became of a request.
    Outcome(Outcome),
    /// Send me this stream, which `Run` announced.
    Pull {
        /// The stream.
        stream: u32,
    },
    /// So many bytes of a pulled stream were consumed: as many more may be sent.
    Consumed {
        /// The stream.
        stream: u32,
        /// How many.
        bytes: u64,
    },
    /// No more of this stream is wanted; what is on its way is dropped.
    Enough {
        /// The stream.
        stream: u32,
    },
    /// So many bytes for a relayed helper were passed on.
    Credit {
        /// The helper.
        helper: u32,
        /// How many.
        bytes: u64,
    },
    /// The program that changes the user let us in: the child's own stream follows as relay frames.
    HelperStarted {
        /// The helper.
        helper: u32,
    },
    /// It did not.
    BecomeFailed {
        /// The helper.
        helper: u32,
        /// Why.
        failure: BecomeFailure,
    },
    /// A relayed helper has ended.
    HelperGone {
        /// The helper.
        helper: u32,
        /// How.
        end: HelperEnd,
        /// The last that it wrote to stderr.
        stderr: String,
    },
    /// I end now.
    Closed,
    /// Yes.
    Pong {
        /// From `Ping`.
        nonce: u64,
    },
}

/// Who answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol's version.
    pub version: u32,
    /// Process id of the helper.
    pub pid: u32,
    /// Effective user id that it runs as.
    pub uid: u32,
    /// Where the binary lies, if that is known.
    #[serde(default)]
    pub path: String,
}

/// A request: run a module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Names the request in `Outcome` and `Cancel`; unique per helper.
    pub id: u64,
    /// The module's name, without a collection.
    pub module: String,
    /// The checked arguments.
    pub args: Body,
    /// Values that must not be seen in logs, on an argv or in what comes back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Change nothing, foretell.
    #[serde(default, skip_serializing_if = "is_false")]
    pub check: bool,
    /// Answer what differs.
    #[serde(default, skip_serializing_if = "is_false")]
    pub diff: bool,
    /// Environment variables to add for the module's programs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<(String, String)>,
    /// Detach the module from this helper; the answer comes at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub async_job: Option<AsyncJob>,
    /// What the module may read, by index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<Content>,
    /// Requests of one group stop at the first that fails: those after it are answered as skipped by their group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
}

/// Arguments or a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Here.
    Inline(Json),
    /// The JSON text is this stream: it follows a `Run`, and comes before an `Outcome`.
    Stream(u32),
}

/// A content that goes with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The number of its stream.
    pub stream: u32,
    /// How many bytes.
    pub size: u64,
    /// It follows at once; else it has to be asked for (`Pull`).
    pub inline: bool,
}

/// A group of requests that were sent ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group(pub u64);

/// How to detach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsyncJob {
    /// The limit, in seconds.
    pub seconds: u64,
    /// The first part of the job's id: `j` and digits. The process id is added.
    pub id: String,
    /// The folder of the status files; `~` is the user's home.
    pub dir: String,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The request's.
    pub id: u64,
    /// How it went.
    pub end: RunEnd,
    /// The module's result, as Ansible's; empty unless it ended.
    pub body: Body,
    /// Contents that the module gives back, in order: streams that came before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<u32>,
}

/// How a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// The module ended, well or not.
    Ended,
    /// `Cancel` came first.
    Cancelled,
    /// An earlier request of its group failed: this one was not started.
    GroupFailed,
}

/// Start the helper of another user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartHelper {
    /// The number that the controller gives it.
    pub helper: u32,
    /// How to become that user.
    pub become_: Become,
    /// Seconds until a prompt must have come and the child must have started.
    pub seconds: u64,
}

/// How to become another user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Become {
    /// `sudo`, `su` or `doas`.
    pub method: String,
    /// The user to become.
    pub user: String,
    /// The password to give when asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The program, if not the method's own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exe: Option<String>,
    /// Options that the user gave, split into words; `None`: the method's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<Vec<String>>,
    /// What a line that asks for the password contains, where the user says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompts: Vec<String>,
    /// The folder to start the program in; where we are if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chdir: Option<String>,
}

impl std::fmt::Debug for Become {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Become")
            .field("method", &self.method)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .field("exe", &self.exe)
            .field("flags", &self.flags)
            .field("prompts", &self.prompts)
            .field("chdir", &self.chdir)
            .finish()
    }
}

/// Why another user's helper did not start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BecomeFailure {
    /// Which of the known ways.
    pub kind: BecomeFailureKind,
    /// For the user, in whole.
    pub message: String,
}

/// The known ways in which becoming another user fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BecomeFailureKind {
    /// The password was refused.
    WrongPassword,
    /// A password is wanted and none was given.
    PasswordMissing,
    /// There is no such program on the host.
    NoProgram,
    /// The login user may not.
    NotAllowed,
    /// There is no such user.
    UnknownUser,
    /// Neither a prompt nor the helper came in time.
    Timeout,
    /// The helper cannot be put where the target user may run it.
    Deploy,
    /// Anything else; the message has what the program said.
    Other,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HelperEnd {
    /// With this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

fn is_false(value: &bool) -> bool {
    !*value
}

impl ToHelper {
    /// As JSON text.
    pub fn to_text(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("messages have text keys only")
    }

    /// From JSON text.
    pub fn from_text(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|error| error.to_string())
    }
}

impl FromHelper {
    /// As JSON text.
    pub fn to_text(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("messages have text keys only")
    }

    /// From JSON text.
    pub fn from_text(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|error| error.to_string())
    }
}

impl HelperEnd {
    /// For the user: `exit code 3`, `signal 9 (SIGKILL)`.
    pub fn describe(self) -> String {
        match self {
            Self::Exit(code) => format!("exit code {code}"),
            Self::Signal(signal) => match signal_name(signal) {
                Some(name) => format!("signal {signal} ({name})"),
                None => format!("signal {signal}"),
            },
        }
    }
}

/// The name of a signal that ends processes, as Linux numbers it.
pub fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        31 => "SIGSYS",
        _ => return None,
    })
}

/// Whether a result or arguments are nested deeper than so many levels.
pub fn is_deeper(map: &Json, levels: usize) -> bool {
    levels == 0 || map.values().any(|value| is_value_deeper(value, levels - 1))
}

fn is_value_deeper(value: &serde_json::Value, levels: usize) -> bool {
    match value {
        serde_json::Value::Array(items) => levels == 0 || items.iter().any(|item| is_value_deeper(item, levels - 1)),
        serde_json::Value::Object(map) => is_deeper(map, levels),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_as_they_went() {
        let args = serde_json::json!({"big": serde_json::from_str::<serde_json::Value>("123456789012345678901234567890").unwrap(), "b": 1.5, "a": [null]});
        let run = Run {
            id: 7,
            module: "command".into(),
            args: Body::Inline(args.as_object().unwrap().clone()),
            secrets: vec!["hidden".into()],
            check: true,
            diff: false,
            environment: vec![("A".into(), "b".into())],
            async_job: Some(AsyncJob { seconds: 10, id: "j1".into(), dir: "~/.ansible_async".into() }),
            contents: vec![Content { stream: 3, size: 5, inline: true }],
            group: Some(Group(1)),
        };
        let message = ToHelper::Run(Box::new(run));
        assert_eq!(ToHelper::from_text(&message.to_text()).unwrap(), message);
        let hello = FromHelper::Hello(Hello { version: 1, pid: 2, uid: 0, path: String::new() });
        assert_eq!(FromHelper::from_text(&hello.to_text()).unwrap(), hello);
    }

    #[test]
    fn a_later_hello_may_have_more_fields() {
        let text = br#"{"hello":{"version":9,"pid":1,"uid":0,"new":[1]}}"#;
        assert!(matches!(FromHelper::from_text(text), Ok(FromHelper::Hello(Hello { version: 9, .. }))));
    }

    #[test]
    fn passwords_are_not_shown() {
        let become_ = Become {
            method: "sudo".into(),
            user: "root".into(),
            password: Some("hush".into()),
            exe: None,
            flags: None,
            prompts: Vec::new(),
            chdir: None,
        };
        assert!(!format!("{become_:?}").contains("hush"));
    }

    #[test]
    fn ends_are_named() {
        assert_eq!(HelperEnd::Signal(9).describe(), "signal 9 (SIGKILL)");
        assert_eq!(HelperEnd::Exit(3).describe(), "exit code 3");
    }
}
