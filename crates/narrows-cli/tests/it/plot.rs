use std::path::PathBuf;

use crate::command::{bench, clean, failure};
use crate::server;

/// A picture that a mode draws of a server; gone when the test is.
struct Drawn {
    path: PathBuf,
}

impl Drawn {
    fn new(name: &str) -> Self {
        Self { path: std::env::temp_dir().join(format!("narrows-{}-{name}.svg", std::process::id())) }
    }

    fn draw(&self, arguments: &str) -> String {
        clean(&format!("{arguments} --plot {}", self.path.display()));
        std::fs::read_to_string(&self.path).unwrap()
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        // Left over at worst.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Every element is closed, in turn, and text holds nothing that starts one.
fn assert_well_formed(svg: &str) {
    let mut open = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        assert!(!text.contains('>') || tag == "style", "{text}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{svg}");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

/// How many points each line has.
fn points(svg: &str) -> Vec<usize> {
    let lines = svg.lines().filter(|line| line.starts_with("<polyline"));
    lines.map(|line| line.matches(',').count()).collect()
}

#[test]
fn a_load_is_drawn_over_time_and_by_percentile() {
    let svg = Drawn::new("fanout")
        .draw(&format!("fanout --url {}/room/a&b/ --members 4 --seconds 0.5 --warm-up 0", server::start()));
    assert_well_formed(&svg);
    let points = points(&svg);
    // A point each tenth of a second, but for ticks that come late.
    assert!(points.len() == 2 && (1..=5).contains(&points[0]) && points[1] == 241, "{points:?}");
    for text in
        [">4 members<", "/room/a&amp;b/", "128 bytes · window 1", ">seconds<", ">99%<", " µs<", "<title>max "]
    {
        assert!(svg.contains(text), "{text} is not in {svg}");
    }
}

#[test]
fn every_mode_can_be_drawn() {
    let (url, own) = (server::start(), std::process::id());
    for (name, arguments, lines) in [
        ("rooms", "rooms --rooms 2 --members 2 --seconds 0.3", 2),
        ("echo", "echo --connections 2 --seconds 0.3", 2),
        ("connect", "connect --concurrency 2 --seconds 0.3", 2),
        ("churn", "churn --members 2 --per-second 50 --seconds 0.3", 3),
        ("slow", "slow --members 3 --stalled 1 --rounds 2 --seconds 0.3", 6),
        ("idle", "idle --connections 50 --seconds 0", 1),
    ] {
        let place = if name == "echo" { "echo/" } else { "room/{room}/" };
        let svg = Drawn::new(name).draw(&format!("{arguments} --url {url}/{place} --warm-up 0 --pid {own}"));
        assert_well_formed(&svg);
        assert_eq!(points(&svg).len(), lines, "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_anything_is_measured() {
    let said = failure("fanout --url ws://127.0.0.1:1/ --plot /no-such-directory/x.svg");
    assert!(said.contains("--plot /no-such-directory/x.svg"), "{said}");
}

#[test]
fn without_the_flag_nothing_is_drawn() {
    let output =
        bench(&format!("echo --url {}/echo/ --connections 1 --seconds 0 --warm-up 0", server::start()));
    assert!(!String::from_utf8(output.stdout).unwrap().contains("svg"));
}
