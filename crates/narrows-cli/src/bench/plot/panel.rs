use std::fmt::{Result, Write};

use hdrhistogram::Histogram;

use super::axis::{Axis, nines};
use super::units::time;
use super::{Panel, Series, escaped};

/// How many points the line of a histogram has.
const STEPS: usize = 240;

/// Where a panel is in the picture, without what is written around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Frame {
    pub(super) fn draw(&self, out: &mut String, panel: &Panel) -> Result {
        match panel {
            Panel::Curve { title, x, series } => self.curves(out, title, x, series),
            Panel::Percentiles { title, series } => self.percentiles(out, title, series),
        }
    }

    fn curves(&self, out: &mut String, title: &str, x: &str, series: &[Series]) -> Result {
        let points = || series.iter().flat_map(|series| series.pieces.iter().flatten());
        let across = Axis::extent(points().map(|point| point.0).fold(0.0, f64::max));
        let up = Axis::quantity(points().map(|point| point.1).fold(0.0, f64::max));
        self.axes(out, title, x, &across, &up)?;
        for (nth, one) in series.iter().enumerate() {
            for piece in &one.pieces {
                self.line(out, nth, piece.iter().map(|(x, y)| (across.at(*x), up.at(*y))))?;
            }
        }
        self.legend(out, series.iter().map(|series| series.name.as_str()))
    }

    fn percentiles(&self, out: &mut String, title: &str, series: &[(String, Histogram<u64>)]) -> Result {
        let filled = || series.iter().map(|(_, nanos)| nanos).filter(|nanos| !nanos.is_empty());
        let micros = |nanos: u64| nanos as f64 / 1000.0;
        let least = filled().map(|nanos| micros(nanos.min())).fold(f64::INFINITY, f64::min);
        let most = filled().map(|nanos| micros(nanos.max())).fold(0.0, f64::max);
        let across = Axis::percentiles(filled().map(Histogram::len).max().unwrap_or(0));
        let up = Axis::times(least, most);
        self.axes(out, title, "percentile", &across, &up)?;
        for (nth, (_, nanos)) in series.iter().enumerate().filter(|(_, (_, nanos))| !nanos.is_empty()) {
            let at = |nines: f64| {
                let value = nanos.value_at_quantile(1.0 - 10f64.powf(-nines));
                (across.at(nines), up.at(micros(value)))
            };
            let steps = (0..=STEPS).map(|step| at(across.end() * step as f64 / STEPS as f64));
            self.line(out, nth, steps)?;
            for (name, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)] {
                if nines(quantile) <= across.end() {
                    let value = micros(nanos.value_at_quantile(quantile));
                    self.dot(out, nth, (across.at(nines(quantile)), up.at(value)), name, value)?;
                }
            }
            let value = micros(nanos.max());
            self.dot(out, nth, (1.0, up.at(value)), "max", value)?;
        }
        self.legend(out, series.iter().map(|(name, _)| name.as_str()))
    }

    fn axes(&self, out: &mut String, title: &str, x: &str, across: &Axis, up: &Axis) -> Result {
        let Self { left, right, top, bottom } = *self;
        writeln!(
            out,
            r#"<text class="heading" x="{left:.1}" y="{:.1}">{}</text>"#,
            top - 20.0,
            escaped(title)
        )?;
        for tick in &up.ticks {
            let (_, y) = self.place((0.0, tick.at));
            writeln!(out, r#"<path class="grid" d="M{left:.1} {y:.1}H{right:.1}"/>"#)?;
            let (x, y) = (left - 8.0, y + 4.0);
            writeln!(out, r#"<text class="end" x="{x:.1}" y="{y:.1}">{}</text>"#, tick.label)?;
        }
        for tick in &across.ticks {
            let (x, _) = self.place((tick.at, 0.0));
            writeln!(out, r#"<path class="grid" d="M{x:.1} {top:.1}V{bottom:.1}"/>"#)?;
            let y = bottom + 18.0;
            writeln!(out, r#"<text class="middle" x="{x:.1}" y="{y:.1}">{}</text>"#, tick.label)?;
        }
        writeln!(out, r#"<path class="axis" fill="none" d="M{left:.1} {top:.1}V{bottom:.1}H{right:.1}"/>"#)?;
        let (middle, y) = (left.midpoint(right), bottom + 40.0);
        writeln!(out, r#"<text class="middle" x="{middle:.1}" y="{y:.1}">{x}</text>"#)
    }

    fn line(&self, out: &mut String, nth: usize, points: impl Iterator<Item = (f64, f64)>) -> Result {
        write!(out, r#"<polyline class="line line{}" points=""#, nth % 2)?;
        for (at, point) in points.enumerate() {
            let (x, y) = self.place(point);
            let space = if at == 0 { "" } else { " " };
            write!(out, "{space}{x:.1},{y:.1}")?;
        }
        writeln!(out, r#""/>"#)
    }

    /// A mark that tells its value when it is pointed at.
    fn dot(&self, out: &mut String, nth: usize, at: (f64, f64), name: &str, micros: f64) -> Result {
        let (x, y) = self.place(at);
        writeln!(
            out,
            r#"<circle class="dot{}" cx="{x:.1}" cy="{y:.1}" r="3"><title>{name} {}</title></circle>"#,
            nth % 2,
            time(micros)
        )
    }

    /// Names the lines, where there are several; right of the heading, where no line comes.
    fn legend<'a>(
        &self,
        out: &mut String,
        names: impl DoubleEndedIterator<Item = &'a str> + ExactSizeIterator,
    ) -> Result {
        let count = names.len();
        if count < 2 {
            return Ok(());
        }
        let mut x = self.right;
        for (nth, name) in names.enumerate().rev() {
            let y = self.top - 20.0;
            writeln!(out, r#"<text class="end" x="{x:.1}" y="{y:.1}">{}</text>"#, escaped(name))?;
            // Fonts differ: this is more than a letter takes in most.
            x -= 7.0 * name.chars().count() as f64 + 12.0;
            writeln!(out, r#"<path class="line line{}" d="M{:.1} {:.1}h14"/>"#, nth % 2, x - 8.0, y - 4.0)?;
            x -= 24.0;
        }
        Ok(())
    }

    /// From shares of the panel to the picture.
    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.left + (self.right - self.left) * x, self.bottom - (self.bottom - self.top) * y)
    }
}
