//! What arguments and files come to.

use super::super::Plugin;
use std::path::PathBuf;

use super::reader::ConfigReader;
use super::{Family, Hop, Proxy, Settings};
use crate::transport::{Address, HostKeyPolicy};

fn address(arguments: &str) -> Address {
    Address { ssh_common_args: Some(format!("-F none {arguments}")), ..Address::new(Plugin::Ssh, "web1") }
}

fn settings(arguments: &str) -> Settings {
    ConfigReader::default().settings(&address(arguments)).unwrap()
}

#[test]
fn arguments_are_honoured() {
    let settings = settings(
        "-o HostName=%h.example.com -p 2222 -l app -o IdentityFile=/k/%r -o IdentitiesOnly=yes -C -J bob@j1:2200,[::1]:22 -o StrictHostKeyChecking=no \
         -o 'UserKnownHostsFile=/a /b' -o ServerAliveInterval=5 -o Ciphers=aes128-ctr -o ConnectTimeout=3 -6 -o 'SetEnv A=b C=d' -q",
    );
    assert_eq!((settings.hostname.as_str(), settings.port, settings.user.as_str()), ("web1.example.com", 2222, "app"));
    assert_eq!(settings.identity_files, [PathBuf::from("/k/app")]);
    assert!(settings.identities_only && settings.identity_files_chosen && settings.compression);
    let hop = |user: Option<&str>, host: &str, port| Hop { user: user.map(str::to_owned), host: host.to_owned(), port: Some(port) };
    assert_eq!(settings.proxy, Proxy::Jump(vec![hop(Some("bob"), "j1", 2200), hop(None, "::1", 22)]));
    assert_eq!(settings.host_key_policy, HostKeyPolicy::Ignore);
    assert_eq!(settings.known_hosts, [PathBuf::from("/a"), PathBuf::from("/b")]);
    assert_eq!((settings.alive_interval.as_secs(), settings.connect_timeout.as_secs(), settings.family), (5, 3, Family::V6));
    assert_eq!((settings.algorithms.ciphers.as_deref(), settings.algorithms.macs), (Some("aes128-ctr"), None));
    assert_eq!(settings.environment, [("A".to_owned(), "b".to_owned()), ("C".to_owned(), "d".to_owned())]);
    assert_eq!(settings.needs_system, None);
    assert_eq!(settings.known_hosts.len(), 2);
}

#[test]
fn variables_go_before_arguments() {
    let mut address = address("-p 1 -l nobody -o IdentityFile=/other");
    address.user = Some("app".to_owned());
    address.port = Some(2222);
    address.private_key_file = Some(PathBuf::from("/key"));
    let settings = ConfigReader::default().settings(&address).unwrap();
    assert_eq!((settings.port, settings.user.as_str()), (2222, "app"));
    assert_eq!(settings.identity_files, [PathBuf::from("/key"), PathBuf::from("/other")]);
}

#[test]
fn what_is_not_ours_goes_to_the_system() {
    assert_eq!(settings("-o ForwardAgent=yes").needs_system.as_deref(), Some("`forwardagent yes`"));
    assert_eq!(settings("-L 8080:localhost:80").needs_system.as_deref(), Some("`localforward 8080 [localhost]:80`"));
    assert_eq!(settings("-o ControlMaster=auto -o ControlPersist=60s -o ControlPath=/tmp/%C -v").needs_system, None);
}

#[test]
fn odd_names_and_words_are_refused() {
    let refused = |address: &Address| ConfigReader::default().settings(address).unwrap_err().to_string();
    assert!(refused(&Address::new(Plugin::Ssh, "-oProxyCommand=x")).contains("begins with `-`"));
    assert!(refused(&Address::new(Plugin::Ssh, "a;b")).contains("characters of the shell"));
    assert!(refused(&address("-o A=b host")).contains("the word `host`"));
    assert!(refused(&address("-o")).contains("ends after `-o`"));
    assert!(refused(&address("-o Nonsense=yes")).contains("nonsense"), "{}", refused(&address("-o Nonsense=yes")));
    assert!(refused(&address("'")).contains("No closing quotation"));
    assert!(refused(&address("-V")).contains("`-V`"));
}

#[test]
fn a_file_is_asked_once_for_alike_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, "Host web*\n  User app\n  ProxyCommand nc %h %p\nHost db\n  HostName 10.0.0.9\nHost *\n Port 2222\n").unwrap();
    let reader = ConfigReader::default();
    let settings = |host: &str| {
        let mut address = Address::new(Plugin::Ssh, host);
        address.ssh_common_args = Some(format!("-F {}", file.display()));
        reader.settings(&address).unwrap()
    };
    for host in ["web-1", "web-2", "web-3"] {
        let settings = settings(host);
        assert_eq!((settings.hostname.as_str(), settings.user.as_str(), settings.port), (host, "app", 2222));
        assert_eq!(settings.proxy, Proxy::Command(format!("nc {host} 2222")));
    }
    assert_eq!(settings("db").hostname, "10.0.0.9");
    // The web hosts, db's lines and db itself.
    assert_eq!(reader.questions(), 3);
}

#[test]
fn hosts_that_come_at_once_ask_once() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let (program, asked) = (folder.path().join("ssh"), folder.path().join("asked"));
    std::fs::write(&program, format!("#!/bin/sh\necho x >> '{}'\nsleep 0.1\nexec ssh \"$@\"\n", asked.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let reader = ConfigReader::default();
    std::thread::scope(|scope| {
        for number in 0..20 {
            let mut address = Address::new(Plugin::Ssh, format!("web{number}"));
            address.ssh_common_args = Some("-F none -o Port=2222".to_owned());
            address.ssh_executable = program.display().to_string();
            let reader = &reader;
            scope.spawn(move || assert_eq!(reader.settings(&address).unwrap().port, 2222));
        }
    });
    assert_eq!(std::fs::read_to_string(&asked).unwrap().lines().count(), 1);
}

#[test]
fn defaults_are_asked_for_only_where_they_decide() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    let questions = |lines: &str, arguments: &str| {
        std::fs::write(&file, lines).unwrap();
        let reader = ConfigReader::default();
        let mut address = Address::new(Plugin::Ssh, "web1");
        address.ssh_common_args = Some(format!("-F {} {arguments}", file.display()));
        (reader.settings(&address).unwrap(), reader.questions())
    };
    let debian = "# comment\n\nHost *\n    SendEnv LANG LC_*\n    HashKnownHosts yes\n    GSSAPIAuthentication no\n";
    let (settings, asked) = questions(debian, "-C -o ControlMaster=auto -o ControlPersist=60s -o Ciphers=aes128-ctr -o IdentityFile=/k");
    assert_eq!((asked, settings.needs_system.as_deref(), settings.identity_files_chosen), (1, None, true));
    assert_eq!((settings.algorithms.ciphers.as_deref(), settings.algorithms.kex), (Some("aes128-ctr"), None));
    // Of another host, or the default itself: only OpenSSH knows.
    let (settings, asked) = questions("Host other\n  Ciphers aes128-ctr\n", "");
    assert_eq!((asked, settings.algorithms.ciphers), (2, None));
    let (settings, asked) = questions("Include /nowhere*/x\nForwardAgent no\n", &format!("-i {}", file.display()));
    assert_eq!((asked, settings.needs_system.as_deref(), settings.identity_files_chosen), (2, None, true));
    // `ssh -G` prints the second line as if it were a setting.
    let (settings, asked) = questions("", "'-oProxyCommand=nc x 1\n:'");
    assert_eq!((asked, settings.needs_system.as_deref()), (2, Some("`: `")));
}
