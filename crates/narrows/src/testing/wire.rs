//! The client's side of an HTTP/1.1 handshake, byte by byte: no more of HTTP than hyper answers one with.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::response::TestResponse;

/// What came back, and the bytes behind its head or body.
pub(super) struct Answer {
    pub(super) response: TestResponse,
    pub(super) rest: Vec<u8>,
}

/// Sends a request's head and reads the answer, with its body unless it switches protocols.
///
/// An error is a sentence about what is wrong with the answer.
pub(super) async fn ask(
    stream: &mut DuplexStream,
    target: &str,
    headers: &HeaderMap,
) -> Result<Answer, String> {
    let mut head = format!("GET {target} HTTP/1.1\r\n").into_bytes();
    for (name, value) in headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    // A server that is gone already shows in what is read.
    let _ = stream.write_all(&head).await;
    let mut input = Input { stream, bytes: Vec::new() };
    let mut lines = Vec::new();
    loop {
        let line = input.line().await?;
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let (status, headers) = read_head(&lines)?;
    let body = if status == StatusCode::SWITCHING_PROTOCOLS {
        Bytes::new()
    } else {
        input.body(&headers).await?.into()
    };
    Ok(Answer { response: TestResponse { status, headers, body }, rest: input.bytes })
}

fn read_head(lines: &[String]) -> Result<(StatusCode, HeaderMap), String> {
    let mut lines = lines.iter();
    let first = lines.next().ok_or("the answer has no status line")?;
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| format!("this is no status line: {first:?}"))?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let wrong = || format!("this is no header: {line:?}");
        let (name, value) = line.split_once(':').ok_or_else(wrong)?;
        let name: HeaderName = name.parse().map_err(|_| wrong())?;
        headers.append(name, HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| wrong())?);
    }
    Ok((status, headers))
}

/// What the server sends, with what is read but not yet used.
struct Input<'a> {
    stream: &'a mut DuplexStream,
    bytes: Vec<u8>,
}

impl Input<'_> {
    async fn more(&mut self) -> Result<(), String> {
        match self.stream.read_buf(&mut self.bytes).await {
            Ok(1..) => Ok(()),
            _ => Err(format!("the server hung up after {:?}", String::from_utf8_lossy(&self.bytes))),
        }
    }

    async fn exactly(&mut self, count: usize) -> Result<Vec<u8>, String> {
        while self.bytes.len() < count {
            self.more().await?;
        }
        Ok(self.bytes.drain(..count).collect())
    }

    async fn line(&mut self) -> Result<String, String> {
        loop {
            if let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
                self.bytes.drain(..end + 2);
                return Ok(line);
            }
            self.more().await?;
        }
    }

    async fn body(&mut self, headers: &HeaderMap) -> Result<Vec<u8>, String> {
        if let Some(length) = headers.get(CONTENT_LENGTH) {
            let length = length.to_str().ok().and_then(|text| text.parse().ok());
            return self.exactly(length.ok_or("the content-length is no number")?).await;
        }
        if !headers.contains_key(TRANSFER_ENCODING) {
            while self.more().await.is_ok() {}
            return Ok(std::mem::take(&mut self.bytes));
        }
        let mut body = Vec::new();
        loop {
            let size = self.line().await?;
            let size = usize::from_str_radix(size.trim(), 16).map_err(|_| format!("no size: {size:?}"))?;
            body.append(&mut self.exactly(size).await?);
            self.line().await?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
}
