//! The SSH connections against a real sshd on loopback, and against servers that are no sshd at all. Each test is bounded in time.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::*;

/// An sshd of our own, ended with the test.
struct Sshd {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl Sshd {
    /// `None`, with one line, where there is no sshd.
    fn start(more: &str) -> Option<Self> {
        if !Path::new("/usr/sbin/sshd").exists() {
            eprintln!("skipped: there is no /usr/sbin/sshd");
            return None;
        }
        if rustix::process::getuid().is_root() {
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        keygen(&at("host"), &["-t", "ed25519"], "");
        keygen(&at("host_rsa"), &["-t", "rsa", "-b", "2048"], "");
        keygen(&at("user"), &["-t", "ed25519"], "");
        fs::copy(at("user.pub"), at("authorized")).unwrap();
        let port = free_port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {0}/host\nHostKey {0}/host_rsa\nAuthorizedKeysFile {0}/authorized\nPidFile none\n\
             UsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nAcceptEnv GREETING\nMaxSessions 4\n{more}\n",
            folder.path().display()
        );
        fs::write(at("config"), config).unwrap();
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(at("config"))
            .stdin(Stdio::null())
            .stderr(fs::File::create(at("log")).unwrap())
            .spawn()
            .unwrap();
        let sshd = Self { folder, port, child };
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "{}", sshd.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        fs::write(sshd.path("known"), sshd.known_line("host")).unwrap();
        Some(sshd)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    fn known_line(&self, key: &str) -> String {
        let public = fs::read_to_string(self.path(&format!("{key}.pub"))).unwrap();
        format!("[127.0.0.1]:{} {public}", self.port)
    }

    fn address(&self, more: &str) -> Address {
        let mut address = address(self.port, &format!("-o 'UserKnownHostsFile={}' {more}", self.path("known").display()));
        address.private_key_file = Some(self.path("user"));
        address
    }

    fn connect(&self, more: &str) -> Result<Box<dyn Connection>, ConnectionError> {
        connect(self.address(more))
    }
}

impl Drop for Sshd {
    /// Its sessions end with it, also those that a test has stopped.
    fn drop(&mut self) {
        let sessions = children(self.child.id());
        let _ = self.child.kill();
        let _ = self.child.wait();
        for session in sessions {
            let _ = kill_process(session, Signal::KILL);
        }
    }
}

/// All that `process` has started, and what those have.
fn children(process: u32) -> Vec<Pid> {
    let listed = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let own = listed.split_whitespace().filter_map(|child| child.parse::<u32>().ok());
    own.flat_map(|child| Pid::from_raw(child.cast_signed()).into_iter().chain(children(child))).collect()
}

fn keygen(path: &Path, kind: &[&str], passphrase: &str) {
    let done = Command::new("ssh-keygen").args(["-q", "-N", passphrase, "-f"]).arg(path).args(kind).status().unwrap();
    assert!(done.success());
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn address(port: u16, more: &str) -> Address {
    let mut address = Address::new(Plugin::Ssh, "127.0.0.1");
    address.port = Some(port);
    address.ssh_common_args = Some(format!("-F none -o GlobalKnownHostsFile=none {more}"));
    address.use_agent = false;
    address.connect_timeout = Duration::from_secs(5);
    address
}

fn connect(address: Address) -> Result<Box<dyn Connection>, ConnectionError> {
    connect_with(&Transport::default(), address, &|_| Answer::No)
}

fn connect_with(
    transport: &Transport,
    address: Address,
    ask: &dyn Fn(&HostKeyQuestion) -> Answer,
) -> Result<Box<dyn Connection>, ConnectionError> {
    transport.connect(&SessionKey::from(address), &Waker::new().unwrap(), ask).map(|connected| connected.connection)
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

#[track_caller]
fn text(output: &ExecOutput) -> String {
    assert_eq!(output.exit, Exit::Code(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn fails(result: Result<Box<dyn Connection>, ConnectionError>, wanted: &str) {
    match result {
        Ok(_) => panic!("connected, wanted: {wanted}"),
        Err(error) => assert!(error.to_string().contains(wanted), "`{error}` does not say `{wanted}`"),
    }
}

#[test]
fn commands_run_over_ssh() {
    let Some(sshd) = Sshd::start("") else { return };
    let mut connection = sshd.connect("-o 'SetEnv GREETING=hi OTHER=no'").unwrap();
    assert_eq!(text(&connection.exec("cat; echo $GREETING$OTHER", b"in ", soon()).unwrap()), "in hi\n");
    let output = connection.exec("echo err >&2; exit 3", b"", soon()).unwrap();
    assert_eq!((&*output.stderr, output.exit), (&b"err\n"[..], Exit::Code(3)));
    assert_eq!(connection.exec("kill -9 $$", b"", soon()).unwrap().exit, Exit::Signal("KILL".to_owned()));
    assert_eq!(connection.exec("head -c 1", &vec![b'x'; 3 << 20], soon()).unwrap().stdout, b"x");
    // More than sshd's MaxSessions in a row: channels are given back.
    for _ in 0..8 {
        assert_eq!(text(&connection.exec("echo ok", b"", soon()).unwrap()), "ok\n");
    }
    let timeout = connection.exec("sleep 5", b"", Deadline::after(Duration::from_millis(100))).unwrap_err();
    assert!(matches!(timeout, ConnectionError::Timeout { .. }), "{timeout}");
    connection.tend().unwrap();
    assert_eq!(text(&connection.exec("echo ok", b"", soon()).unwrap()), "ok\n");
    connection.close();
}

#[test]
fn much_goes_both_ways_at_once() {
    let Some(sshd) = Sshd::start("RekeyLimit 8M") else { return };
    let mut connection = sshd.connect("").unwrap();
    let bytes: Vec<u8> = (0..12u32 << 20).map(|index| (index / 7) as u8).collect();
    let output = connection.exec("tee /dev/stderr", &bytes, soon()).unwrap();
    for (name, got) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let differs = got.iter().zip(&bytes).position(|(got, wanted)| got != wanted);
        assert!(*got == bytes, "{name}: {} bytes of {}, {:?}, the first that differs: {differs:?}", got.len(), bytes.len(), output.exit);
    }
    let stream = connection.spawn("cat >/dev/null; sleep 9", soon()).unwrap();
    connection.send(stream, &bytes);
    let mut read = Vec::new();
    assert_eq!(connection.read(stream, &mut read, soon()).unwrap(), ReadEvent::Room);
    connection.flush(stream, soon()).unwrap();
    // A ping beside a stream that says nothing.
    let echo = connection.spawn("exec cat", soon()).unwrap();
    for _ in 0..200 {
        connection.send(echo, b"ping");
        read.clear();
        while read.len() < 4 {
            assert!(matches!(connection.read(echo, &mut read, soon()).unwrap(), ReadEvent::Stdout(_)));
        }
    }
    let waker = connection.waker();
    std::thread::spawn(move || waker.wake());
    assert_eq!(connection.read(echo, &mut read, soon()).unwrap(), ReadEvent::Woken);
}

#[test]
fn keys_of_every_kind_open_the_door() {
    let Some(sshd) = Sshd::start("") else { return };
    for (name, kind, passphrase) in [
        ("rsa", &["-t", "rsa", "-b", "2048"][..], ""),
        ("ecdsa", &["-t", "ecdsa"], ""),
        ("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"], ""),
        ("locked", &["-t", "ed25519"], "open sesame"),
    ] {
        keygen(&sshd.path(name), kind, passphrase);
        let mut authorized = fs::OpenOptions::new().append(true).open(sshd.path("authorized")).unwrap();
        authorized.write_all(&fs::read(sshd.path(&format!("{name}.pub"))).unwrap()).unwrap();
        let mut address = sshd.address("");
        address.private_key_file = Some(sshd.path(name));
        address.private_key_passphrase = (!passphrase.is_empty()).then(|| Secret::new(passphrase));
        let mut connection = connect(address).unwrap_or_else(|error| panic!("{name}: {error}\n{}", sshd.log()));
        assert_eq!(text(&connection.exec("echo in", b"", soon()).unwrap()), "in\n");
    }
    let mut address = sshd.address("");
    address.private_key_file = Some(sshd.path("locked"));
    fails(connect(address.clone()), "needs a passphrase");
    address.private_key_passphrase = Some(Secret::new("wrong"));
    fails(connect(address), "incorrect passphrase");
}

#[test]
fn a_wrong_key_is_refused_and_said() {
    let Some(sshd) = Sshd::start("") else { return };
    keygen(&sshd.path("other"), &["-t", "ed25519"], "");
    let with_key = |name: &str| Address { private_key_file: Some(sshd.path(name)), ..sshd.address("") };
    fails(connect(with_key("other")), "@127.0.0.1: Permission denied (publickey). hint: key");
    fails(connect(with_key("none")), "No such file or directory");
    fs::set_permissions(sshd.path("user"), fs::Permissions::from_mode(0o644)).unwrap();
    fails(connect(with_key("user")), "too open");
    let mut with_password = with_key("other");
    with_password.password = Some(Secret::new("secret"));
    fails(connect(with_password), "Permission denied (publickey)");
}

#[test]
fn the_agent_is_asked_for_keys() {
    let Some(sshd) = Sshd::start("") else { return };
    let socket = sshd.path("agent");
    let mut agent = Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    while !socket.exists() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    for other in 0..6 {
        let key = sshd.path(&format!("k{other}"));
        keygen(&key, &["-t", "ed25519"], "");
        Command::new("ssh-add").arg("-q").arg(&key).env("SSH_AUTH_SOCK", &socket).status().unwrap();
    }
    Command::new("ssh-add").arg("-q").arg(sshd.path("user")).env("SSH_AUTH_SOCK", &socket).status().unwrap();
    // The key that the arguments name is asked for first, though it is the agent's last.
    fs::rename(sshd.path("user"), sshd.path("gone")).unwrap();
    let mut address =
        sshd.address(&format!("-o IdentityAgent={} -o IdentityFile={}", socket.display(), sshd.path("public-only").display()));
    fs::copy(sshd.path("gone"), sshd.path("public-only")).unwrap();
    fs::set_permissions(sshd.path("public-only"), fs::Permissions::from_mode(0o600)).unwrap();
    address.private_key_file = None;
    address.use_agent = true;
    let result = connect(address);
    let _ = agent.kill();
    let _ = agent.wait();
    let mut connection = result.unwrap();
    assert_eq!(text(&connection.exec("echo in", b"", soon()).unwrap()), "in\n");
}

#[test]
fn host_keys_are_checked() {
    let Some(sshd) = Sshd::start("") else { return };
    let transport = Transport::default();
    let ask = |answer| move |_: &HostKeyQuestion| answer;
    // Only the RSA key is known: it is asked for first, and right.
    fs::write(sshd.path("known"), sshd.known_line("host_rsa")).unwrap();
    sshd.connect("").unwrap();
    // Hashed.
    fs::write(sshd.path("known"), sshd.known_line("host")).unwrap();
    assert!(Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(sshd.path("known")).stdout(Stdio::null()).status().unwrap().success());
    sshd.connect("").unwrap();
    // Unknown.
    fs::write(sshd.path("known"), "").unwrap();
    fails(connect_with(&transport, sshd.address(""), &ask(Answer::No)), "No ED25519 host key is known for [127.0.0.1]:");
    fails(connect_with(&transport, sshd.address("-o StrictHostKeyChecking=yes"), &ask(Answer::Yes)), "SHA256:");
    connect_with(&transport, sshd.address(""), &ask(Answer::Yes)).unwrap();
    assert!(fs::read_to_string(sshd.path("known")).unwrap().starts_with(&format!("[127.0.0.1]:{} ssh-ed25519 ", sshd.port)));
    connect_with(&transport, sshd.address(""), &|_| panic!("asked again")).unwrap();
    fs::write(sshd.path("known"), "").unwrap();
    sshd.connect("-o StrictHostKeyChecking=accept-new -o HashKnownHosts=yes").unwrap();
    assert!(fs::read_to_string(sshd.path("known")).unwrap().starts_with("|1|"));
    sshd.connect("-o StrictHostKeyChecking=yes").unwrap();
    // Changed and revoked.
    let other = fs::read_to_string(sshd.path("user.pub")).unwrap();
    fs::write(sshd.path("known"), format!("[127.0.0.1]:{} {other}", sshd.port)).unwrap();
    fails(connect_with(&transport, sshd.address("-o StrictHostKeyChecking=accept-new"), &ask(Answer::Yes)), "HAS CHANGED");
    fs::write(sshd.path("known"), format!("@revoked * {}", fs::read_to_string(sshd.path("host.pub")).unwrap())).unwrap();
    fails(connect_with(&transport, sshd.address("-o StrictHostKeyChecking=accept-new"), &ask(Answer::Yes)), "REVOKED");
    let ignoring = Address { host_key_policy: HostKeyPolicy::Ignore, ..sshd.address("") };
    connect(ignoring).unwrap();
}

#[test]
fn a_session_that_is_killed_is_noticed() {
    let Some(sshd) = Sshd::start("") else { return };
    let mut connection = sshd.connect("").unwrap();
    let stream = connection.spawn("echo started; kill -9 $PPID; sleep 9", soon()).unwrap();
    let mut bytes = Vec::new();
    let start = Instant::now();
    let error = loop {
        match connection.read(stream, &mut bytes, soon()) {
            Ok(ReadEvent::Stdout(_)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ConnectionError::Closed(_)), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(connection.tend().is_err() && connection.spawn("true", soon()).is_err());
}

#[test]
fn a_silent_host_counts_as_lost() {
    let Some(sshd) = Sshd::start("") else { return };
    let mut connection = sshd.connect("-o ServerAliveInterval=1 -o ServerAliveCountMax=1").unwrap();
    let stopped = connection.spawn("kill -STOP $PPID; sleep 9", soon()).unwrap();
    let start = Instant::now();
    let error = connection.read(stopped, &mut Vec::new(), soon()).unwrap_err();
    assert!(error.to_string().contains("server not responding"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(12));
    // A host that answers is not given up.
    let mut connection = sshd.connect("-o ServerAliveInterval=1 -o ServerAliveCountMax=1").unwrap();
    assert_eq!(text(&connection.exec("sleep 8; echo here", b"", soon()).unwrap()), "here\n");
}

#[test]
fn idle_connections_are_kept_by_tending() {
    let Some(sshd) = Sshd::start("ClientAliveInterval 1\nClientAliveCountMax 1") else { return };
    let [mut unused, mut used, mut neglected] = [(); 3].map(|()| sshd.connect("").unwrap());
    let stream = used.spawn("exec cat", soon()).unwrap();
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(100));
        unused.tend().unwrap();
        used.tend().unwrap();
    }
    for _ in 0..2 {
        assert_eq!(text(&unused.exec("echo here", b"", soon()).unwrap()), "here\n");
    }
    used.send(stream, b"ping");
    let mut bytes = Vec::new();
    assert_eq!(used.read(stream, &mut bytes, soon()).unwrap(), ReadEvent::Stdout(4));
    let lost = (0..20).find_map(|_| {
        std::thread::sleep(Duration::from_millis(50));
        neglected.tend().err()
    });
    assert!(matches!(lost, Some(ConnectionError::Closed(_))), "{lost:?}");
}

#[test]
fn proxies_lead_to_the_host() {
    let Some(sshd) = Sshd::start("") else { return };
    let relay = "python3 -c \"import socket,os,threading\ns=socket.create_connection((chr(49)+'27.0.0.1',%p))\n\
        threading.Thread(target=lambda:[s.sendall(b) for b in iter(lambda:os.read(0,65536),b'')],daemon=True).start()\n\
        [os.write(1,b) for b in iter(lambda:s.recv(65536),b'')]\"";
    if Path::new("/usr/bin/python3").exists() {
        let mut connection = sshd.connect(&shell::quote(&format!("-oProxyCommand={relay}"))).unwrap();
        assert_eq!(text(&connection.exec("cat", &vec![b'x'; 1 << 20], soon()).unwrap()).len(), 1 << 20);
    }
    fails(sshd.connect("-o 'ProxyCommand=echo no way >&2; exit 1'"), "proxy `echo no way >&2; exit 1`: no way");
    fails(sshd.connect("-o 'ProxyCommand=true'"), "proxy `true`");
    // Its streams are closed a while before it has ended.
    fails(sshd.connect("-o 'ProxyCommand=sh -c \"exec <&- >&-; sleep 0.2; exit 3\"'"), "it ended with exit status: 3");
    // All hosts behind the jump host share one session to it; its own settings come from the file.
    let config = format!(
        "Host jump\n HostName 127.0.0.1\n Port {}\n IdentityFile {}\n UserKnownHostsFile {}\n",
        sshd.port,
        sshd.path("user").display(),
        sshd.path("known").display()
    );
    fs::write(sshd.path("ssh_config"), config).unwrap();
    let transport = Transport::default();
    let through = |port: u16| {
        let mut address = sshd.address("");
        let known = sshd.path("known");
        address.ssh_common_args =
            Some(format!("-F {} -J jump -o UserKnownHostsFile={}", sshd.path("ssh_config").display(), known.display()));
        address.port = Some(port);
        address
    };
    let accepted = || sshd.log().matches("Accepted publickey").count();
    let before = accepted();
    let mut connections: Vec<_> = (0..5).map(|_| connect_with(&transport, through(sshd.port), &|_| Answer::No).unwrap()).collect();
    for connection in &mut connections {
        assert_eq!(text(&connection.exec("cat", &vec![b'x'; 1 << 20], soon()).unwrap()).len(), 1 << 20);
    }
    assert_eq!(accepted() - before, 6);
    fails(connect_with(&transport, through(free_port()), &|_| Answer::No), "proxy `jump`: it cannot reach 127.0.0.1");
}

#[test]
fn the_systems_ssh_does_what_we_cannot() {
    let Some(sshd) = Sshd::start("") else { return };
    let key = SessionKey::from(sshd.address("-o ForwardAgent=yes"));
    let connected = Transport::default().connect(&key, &Waker::new().unwrap(), &|_| Answer::No).unwrap();
    assert_eq!(connected.notice.unwrap().text, "the system's `ssh` is used because of `forwardagent yes`");
    let mut connection = connected.connection;
    assert_eq!(text(&connection.exec("cat", &vec![b'x'; 1 << 20], soon()).unwrap()).len(), 1 << 20);
    assert_eq!(connection.exec("exit 7", b"", soon()).unwrap().exit, Exit::Code(7));
    let first_word = |address: Address| {
        let mut connection = connect(Address { plugin: Plugin::OpenSsh, ..address }).unwrap();
        connection.exec("true", b"", soon()).unwrap_err()
    };
    keygen(&sshd.path("other"), &["-t", "ed25519"], "");
    let wrong = first_word(Address { private_key_file: Some(sshd.path("other")), ..sshd.address("") });
    assert!(matches!(&wrong, ConnectionError::Auth { methods, .. } if methods == "publickey"), "{wrong}");
    let refused = first_word(address(free_port(), ""));
    assert!(matches!(refused, ConnectionError::Refused { .. }), "{refused}");
    fs::write(sshd.path("known"), "").unwrap();
    let unknown = first_word(sshd.address(""));
    assert!(matches!(unknown, ConnectionError::HostKey(_)), "{unknown}");
    keygen(&sshd.path("locked"), &["-t", "ed25519"], "it's open");
    fs::copy(sshd.path("locked.pub"), sshd.path("authorized")).unwrap();
    let mut locked = Address { plugin: Plugin::OpenSsh, host_key_policy: HostKeyPolicy::Ignore, ..sshd.address("") };
    locked.private_key_file = Some(sshd.path("locked"));
    locked.private_key_passphrase = Some(Secret::new("it's open"));
    let mut connection = connect(locked).unwrap();
    assert_eq!(text(&connection.exec("echo in", b"", soon()).unwrap()), "in\n");
}

/// A server that is no sshd: `talk` has each connection to itself.
fn server(talk: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(talk));
    port
}

#[track_caller]
fn fails_within(seconds: u64, address: Address, wanted: &str) {
    let start = Instant::now();
    fails(connect(Address { connect_timeout: Duration::from_secs(1), ..address }), wanted);
    assert!(start.elapsed() < Duration::from_secs(seconds), "took {:?}", start.elapsed());
}

#[test]
fn bad_hosts_fail_in_time_and_say_why() {
    fails_within(2, address(free_port(), ""), "Connection refused");
    fails_within(
        3,
        address(server(|stream| std::thread::sleep(Duration::from_secs(9 + u64::from(stream.ttl().unwrap() / 256)))), ""),
        "the host says nothing",
    );
    fails_within(3, address(server(|mut stream| drop(stream.write_all(b"not welcome\r\n"))), ""), "it said `not welcome`");
    let garbage = server(|mut stream| {
        let _ = stream.write_all(&[b'g'; 9000]);
        let _ = stream.read(&mut [0; 100]);
    });
    fails_within(3, address(garbage, ""), "no SSH banner");
    let drip = server(|mut stream| {
        while stream.write_all(b"line\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(1))
        }
    });
    fails_within(3, address(drip, ""), "during banner exchange");
    let nonsense = server(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-Nonsense\r\n");
        let _ = stream.write_all(&[0xff; 4000]);
        let _ = stream.read(&mut [0; 100]);
        std::thread::sleep(Duration::from_millis(200));
    });
    let start = Instant::now();
    let result = Transport::default().connect(
        &SessionKey::from(Address { connect_timeout: Duration::from_secs(1), ..address(nonsense, "") }),
        &Waker::new().unwrap(),
        &|_| Answer::No,
    );
    // Either it is found broken, or the system's ssh is left to say so.
    assert!(result.is_err() || result.is_ok_and(|connected| connected.notice.is_some()));
    let stuck = server(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-Stuck\r\n");
        std::thread::sleep(Duration::from_secs(9));
    });
    fails_within(3, address(stuck, ""), "during the SSH handshake");
    let mut unknown = address(22, "");
    unknown.host = "no-such-host.invalid".to_owned();
    let resolve = connect(unknown).err().unwrap();
    assert!(matches!(resolve, ConnectionError::Resolve { .. }), "{resolve}");
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_busy_sshd_is_tried_again() {
    let Some(sshd) = Sshd::start("") else { return };
    let count = std::sync::atomic::AtomicUsize::new(0);
    let real = sshd.port;
    let busy = server(move |stream| {
        if count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 2 {
            return;
        }
        let far = TcpStream::connect(("127.0.0.1", real)).unwrap();
        let pipe = |mut from: TcpStream, mut to: TcpStream| std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        pipe(stream.try_clone().unwrap(), far.try_clone().unwrap());
        pipe(far, stream);
    });
    let mut address = sshd.address(&format!("-o HostKeyAlias=[127.0.0.1]:{real}"));
    address.port = Some(busy);
    let mut connection = connect(address).unwrap();
    assert_eq!(text(&connection.exec("echo in", b"", soon()).unwrap()), "in\n");
}

/// One test at a time uses the fleet: some take a host's network away.
static FLEET: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// The hosts of a fleet, where there is one: `tests/fleet/README.md`. The lock is to be held.
fn fleet() -> Option<(Vec<serde_json::Value>, std::sync::MutexGuard<'static, ()>)> {
    let Ok(hosts) = std::env::var("DRIFTLESS_FLEET_HOSTS") else {
        eprintln!("skipped: no fleet");
        return None;
    };
    let text = if hosts.trim_start().starts_with('[') { hosts } else { fs::read_to_string(hosts).unwrap() };
    Some((serde_json::from_str(&text).unwrap(), FLEET.lock().unwrap_or_else(std::sync::PoisonError::into_inner)))
}

fn fleet_address(host: &serde_json::Value, user: &str) -> Address {
    let mut address = Address::new(Plugin::Ssh, host["addr"].as_str().unwrap());
    address.port = u16::try_from(host["port"].as_u64().unwrap()).ok();
    address.user = Some(user.to_owned());
    address.use_agent = false;
    let known = std::env::var("DRIFTLESS_FLEET_KNOWN_HOSTS").unwrap();
    address.ssh_common_args = Some(format!("-F none -o UserKnownHostsFile={known}"));
    address
}

#[test]
fn fleet_hosts_take_keys_and_passwords() {
    let Some((hosts, _lock)) = fleet() else { return };
    for host in &hosts {
        let name = host["name"].as_str().unwrap();
        let by_key = Address { private_key_file: host["key"].as_str().map(PathBuf::from), ..fleet_address(host, "root") };
        let mut connection = connect(by_key).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(text(&connection.exec("cat", &vec![b'x'; 4 << 20], soon()).unwrap()).len(), 4 << 20);
        assert_eq!(connection.exec("kill -9 $$", b"", soon()).unwrap().exit, Exit::Signal("KILL".to_owned()), "{name}");
        if host["image"] == "busybox" {
            continue;
        }
        for (user, plugin) in [("plain", Plugin::Ssh), ("ops", Plugin::OpenSsh)] {
            let run = |password: &str| {
                let mut address = Address { plugin, ..fleet_address(host, user) };
                address.password = Some(Secret::new(password));
                connect(address)?.exec("id -un", b"", soon())
            };
            assert_eq!(text(&run(&format!("{user}-pass")).unwrap()), format!("{user}\n"));
            let error = run("wrong").unwrap_err();
            assert!(matches!(error, ConnectionError::Auth { .. }), "{name} {plugin:?}: {error}");
        }
    }
}

#[test]
fn forty_sessions_to_one_fleet_host_stand_at_once() {
    let Some((hosts, _lock)) = fleet() else { return };
    let mut hosts = hosts.iter().filter(|host| host["image"] == "debian");
    let (Some(jump), Some(target)) = (hosts.next(), hosts.next()) else { panic!("the fleet has no two debian hosts") };
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let word = |host: &serde_json::Value, key: &str| host[key].as_str().unwrap().to_owned();
    let known = std::env::var("DRIFTLESS_FLEET_KNOWN_HOSTS").unwrap();
    let key = word(jump, "key");
    fs::write(&config, format!("Host {}\n User root\n IdentityFile {key}\nHost *\n UserKnownHostsFile {known}\n", word(jump, "addr")))
        .unwrap();
    for more in [String::new(), format!("-J {}", word(jump, "addr"))] {
        let transport = Transport::default();
        let mut address = Address { private_key_file: Some(PathBuf::from(&key)), ..fleet_address(target, "root") };
        address.ssh_common_args = Some(format!("-F {} {more}", config.display()));
        address.connect_timeout = Duration::from_secs(20);
        let start = Instant::now();
        let barrier = std::sync::Barrier::new(40);
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| {
                    let mut connection = connect_with(&transport, address.clone(), &|_| Answer::No).unwrap();
                    barrier.wait();
                    assert_eq!(text(&connection.exec("cat", &vec![b'x'; 1 << 16], soon()).unwrap()).len(), 1 << 16);
                });
            }
        });
        eprintln!("40 sessions {more}: {:?}", start.elapsed());
    }
}

