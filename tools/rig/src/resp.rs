use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// For one answer: a healthy server on this machine takes a thousandth of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A plain connection to a Redis, for what a test sets up and looks at itself.
///
/// It speaks RESP2 and does no more than a test needs; the client under test is another one.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<Stream>,
}

impl Connection {
    /// Connects to a port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// When nothing listens there.
    pub fn to_port(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(Stream::Tcp(stream)) })
    }

    /// Connects to a Unix socket.
    ///
    /// # Errors
    ///
    /// When nothing listens there.
    pub fn to_socket(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(Stream::Unix(stream)) })
    }

    /// Sends a command and gives its answer, which may be [`Reply::Error`].
    ///
    /// # Errors
    ///
    /// When the connection breaks, or 10 s pass without an answer.
    pub fn command<T: AsRef<[u8]>>(&mut self, words: &[T]) -> io::Result<Reply> {
        self.push(words)?;
        self.next()
    }

    /// Sends a command whose answers [`next`](Self::next) gives.
    ///
    /// # Errors
    ///
    /// When the connection breaks.
    pub fn push<T: AsRef<[u8]>>(&mut self, words: &[T]) -> io::Result<()> {
        let mut command = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            command.extend(format!("${}\r\n", word.as_ref().len()).into_bytes());
            command.extend(word.as_ref());
            command.extend(b"\r\n");
        }
        self.stream.get_mut().write_all(&command)
    }

    /// The next answer, or the next message after `SUBSCRIBE` or `MONITOR`.
    ///
    /// # Errors
    ///
    /// When the connection breaks, or 10 s pass without one.
    #[expect(
        clippy::should_implement_trait,
        reason = "a stream of answers that may fail for good is no iterator"
    )]
    pub fn next(&mut self) -> io::Result<Reply> {
        let line = self.line()?;
        let (kind, rest) = line.split_at_checked(1).ok_or_else(|| odd("an empty line"))?;
        let number = || rest.parse::<i64>().map_err(|_| odd(&line));
        Ok(match kind {
            "+" => Reply::Text(rest.as_bytes().to_vec()),
            "-" => Reply::Error(rest.to_owned()),
            ":" => Reply::Number(number()?),
            "$" => match usize::try_from(number()?) {
                Ok(length) => {
                    let mut text = vec![0; length + 2];
                    self.stream.read_exact(&mut text)?;
                    text.truncate(length);
                    Reply::Text(text)
                }
                Err(_negative) => Reply::Nil,
            },
            "*" => match usize::try_from(number()?) {
                Ok(count) => Reply::List((0..count).map(|_| self.next()).collect::<io::Result<_>>()?),
                Err(_negative) => Reply::Nil,
            },
            _ => return Err(odd(&line)),
        })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// What Redis answered. [`Display`](fmt::Display) writes a list with a line for each item and nothing for nil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// There is none.
    Nil,
    /// An integer.
    Number(i64),
    /// A status or a string.
    Text(Vec<u8>),
    /// Several answers in one.
    List(Vec<Reply>),
    /// The command was refused.
    Error(String),
}

impl Reply {
    /// The items of a list; none for all else.
    #[must_use]
    pub fn items(&self) -> &[Reply] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// The bytes of a text; none for all else.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        if let Self::Text(bytes) = self { bytes } else { &[] }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => Ok(()),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => String::from_utf8_lossy(text).fmt(f),
            Self::Error(text) => text.fmt(f),
            Self::List(items) => {
                let lines: Vec<String> = items.iter().map(Self::to_string).collect();
                lines.join("\n").fmt(f)
            }
        }
    }
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn odd(line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not RESP2: {line:?}"))
}
