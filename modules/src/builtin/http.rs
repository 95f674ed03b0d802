//! A small HTTP/1.1 client for modules that fetch: GET, redirects, chunks, gzip, proxies. No TLS: `https` is refused by name.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{Failure, Host, Result};

/// How often a request is sent elsewhere before that is a failure.
const REDIRECTS: usize = 10;
/// The longest line of a header.
const LINE: u64 = 64 << 10;

/// What is asked.
pub struct Get<'a> {
    /// `GET`, or `HEAD` for what comes before a body.
    pub method: &'static str,
    pub url: &'a str,
    pub headers: Vec<(String, String)>,
    /// Names of headers that only the first address sees.
    pub unredirected: &'a [String],
    /// User and password, for servers that ask for them.
    pub login: Option<(String, String)>,
    /// Whether they are sent before the server asks.
    pub login_first: bool,
    pub timeout: Duration,
    pub use_proxy: bool,
    pub decompress: bool,
}

/// What came back.
pub struct Response {
    pub status: u16,
    pub reason: String,
    /// The address that answered in the end.
    pub url: String,
    headers: Vec<(String, String)>,
    pub body: Box<dyn Read>,
}

impl Response {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Get<'_> {
    /// Asks, and goes where it is sent.
    pub fn send(&self, host: &Host) -> Result<Response> {
        let mut url = self.url.to_owned();
        let mut sends_login = self.login_first;
        for hop in 0..=REDIRECTS {
            let mut response = self.once(host, &url, hop > 0, sends_login)?;
            response.url.clone_from(&url);
            match (response.status, response.header("location")) {
                (401, _) if !sends_login && self.login.is_some() => sends_login = true,
                (301 | 302 | 303 | 307 | 308, Some(location)) => url = joined(&url, location),
                _ => return Ok(response),
            }
        }
        Err(Failure::new(format!("Request failed: <urlopen error the server redirected more than {REDIRECTS} times>")))
    }

    fn once(&self, host: &Host, url: &str, is_redirected: bool, sends_login: bool) -> Result<Response> {
        let address = Address::parse(url)?;
        let proxy = self.proxy(host, &address).map(|proxy| Address::parse(&proxy)).transpose()?;
        let stream = proxy.as_ref().unwrap_or(&address).connect(host, self.timeout)?;
        let target = if proxy.is_some() { format!("http://{}{}", address.authority(), address.path) } else { address.path.clone() };
        let mut text = format!(
            "{} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAccept-Encoding: identity\r\n",
            self.method,
            address.authority()
        );
        let is_sent = |name: &str| !is_redirected || !self.unredirected.iter().any(|hidden| hidden.eq_ignore_ascii_case(name));
        for (name, value) in self.headers.iter().filter(|(name, _)| is_sent(name)) {
            if format!("{name}{value}").contains(['\r', '\n']) {
                return Err(Failure::new(format!("the header `{name}` has a line break, which is not allowed")));
            }
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if let (true, Some((user, password))) = (sends_login, &self.login) {
            text.push_str(&format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{user}:{password}"))));
        }
        text.push_str("\r\n");
        self.exchange(stream, &text).map_err(|error| urlopen(&error))
    }

    fn exchange(&self, mut stream: TcpStream, text: &str) -> io::Result<Response> {
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        stream.write_all(text.as_bytes())?;
        let mut reader = BufReader::new(stream);
        let status_line = line(&mut reader)?;
        let mut words = status_line.splitn(3, ' ').skip(1);
        let status = words.next().and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("the server does not speak HTTP, it said `{status_line}`")))?;
        let reason = words.next().unwrap_or_default().to_owned();
        let mut headers = Vec::new();
        loop {
            let text = line(&mut reader)?;
            let Some((name, value)) = text.split_once(':') else { break };
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        let mut response = Response { status, reason, url: String::new(), headers, body: Box::new(io::empty()) };
        let is_chunked = response.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let length: Option<u64> = response.header("content-length").and_then(|value| value.parse().ok());
        let body: Box<dyn Read> = match (is_chunked, length) {
            _ if self.method == "HEAD" => Box::new(io::empty()),
            (true, _) => Box::new(Chunks { reader, left: 0, is_first: true, is_over: false }),
            (false, Some(left)) => Box::new(Exactly { reader, left }),
            (false, None) => Box::new(reader),
        };
        let is_gzip = self.decompress && response.header("content-encoding") == Some("gzip");
        response.body = if is_gzip { Box::new(flate2::read::GzDecoder::new(body)) } else { body };
        Ok(response)
    }

    fn proxy(&self, host: &Host, address: &Address) -> Option<String> {
        let get =
            |name: &str| host.environment().get(name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty());
        let proxy = self.use_proxy.then(|| get("http_proxy")).flatten()?;
        let exceptions = get("no_proxy").or_else(|| get("NO_PROXY")).unwrap_or_default();
        let is_exception = |name: &str| {
            let name = name.trim().trim_start_matches('.');
            name == "*" || (!name.is_empty() && (address.host == name || address.host.ends_with(&format!(".{name}"))))
        };
        (!exceptions.split(',').any(is_exception)).then_some(proxy)
    }
}

/// User and password that are written in an address, and the address without them.
pub fn without_login(url: &str) -> (String, Option<(String, String)>) {
    let plain = || (url.to_owned(), None);
    let Some((scheme, rest)) = url.split_once("://") else { return plain() };
    let end = rest.find('/').unwrap_or(rest.len());
    let Some((login, host)) = rest[..end].rsplit_once('@') else { return plain() };
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    (format!("{scheme}://{host}{}", &rest[end..]), Some((user.to_owned(), password.to_owned())))
}

/// Python's words for a request that came to nothing.
pub fn urlopen(error: &io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "timed out".to_owned(),
        _ => crate::outcome::errno_text(error),
    };
    Failure::new(format!("Request failed: <urlopen error {why}>"))
}

