//! The frame codec, beside tungstenite on the same bytes.
//!
//! `cargo bench -p narrows --features internals --bench codec`
//!
//! Both decoders get their bytes as from a socket, by a copy into a read buffer of 16 KiB: ours into one that
//! the loop owns, as a shard does, tungstenite into its own.

use std::hint::black_box;
use std::io::{self, Read, Write};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use narrows::internals::{
    Decoder, FrameLimits, FrameWriter, Item, Mask, Opcode, Role, encode, encode_masked, frame_header,
};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameSocket};
use tokio_tungstenite::tungstenite::protocol::{self, WebSocket, WebSocketConfig};

const READ_BUFFER: usize = 16 * 1024;
const LIMITS: FrameLimits =
    FrameLimits { max_frame_bytes: 1 << 20, max_message_bytes: 1 << 20, max_fragments: 4096 };

/// What clients send: `count` masked text messages of `bytes` each.
fn wire(count: u32, bytes: usize) -> Vec<u8> {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(bytes / 45 + 1);
    (1..=count)
        .flat_map(|key| {
            encode_masked(
                Opcode::Text,
                &text.as_bytes()[..bytes],
                key.wrapping_mul(0x9e37_79b9).to_be_bytes(),
            )
        })
        .collect()
}

/// A socket that gives at most `read` bytes at a time, and blocks never.
struct Socket<'a> {
    unread: &'a [u8],
    read: usize,
}

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.read.min(buffer.len());
        self.unread.read(&mut buffer[..len])
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn decode_ours(wire: &[u8], read: usize, buffer: &mut [u8]) -> usize {
    let mut socket = Socket { unread: wire, read };
    let (mut decoder, mut messages) = (Decoder::new(Role::Server), 0);
    loop {
        let len = socket.read(buffer).expect("a slice can be read");
        if len == 0 {
            return messages;
        }
        let mut rest = &mut buffer[..len];
        while let (used, Some(item)) = decoder.decode(rest, &LIMITS).expect("the frames are valid") {
            if let Item::Text(text) = item {
                black_box(text);
                messages += 1;
            }
            rest = &mut rest[used..];
        }
    }
}

fn decode_theirs(wire: &[u8], read: usize) -> usize {
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    let mut socket =
        WebSocket::from_raw_socket(Socket { unread: wire, read }, protocol::Role::Server, Some(config));
    let mut messages = 0;
    while let Ok(message) = socket.read() {
        black_box(message.to_text().expect("the messages are text"));
        messages += 1;
    }
    messages
}

fn decode(c: &mut Criterion) {
    let cases = [
        ("128 B", 512, 128, READ_BUFFER),
        ("64 KiB", 16, 64 * 1024, READ_BUFFER),
        ("128 B in reads of 50", 512, 128, 50),
        ("64 KiB in reads of 1460", 16, 64 * 1024, 1460),
    ];
    let mut group = c.benchmark_group("decode");
    for (name, count, bytes, read) in cases {
        let wire = wire(count, bytes);
        let mut buffer = vec![0; READ_BUFFER];
        assert_eq!(decode_ours(&wire, read, &mut buffer), count as usize);
        assert_eq!(decode_theirs(&wire, read), count as usize);
        group.throughput(Throughput::Bytes(wire.len() as u64));
        group.bench_function(BenchmarkId::new("narrows", name), |b| {
            b.iter(|| decode_ours(black_box(&wire), read, &mut buffer));
        });
        group.bench_function(BenchmarkId::new("tungstenite", name), |b| {
            b.iter(|| decode_theirs(black_box(&wire), read));
        });
    }
    // The whole message lies in the buffer, as it does for a shard that reads 64 KiB at once.
    let wire = wire(16, 60 * 1024);
    let mut buffer = vec![0; 64 * 1024];
    group.throughput(Throughput::Bytes(wire.len() as u64));
    group.bench_function(BenchmarkId::new("narrows", "60 KiB, one read each"), |b| {
        b.iter(|| decode_ours(black_box(&wire), wire.len() / 16, &mut buffer));
    });
    group.finish();
}

fn encode_frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    for bytes in [128, 64 * 1024] {
        let payload = vec![b'x'; bytes];
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::new("narrows", bytes), |b| {
            b.iter(|| encode(Opcode::Text, black_box(&payload)));
        });
        group.bench_function(BenchmarkId::new("narrows, written", bytes), |b| {
            b.iter(|| {
                let mut writer = FrameWriter::with_capacity(bytes);
                writer.write_all(black_box(&payload)).expect("writing to memory succeeds");
                writer.finish(Opcode::Text)
            });
        });
        group.bench_function(BenchmarkId::new("tungstenite", bytes), |b| {
            let mut socket = FrameSocket::new(Socket { unread: &[], read: 0 });
            b.iter(|| {
                let payload = black_box(&payload).clone();
                socket.send(Frame::message(payload, OpCode::Data(Data::Text), true))
            });
        });
    }
    group.throughput(Throughput::Elements(1));
    group.bench_function("header", |b| b.iter(|| frame_header(Opcode::Text, black_box(200))));
    group.finish();
}

fn mask(c: &mut Criterion) {
    let mut group = c.benchmark_group("mask");
    for bytes in [16, 128, 16 * 1024] {
        let mut payload = vec![b'x'; bytes];
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::new("narrows", bytes), |b| {
            b.iter(|| Mask::new(black_box([1, 2, 3, 4])).apply(black_box(&mut payload)));
        });
        group.bench_function(BenchmarkId::new("one byte at a time", bytes), |b| {
            b.iter(|| {
                let key = black_box([1_u8, 2, 3, 4]);
                for (index, byte) in black_box(&mut payload).iter_mut().enumerate() {
                    *byte ^= key[index % 4];
                }
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(500))
        .measurement_time(std::time::Duration::from_secs(2));
    targets = decode, encode_frames, mask
}
criterion_main!(benches);
