//! Tests of the framework through its public face, in one binary.

mod settings;