/// Where an address leads.
struct Address {
    host: String,
    port: u16,
    path: String,
}

impl Address {
    fn parse(url: &str) -> Result<Self> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(Failure::new(format!("Request failed: <urlopen error unknown url type: {url}>")));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "http" => {}
            scheme => return Err(Failure::new(format!("`{scheme}` addresses are not supported yet, only `http` and `file`: `{url}`"))),
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let path = path.chars().map(|char| if char.is_ascii_graphic() { char.to_string() } else { escaped(char) }).collect();
        let authority = authority.rsplit_once('@').map_or(authority, |(_, authority)| authority);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
            _ => (authority, Some(80)),
        };
        let port = port.ok_or_else(|| Failure::new(format!("the address `{url}` has a port that is no number")))?;
        Ok(Self { host: host.trim_matches(['[', ']']).to_owned(), port, path })
    }

    fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 80 { host } else { format!("{host}:{}", self.port) }
    }

    fn connect(&self, host: &Host, timeout: Duration) -> Result<TcpStream> {
        let mut last = None;
        for address in addresses(host, &self.host) {
            match TcpStream::connect_timeout(&SocketAddr::new(address, self.port), timeout) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(last
            .map_or_else(|| Failure::new("Request failed: <urlopen error [Errno -2] Name or service not known>"), |error| urlopen(&error)))
    }
}

/// The addresses of a name; names are asked of `getent`, as a static helper cannot ask the system's resolver.
pub fn addresses(host: &Host, name: &str) -> Vec<IpAddr> {
    if let Ok(address) = name.parse() {
        return vec![address];
    }
    let asked = host.query(&host.command("getent").arg("ahosts").arg(name).timeout(Duration::from_secs(10)));
    let mut found: Vec<IpAddr> = match asked {
        Ok(output) if output.succeeded() => {
            output.stdout().lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
        }
        _ => (name, 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect()).unwrap_or_default(),
    };
    found.dedup();
    found
}

fn escaped(char: char) -> String {
    char.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn joined(base: &str, location: &str) -> String {
    if location.contains("://") {
        return location.to_owned();
    }
    let scheme_end = base.find("://").map_or(0, |at| at + 3);
    let root_end = base[scheme_end..].find('/').map_or(base.len(), |at| scheme_end + at);
    match location {
        location if location.starts_with("//") => format!("{}{}", &base[..scheme_end], &location[2..]),
        location if location.starts_with('/') => format!("{}{location}", &base[..root_end]),
        location => match base[root_end..].rfind('/') {
            Some(at) => format!("{}/{location}", &base[..root_end + at]),
            None => format!("{base}/{location}"),
        },
    }
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    reader.take(LINE).read_until(b'\n', &mut bytes)?;
    if !bytes.ends_with(b"\n") {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "Remote end closed connection without response"));
    }
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
}

/// A body whose length is known: an early end is an error.
struct Exactly<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.reader.read(&mut buffer[..wanted])?;
        if count == 0 && wanted > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("the server ended {} bytes early", self.left)));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// A body in chunks.
struct Chunks<R> {
    reader: R,
    left: u64,
    is_first: bool,
    is_over: bool,
}

impl<R: BufRead> Read for Chunks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.is_over {
            if !std::mem::take(&mut self.is_first) {
                line(&mut self.reader)?;
            }
            let head = line(&mut self.reader)?;
            let size = head.split(';').next().unwrap_or_default().trim();
            self.left = u64::from_str_radix(size, 16).map_err(|_| io::Error::other(format!("`{head}` is no length of a chunk")))?;
            self.is_over = self.left == 0;
        }
        if self.is_over {
            return Ok(0);
        }
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.reader.read(&mut buffer[..wanted])?;
        if count == 0 && wanted > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server ended within a chunk"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_become_one_body() {
        let bytes: &[u8] = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        let mut text = String::new();
        Chunks { reader: bytes, left: 0, is_first: true, is_over: false }.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abcde");
        let mut early = Exactly { reader: &b"abc"[..], left: 5 };
        assert!(early.read_to_string(&mut text).is_err());
    }

    #[test]
    fn redirects_lead_on() {
        assert_eq!(joined("http://a/b/c", "d"), "http://a/b/d");
        assert_eq!(joined("http://a/b/c", "/d"), "http://a/d");
        assert_eq!(joined("http://a", "//b/d"), "http://b/d");
        assert_eq!(joined("http://a/b", "http://c/"), "http://c/");
        assert_eq!(without_login("http://u:p@h/x@y"), ("http://h/x@y".to_owned(), Some(("u".to_owned(), "p".to_owned()))));
    }
}
