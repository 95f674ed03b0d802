//! The lookup `url`, over plain HTTP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use base64::Engine as _;

use super::{flag_or, given, refuse, refuse_option, text_or};
use crate::template::filter::{Url, unquote};
use crate::template::python::lines::split_lines;
use crate::template::{Evaluator, Lookup, Options, Result, Val};
use crate::value::Text;

pub(super) const LOOKUPS: &[Lookup] = &[Lookup { name: "url", options: OPTIONS, run: url }];

const OPTIONS: &[&str] = &[
    "ca_path",
    "ciphers",
    "follow_redirects",
    "force",
    "force_basic_auth",
    "headers",
    "http_agent",
    "password",
    "split_lines",
    "timeout",
    "unix_socket",
    "unredirected_headers",
    "use_gssapi",
    "use_netrc",
    "use_proxy",
    "username",
    "validate_certs",
];

/// No page of a playbook is larger.
const MAX_BODY: u64 = 256 << 20;

fn url(evaluator: &Evaluator, terms: &[Val], options: &Options) -> Result<Vec<Val>> {
    for option in ["unix_socket", "use_gssapi", "unredirected_headers"] {
        if given(options, option).is_some_and(|val| evaluator.truthy(val).unwrap_or(true)) {
            return refuse_option("url", option);
        }
    }
    let request = Request {
        headers: headers(evaluator, options)?,
        timeout: Duration::from_secs_f64(
            text_or(evaluator, options, "timeout", "10")?.as_str().parse::<f64>().unwrap_or(10.0).clamp(0.1, 86_400.0),
        ),
        follow: !matches!(
            text_or(evaluator, options, "follow_redirects", "urllib2")?.as_str().to_lowercase().as_str(),
            "no" | "none" | "false"
        ),
    };
    let split = flag_or(evaluator, options, "split_lines", true)?;
    let mut results = Vec::new();
    for term in terms {
        let address = evaluator.text(term)?;
        let body = match request.fetch(address.as_str(), 0) {
            Ok(body) => body,
            Err(Failure::Unsupported(message)) => return refuse(message),
            Err(Failure::Status(message)) => return refuse(format!("Received HTTP error for {} : {message}", address.as_str())),
            Err(Failure::Connection(message)) => {
                return refuse(format!("Failed lookup url for {}: <urlopen error {message}>", address.as_str()));
            }
        };
        evaluator.charge(body.len())?;
        if split {
            results.extend(split_lines(&body).into_iter().map(Val::from));
        } else {
            results.push(Val::from(body));
        }
    }
    Ok(results)
}

fn headers(evaluator: &Evaluator, options: &Options) -> Result<Vec<(String, String)>> {
    let mut headers = vec![("User-Agent".to_owned(), text_or(evaluator, options, "http_agent", "ansible-httpget")?.as_str().to_owned())];
    if let Some(named) = given(options, "headers") {
        for (key, val) in evaluator.entries(named)? {
            headers
                .push((evaluator.text(&Val::Plain(key.value().clone()))?.as_str().to_owned(), evaluator.text(&val)?.as_str().to_owned()));
        }
    }
    if let Some(name) = given(options, "username") {
        let password = text_or(evaluator, options, "password", "")?;
        let pair = format!("{}:{}", evaluator.text(name)?.as_str(), Text::as_str(&password));
        headers.push(("Authorization".to_owned(), format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))));
    }
    match headers.iter().find(|(name, value)| format!("{name}{value}").contains(['\r', '\n'])) {
        Some((name, _)) => refuse(format!("the header `{}` has a line break", name.trim())),
        None => Ok(headers),
    }
}

struct Request {
    headers: Vec<(String, String)>,
    timeout: Duration,
    follow: bool,
}

enum Failure {
    Unsupported(String),
    Status(String),
    Connection(String),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.raw_os_error() {
            Some(number) => {
                let text = error.to_string();
                let reason = text.split(" (os error").next().unwrap_or_default();
                Self::Connection(format!("[Errno {number}] {reason}"))
            }
            None => Self::Connection(error.to_string()),
        }
    }
}

