//! A report as a picture: an SVG that needs nothing else.

mod axis;
mod panel;
mod units;

use std::fmt::Write;

use hdrhistogram::Histogram;

use self::panel::Frame;
pub(super) use self::units::per_second;
use super::recorder::Curve;

const WIDTH: f64 = 1120.0;
const HEIGHT: f64 = 500.0;

/// Panels side by side, under a title.
#[derive(Debug)]
pub(super) struct Plot {
    pub(super) title: String,
    /// The parameters of the run.
    pub(super) subtitle: String,
    pub(super) panels: Vec<Panel>,
}

#[derive(Debug)]
pub(super) enum Panel {
    /// Quantities over something that grows, both from zero.
    Curve { title: String, x: &'static str, series: Vec<Series> },
    /// Times by percentile, in nanoseconds.
    Percentiles { title: String, series: Vec<(String, Histogram<u64>)> },
}

/// One line of a panel, in one piece or several.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) pieces: Vec<Vec<(f64, f64)>>,
}

impl Series {
    pub(super) fn of(name: impl Into<String>, curve: &Curve) -> Self {
        Self { name: name.into(), pieces: vec![curve.points.clone()] }
    }
}

impl Plot {
    /// The whole file.
    pub(super) fn svg(&self) -> String {
        let mut out = String::new();
        self.write(&mut out).expect("a string takes everything");
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">"#
        )?;
        // Classes and no variables: not every viewer knows those.
        writeln!(out, "<style>{}</style>", include_str!("plot.css").trim_end())?;
        writeln!(out, r#"<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="8"/>"#)?;
        writeln!(out, r#"<text class="title" x="28" y="38">{}</text>"#, escaped(&self.title))?;
        writeln!(out, r#"<text class="subtitle" x="28" y="62">{}</text>"#, escaped(&self.subtitle))?;
        let width = WIDTH / self.panels.len().max(1) as f64;
        for (nth, panel) in self.panels.iter().enumerate() {
            let left = width * nth as f64;
            Frame { left: left + 76.0, right: left + width - 36.0, top: 124.0, bottom: HEIGHT - 56.0 }
                .draw(out, panel)?;
        }
        writeln!(out, "</svg>")
    }
}

/// Text as it may stand in XML, cut where it would leave the picture.
fn escaped(text: &str) -> String {
    const MOST: usize = 150;
    let mut escaped = String::new();
    for (at, c) in text.chars().enumerate() {
        match c {
            _ if at == MOST => {
                escaped.push('…');
                break;
            }
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_break_out_of_its_element() {
        assert_eq!(escaped("a<b>&\"c\"\n"), "a&lt;b&gt;&amp;&quot;c&quot; ");
        assert_eq!(escaped(&"x".repeat(1000)).chars().count(), 151);
    }

    #[test]
    fn every_point_is_drawn_where_it_belongs() {
        let pieces = vec![vec![(0.0, 0.0), (5.0, 50.0), (10.0, 100.0)], vec![(10.0, 100.0)]];
        let curve = Panel::Curve {
            title: "t".to_owned(),
            x: "seconds",
            series: vec![Series { name: "s".to_owned(), pieces }],
        };
        let plot = Plot { title: "t".to_owned(), subtitle: String::new(), panels: vec![curve] };
        let svg = plot.svg();
        // The corners of the panel and its middle.
        assert!(svg.contains(r#"points="76.0,444.0 580.0,284.0 1084.0,124.0""#), "{svg}");
        assert_eq!(svg.matches("<polyline").count(), 2);
    }

    #[test]
    fn percentiles_are_marked_where_they_belong_and_tell_their_values() {
        let mut nanos = crate::bench::recorder::histogram();
        for micros in 1..=1000 {
            nanos.record(micros * 1000).unwrap();
        }
        let series = vec![("latency".to_owned(), nanos)];
        let panels = vec![Panel::Percentiles { title: "t".to_owned(), series }];
        let svg = Plot { title: "t".to_owned(), subtitle: String::new(), panels }.svg();
        // A third of the way to 99.9 % is a nine; from 1 µs at the bottom to 1 ms at the top.
        for (place, value) in [
            (r#"cx="412.0" cy="128.9""#, "p90 900 µs"),
            (r#"cx="748.0" cy="124.5""#, "p99 990 µs"),
            (r#"cx="1084.0" cy="124.0""#, "max 1 ms"),
        ] {
            let dot = svg.lines().find(|line| line.contains(value)).unwrap();
            assert!(dot.contains(place), "{dot}");
        }
    }

    #[test]
    fn a_plot_of_nothing_is_still_a_picture() {
        let empty = vec![
            Panel::Curve { title: String::new(), x: "seconds", series: Vec::new() },
            Panel::Percentiles {
                title: String::new(),
                series: vec![(String::new(), super::super::recorder::histogram())],
            },
        ];
        let svg = Plot { title: String::new(), subtitle: String::new(), panels: empty }.svg();
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
