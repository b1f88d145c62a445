<<<<<<< HEAD
//! Models and migrations, through the public API.
=======
//! The tests of narrows-models.
>>>>>>> 77c914b0e18524b9d0a2926326db3cb1826939ea

mod make;
mod migrate;
