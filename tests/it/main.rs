//! What holds across modules, and what the whole program does.

mod architecture;
mod broken;
mod letters;