#[test]
fn fleet_hosts_that_vanish_are_noticed() {
    let Some((hosts, _lock)) = fleet() else { return };
    let fleet = std::env::var("DRIFTLESS_FLEET").unwrap();
    let host = hosts.iter().find(|host| host["image"] == "debian").expect("the fleet has a debian host");
    let name = host["name"].as_str().unwrap();
    let run = |words: &[&str]| assert!(Command::new(&fleet).args(words).status().unwrap().success(), "{words:?}");
    let mut address = Address { private_key_file: host["key"].as_str().map(PathBuf::from), ..fleet_address(host, "root") };
    address.connect_timeout = Duration::from_secs(2);
    address.ssh_extra_args = Some("-o ServerAliveInterval=3 -o ServerAliveCountMax=1".to_owned());
    let mut connection = connect(address.clone()).unwrap();
    let stream = connection.spawn("sleep 60", soon()).unwrap();
    run(&["net", name, "down"]);
    let start = Instant::now();
    let lost = connection.read(stream, &mut Vec::new(), Deadline::after(Duration::from_secs(30)));
    let fresh = connect(address.clone());
    run(&["net", name, "clear"]);
    assert!(matches!(lost, Err(ConnectionError::Closed(_))), "{lost:?}");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    fails(fresh, "");
    run(&["net", name, "unreach"]);
    let unreachable = connect(address.clone());
    run(&["net", name, "clear"]);
    fails(unreachable, "");
    let mut connection = connect(address).unwrap();
    assert_eq!(text(&connection.exec("echo back", b"", soon()).unwrap()), "back\n");
}
