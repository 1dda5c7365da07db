//! The program as people meet it: the built binary, its output, its exit codes and the files it makes.

mod configuration;
mod daemon;
mod home;
mod offline;
mod program;
