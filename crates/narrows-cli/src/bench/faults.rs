use std::fmt;
use std::ops::AddAssign;

use serde::Serialize;

/// What members did not get as they should.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Faults {
    pub(super) lost: u64,
    pub(super) duplicated: u64,
    pub(super) out_of_order: u64,
}

impl Faults {
    pub(super) fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Faults {
    fn add_assign(&mut self, more: Self) {
        self.lost += more.lost;
        self.duplicated += more.duplicated;
        self.out_of_order += more.out_of_order;
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lost, duplicated, out_of_order } = self;
        write!(f, "{lost} lost, {duplicated} duplicated, {out_of_order} out of order")
    }
}
