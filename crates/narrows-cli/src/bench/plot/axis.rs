use super::units::{plain, time};

/// Where values are along one side of a panel, and what stands there.
#[derive(Debug)]
pub(super) struct Axis {
    scale: Scale,
    from: f64,
    to: f64,
    pub(super) ticks: Vec<Tick>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Tick {
    /// From 0, the start of the axis, to 1.
    pub(super) at: f64,
    pub(super) label: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Linear,
    Logarithmic,
}

impl Axis {
    /// From zero to the next round number.
    pub(super) fn quantity(most: f64) -> Self {
        let step = step(most);
        Self::linear((most / step).ceil().max(1.0) * step, step)
    }

    /// From zero to where the data ends.
    pub(super) fn extent(most: f64) -> Self {
        Self::linear(if most > 0.0 { most } else { 1.0 }, step(most))
    }

    fn linear(to: f64, step: f64) -> Self {
        let mut axis = Self { scale: Scale::Linear, from: 0.0, to, ticks: Vec::new() };
        // A little more than the end: sums of steps are not exact.
        let steps = (to / step * 1.000_001).floor() as usize;
        axis.ticks = (0..=steps).map(|nth| axis.tick(nth as f64 * step, plain)).collect();
        axis
    }

    /// Times in microseconds: each factor of ten is as long as the next.
    pub(super) fn times(least: f64, most: f64) -> Self {
        let (least, most) = if least > 0.0 && most >= least { (least, most) } else { (1.0, 10.0) };
        let around: Vec<f64> =
            (-4..=9).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power))).collect();
        let from = around.iter().copied().rfind(|mark| *mark <= least).unwrap_or(least);
        // A histogram of three digits says a little more than what it was given.
        let to = around.iter().copied().find(|mark| *mark * 1.001 >= most && *mark > from).unwrap_or(most);
        let mut axis = Self { scale: Scale::Logarithmic, from, to, ticks: Vec::new() };
        // Over several powers of ten the marks between them would be too many.
        let wide = to / from > 500.0;
        let is_power = |mark: f64| (mark.log10() - mark.log10().round()).abs() < 1e-9;
        axis.ticks = around
            .into_iter()
            .filter(|mark| (from..=to).contains(mark) && (!wide || is_power(*mark)))
            .map(|mark| axis.tick(mark, time))
            .collect();
        axis
    }

    /// Percentiles, as HDR histograms are drawn: from each mark to the next, a tenth is left.
    pub(super) fn percentiles(count: u64) -> Self {
        let to = nines(1.0 - 1.0 / count.clamp(100, 10_000_000) as f64);
        let mut axis = Self { scale: Scale::Linear, from: 0.0, to, ticks: Vec::new() };
        // Not 0: it has no room beside 50.
        axis.ticks = [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999, 0.9999999]
            .into_iter()
            .filter(|quantile| nines(*quantile) <= to + 1e-9)
            .map(|quantile| axis.tick(nines(quantile), |_| percentile(quantile)))
            .collect();
        axis
    }

    /// From 0 to 1.
    pub(super) fn at(&self, value: f64) -> f64 {
        let (value, from, to) = match self.scale {
            Scale::Linear => (value, self.from, self.to),
            Scale::Logarithmic => (value.max(self.from).log10(), self.from.log10(), self.to.log10()),
        };
        ((value - from) / (to - from)).clamp(0.0, 1.0)
    }

    fn tick(&self, value: f64, label: impl FnOnce(f64) -> String) -> Tick {
        Tick { at: self.at(value), label: label(value) }
    }

    /// The end, in the units of the axis.
    pub(super) fn end(&self) -> f64 {
        self.to
    }
}

/// How many nines a quantile has: 0.9 has one, 0.999 three.
pub(super) fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).log10()
}

fn percentile(quantile: f64) -> String {
    // Not more digits than the quantile has.
    let text = format!("{:.5}", quantile * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A round step that divides this into three to seven.
fn step(most: f64) -> f64 {
    if !(most > 0.0 && most.is_finite()) {
        return 1.0;
    }
    let power = 10f64.powf((most / 3.0).log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|digit| digit * power).find(|step| most / step >= 3.0).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn quantities_end_at_a_round_number() {
        let axis = Axis::quantity(263_487.0);
        assert_eq!(labels(&axis), ["0", "50k", "100k", "150k", "200k", "250k", "300k"]);
        assert!((axis.at(150_000.0) - 0.5).abs() < 1e-9);
        assert_eq!(labels(&Axis::quantity(0.0)), ["0", "1"]);
    }

    #[test]
    fn an_extent_ends_where_the_data_does() {
        let axis = Axis::extent(5.03);
        assert_eq!(labels(&axis), ["0", "1", "2", "3", "4", "5"]);
        assert!((axis.at(5.03) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn times_are_marked_by_powers_of_ten_or_between_them() {
        assert_eq!(labels(&Axis::times(303.0, 2855.0)), ["200 µs", "500 µs", "1 ms", "2 ms", "5 ms"]);
        assert_eq!(labels(&Axis::times(80.0, 900_000.0)), ["100 µs", "1 ms", "10 ms", "100 ms", "1 s"]);
        let axis = Axis::times(10.0, 1000.0);
        assert!((axis.at(100.0) - 0.5).abs() < 1e-9);
        assert_eq!(labels(&Axis::times(0.0, 0.0)).len(), 4);
        assert_eq!(labels(&Axis::times(5.0, 5.0)), ["5 µs", "10 µs"]);
    }

    #[test]
    fn percentiles_go_as_far_as_there_are_messages() {
        let axis = Axis::percentiles(10_000);
        assert_eq!(labels(&axis), ["50%", "90%", "99%", "99.9%", "99.99%"]);
        assert!((axis.ticks[2].at - 0.5).abs() < 1e-9);
        assert_eq!(labels(&Axis::percentiles(0)), ["50%", "90%", "99%"]);
        assert_eq!(labels(&Axis::percentiles(u64::MAX)).last(), Some(&"99.99999%"));
    }
}
