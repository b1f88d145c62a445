use std::fmt::Write;

use crate::figures::written;

/// One server in a chart.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) figure: Result<f64, String>,
    /// The lowest and highest of a round.
    pub(crate) range: Option<(f64, f64)>,
}

/// Which colour it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    Peer,
    Floor,
}

const WIDTH: f64 = 720.0;
/// Where bars begin and where the longest ends; figures stand behind them.
const LEFT: f64 = 180.0;
const RIGHT: f64 = 600.0;
const TOP: f64 = 62.0;
const STEP: f64 = 28.0;
const THICK: f64 = 18.0;

/// A longer bar than so many times the next shorter one would leave nothing to see of all others: it is broken.
const BREAK: f64 = 8.0;

/// Colours for a page of either colour; the panel behind goes along, so that text can always be read.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:14px}\
    .unit,.fault{fill:#59636e;font-size:12px}.panel{fill:#fff;stroke:#d1d9e0}.ours{fill:#0969da}.peer{fill:#8c959f}\
    .floor{fill:none;stroke:#8c959f;stroke-dasharray:3 2}.range{stroke:#1f2328;stroke-width:1.5;fill:none}\
    .break{stroke:#fff;stroke-width:4}@media(prefers-color-scheme:dark){text{fill:#f0f6fc}\
    .unit,.fault{fill:#9198a1}.panel{fill:#0d1117;stroke:#3d444d}.ours{fill:#4493f8}.peer{fill:#656c76}\
    .floor{stroke:#9198a1}.range{stroke:#f0f6fc}.break{stroke:#0d1117}}";

/// Bars side by side, from zero.
pub(crate) fn chart(title: &str, unit: &str, bars: &[Bar]) -> String {
    let height = TOP + STEP * bars.len() as f64 + 12.0;
    let longest = axis(bars);
    let broken = |bar: &Bar| bar.figure.as_ref().is_ok_and(|figure| *figure > longest);
    let unit =
        format!("{unit}{}", if bars.iter().any(broken) { "; broken bars are longer than drawn" } else { "" });
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{title}: {unit}\">\n<style>{STYLE}</style>\n\
         <rect class=\"panel\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n\
         <text class=\"title\" x=\"16\" y=\"26\">{}</text>\n<text class=\"unit\" x=\"16\" y=\"45\">{}</text>\n",
        WIDTH - 1.0,
        height - 1.0,
        escaped(title),
        escaped(&unit),
        title = escaped(title),
        unit = escaped(&unit),
    );
    for (place, bar) in bars.iter().enumerate() {
        draw(&mut svg, bar, TOP + STEP * place as f64, longest);
    }
    svg + "</svg>\n"
}

/// The figure of a bar of full length.
fn axis(bars: &[Bar]) -> f64 {
    let mut figures: Vec<f64> = bars.iter().filter_map(|bar| bar.figure.as_ref().ok().copied()).collect();
    figures.retain(|figure| *figure > 0.0);
    figures.sort_by(f64::total_cmp);
    // Broken from the first on that stands far above all before it.
    let far = figures.windows(2).position(|two| two[1] > two[0] * BREAK && two[0] > 0.0);
    match far {
        // Two of a kind make no scale: below half of them there is nothing to look at.
        Some(at) if (at + 1) * 2 >= figures.len() => figures[at] * 1.25,
        _ => figures.last().copied().unwrap_or(1.0),
    }
}

fn draw(svg: &mut String, bar: &Bar, y: f64, longest: f64) {
    let middle = y + THICK / 2.0;
    let baseline = middle + 4.5;
    let mut put = |line: std::fmt::Arguments<'_>| svg.write_fmt(line).expect("a string takes everything");
    put(format_args!(
        "<text x=\"{}\" y=\"{baseline}\" text-anchor=\"end\">{}</text>\n",
        LEFT - 10.0,
        escaped(&bar.name)
    ));
    let figure = match &bar.figure {
        Ok(figure) => *figure,
        Err(why) => {
            put(format_args!(
                "<text class=\"fault\" x=\"{LEFT}\" y=\"{baseline}\">{}</text>\n",
                escaped(why)
            ));
            return;
        }
    };
    let x = |figure: f64| LEFT + (RIGHT - LEFT) * (figure / longest).clamp(0.0, 1.0);
    let class = match bar.kind {
        Kind::Ours => "ours",
        Kind::Peer => "peer",
        Kind::Floor => "floor",
    };
    let width = (x(figure) - LEFT).max(1.0);
    put(format_args!(
        "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"{THICK}\" rx=\"2\"/>\n"
    ));
    let mut end = x(figure);
    if figure > longest {
        let at = RIGHT - 28.0;
        put(format_args!(
            "<path class=\"break\" d=\"M{:.1} {:.1}l8 {}\"/>\n",
            at,
            y + THICK + 2.0,
            -THICK - 4.0
        ));
    } else if let Some((low, high)) = bar.range.filter(|(low, high)| high > low) {
        let (low, high) = (x(low), x(high));
        put(format_args!("<path class=\"range\" d=\"M{low:.1} {middle}H{high:.1}\"/>\n"));
        end = end.max(high);
    }
    put(format_args!("<text x=\"{:.1}\" y=\"{baseline}\">{}</text>\n", end + 8.0, written(figure)));
}

fn escaped(text: &str) -> String {
    text.replace('`', "").replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(figure: f64) -> Bar {
        Bar { name: "a <b>".to_owned(), kind: Kind::Peer, figure: Ok(figure), range: None }
    }

    #[test]
    fn the_longest_bar_fills_the_chart_unless_it_is_far_longer_than_the_others() {
        assert_eq!(axis(&[bar(1.0), bar(2.0), bar(3.0)]), 3.0);
        assert_eq!(axis(&[bar(1.0), bar(2.0), bar(15.0)]), 15.0);
        assert_eq!(axis(&[bar(1.0), bar(2.0), bar(200.0), bar(210.0)]), 2.5);
        assert!(chart("t", "u", &[bar(1.0), bar(2.0), bar(200.0)]).contains("class=\"break\""));
        assert!(!chart("t", "u", &[bar(1.0), bar(2.0), bar(3.0)]).contains("class=\"break\""));
    }

    #[test]
    fn a_server_without_a_figure_says_why() {
        let lost = Bar { figure: Err("lost 3 & more".to_owned()), ..bar(0.0) };
        let svg = chart("t", "u", &[lost, bar(1.0)]);
        assert!(svg.contains("lost 3 &amp; more") && svg.contains("a &lt;b>"), "{svg}");
        assert_eq!(svg.matches("class=\"peer\"").count(), 1);
    }
}