impl Request {
    fn fetch(&self, address: &str, redirects: usize) -> Result<String, Failure> {
        let url = Url::split(address);
        match url.scheme.as_str() {
            "http" => {}
            // No page leads to a file.
            "file" if redirects == 0 && matches!(url.netloc.as_str(), "" | "localhost") => return file(&unquote(&url.path)),
            "https" => return Err(Failure::Unsupported("the lookup `url` does not support `https` yet".to_owned())),
            "" => return Err(Failure::Unsupported(format!("unknown url type: '{address}'"))),
            other @ ("ftp" | "file") => return Err(Failure::Unsupported(format!("the lookup `url` does not support `{other}` yet"))),
            other => return Err(Failure::Connection(format!("unknown url type: {other}"))),
        }
        let authority = url.netloc.rsplit_once('@').map_or(url.netloc.as_str(), |(_, host)| host);
        let has_port =
            authority.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
        let target = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        let mut last = Failure::Connection("[Errno -2] Name or service not known".to_owned());
        let resolved = target.to_socket_addrs().map_err(|_| Failure::Connection("[Errno -2] Name or service not known".to_owned()))?;
        for socket in resolved {
            match TcpStream::connect_timeout(&socket, self.timeout) {
                Ok(stream) => return self.exchange(stream, &url, authority, address, redirects),
                Err(error) => last = error.into(),
            }
        }
        Err(last)
    }

    fn exchange(&self, stream: TcpStream, url: &Url, authority: &str, address: &str, redirects: usize) -> Result<String, Failure> {
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        let path = url.request_target();
        let mut head = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nAccept-Encoding: identity\r\n");
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        (&stream).write_all(head.as_bytes())?;
        let mut reader = BufReader::new(stream.take(MAX_BODY));
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let status = line.trim_end().split_once(' ').map_or("", |(_, status)| status).to_owned();
        let code: u16 = status.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(0);
        let (mut chunked, mut location, mut length) = (false, None, None);
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
                break;
            }
            if let Some((name, value)) = line.trim_end().split_once(':') {
                match name.to_lowercase().as_str() {
                    "transfer-encoding" => chunked = value.to_lowercase().contains("chunked"),
                    "location" => location = Some(value.trim().to_owned()),
                    "content-length" => length = value.trim().parse::<u64>().ok(),
                    _ => {}
                }
            }
        }
        if let (301 | 302 | 303 | 307 | 308, Some(location), true) = (code, location, self.follow) {
            if redirects >= 10 {
                return Err(Failure::Status(format!("HTTP Error {code}: too many redirects")));
            }
            let next = if location.contains("://") {
                location
            } else if location.starts_with('/') {
                format!("http://{authority}{location}")
            } else {
                format!("{}/{location}", address.rsplit_once('/').map_or(address, |(folder, _)| folder))
            };
            return self.fetch(&next, redirects + 1);
        }
        if !(200..300).contains(&code) {
            let reason = status.split_once(' ').map_or("", |(_, reason)| reason);
            return Err(Failure::Status(format!("HTTP Error {code}: {reason}")));
        }
        let mut body = Vec::new();
        match (chunked, length) {
            (true, _) => read_chunks(&mut reader, &mut body)?,
            (false, Some(length)) => {
                reader.take(length).read_to_end(&mut body)?;
            }
            (false, None) => {
                reader.read_to_end(&mut body)?;
            }
        }
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

/// What a file of this machine holds.
fn file(path: &str) -> Result<String, Failure> {
    let shown = crate::template::print::repr(&crate::value::Value::text(path));
    match std::fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(match Failure::from(error) {
            Failure::Connection(message) => Failure::Connection(format!("{message}: {shown}")),
            other => other,
        }),
    }
}

fn read_chunks(reader: &mut impl std::io::BufRead, body: &mut Vec<u8>) -> Result<(), Failure> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim_end().split(';').next().unwrap_or_default(), 16)
            .map_err(|_| Failure::Connection("a chunk without size".to_owned()))?;
        reader.take(size).read_to_end(body)?;
        let mut end = String::new();
        reader.read_line(&mut end)?;
        if size == 0 {
            return Ok(());
        }
    }
}
