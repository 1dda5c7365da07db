//! The rules of the gateway and of REST that the library in `judges/` does not check, and what a test does with the
//! handles.

mod gateway;
mod posts;
mod socket;
