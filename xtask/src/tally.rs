use std::fmt;
use std::ops::AddAssign;

/// How many tests passed, failed and were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) ignored: usize,
}

impl Tally {
    /// Reads a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`, as Cargo's runner prints it, or `ℹ pass 3`,
    /// as Node's does; any other counts nothing.
    pub(crate) fn of_line(line: &str) -> Self {
        let mut tally = Self::default();
        if let Some((what, number)) = line.strip_prefix("ℹ ").and_then(|rest| rest.split_once(' ')) {
            let number = number.parse().unwrap_or(0);
            match what {
                "pass" => tally.passed = number,
                "fail" | "cancelled" => tally.failed = number,
                "skipped" | "todo" => tally.ignored = number,
                _ => {}
            }
            return tally;
        }
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return tally;
        };
        for part in counts.split("; ") {
            match part.split_once(' ').map(|(number, what)| (number.parse().unwrap_or(0), what)) {
                Some((number, "passed")) => tally.passed = number,
                Some((number, "failed")) => tally.failed = number,
                Some((number, "ignored")) => tally.ignored = number,
                _ => {}
            }
        }
        tally
    }

    pub(crate) fn ran(&self) -> usize {
        self.passed + self.failed
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_of_a_test_run_is_counted_and_other_lines_are_not() {
        let line = "test result: FAILED. 12 passed; 2 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(Tally::of_line(line), Tally { passed: 12, failed: 2, ignored: 3 });
        assert_eq!(Tally::of_line("test result of a kind"), Tally::default());
        assert_eq!(Tally::of_line("ℹ pass 12").passed, 12);
        assert_eq!(Tally::of_line("ℹ fail 2").failed, 2);
        assert_eq!(Tally::of_line("ℹ duration_ms 12.5"), Tally::default());
    }
}
